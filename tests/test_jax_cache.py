"""What JAX compiles is kept between processes, and nothing but the time depends on what is kept."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from study_keras import jax_cache

PROGRAM = """
from study_keras import jax_cache
jax_cache.enable()
import jax, json
hits = []
jax.monitoring.register_event_listener(lambda name, **_: hits.append(name) if name.endswith("cache_hits") else None)
x = jax.numpy.arange(12.0).reshape(3, 4)
answers = [jax.jit(lambda x: jax.numpy.sin(x) @ x.T)(x), jax.jit(lambda x: jax.numpy.cos(x) @ x.T)(x)]
print(json.dumps({"answers": [answer.tolist() for answer in answers], "hits": len(hits)}))
"""


def compute(cache, **more):
    """Run the program with a cache folder, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    environment |= {"XDG_CACHE_HOME": str(cache), **more}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True)
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """What the first process printed, its cache, and a copy of that."""
    cache = tmp_path_factory.mktemp("first") / "cache"
    return compute(cache), cache, shutil.copytree(cache, cache.with_name("copy"))


@pytest.fixture
def cache(first):
    """The first process' cache; at another path JAX would not find its programs."""
    _, cache, copy = first
    shutil.rmtree(cache)
    return shutil.copytree(copy, cache)


def folder_in(cache):
    (folder,) = (cache / "hello-mnist").iterdir()
    return folder


def test_a_second_process_loads_what_the_first_compiled(first, cache):
    second = compute(cache)
    assert second["answers"] == first[0]["answers"]
    assert second["hits"] > first[0]["hits"] == 0
    assert len(list(folder_in(cache).glob("jit__lambda*-cache"))) == 2


def swap(folder):
    one, other = sorted(folder.glob("jit__lambda*-cache"))
    contents = [one.read_bytes(), other.read_bytes()]
    other.write_bytes(contents[0])
    one.write_bytes(contents[1])


def flip(folder):
    for path in folder.glob("*-cache"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)


def truncate(folder):
    for path in folder.glob("*-cache"):
        path.write_bytes(path.read_bytes()[:100])


def scramble_digests(folder):
    (folder / jax_cache.DIGESTS).write_text('["not", "a table"')


def put_list_for_digests(folder):
    (folder / jax_cache.DIGESTS).write_text("[1]")


def lose_digests(folder):
    (folder / jax_cache.DIGESTS).unlink()


def leave_half_written(folder):
    one = min(folder.glob("jit__lambda*-cache"))
    known = json.loads((folder / jax_cache.DIGESTS).read_text())
    del known[one.name]
    (folder / jax_cache.DIGESTS).write_text(json.dumps(known))
    one.write_bytes(one.read_bytes()[:50])


def fill(folder):
    with (folder / "jit_large-cache").open("wb") as file:
        file.truncate(jax_cache.MAX_BYTES + 1)


DAMAGES = (swap, flip, truncate, scramble_digests, put_list_for_digests, lose_digests, leave_half_written, fill)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_cache_changes_nothing_but_the_time(damage, first, cache):
    folder = folder_in(cache)
    damage(folder)
    assert compute(cache)["answers"] == first[0]["answers"]
    known = json.loads((folder / jax_cache.DIGESTS).read_text())  # it has been mended
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*-cache")}
    assert known == found
    assert "jit_large-cache" not in found


def test_a_cache_that_others_may_write_is_not_read(first, cache):
    folder_in(cache).chmod(0o777)
    assert compute(cache) == first[0]  # without a hit


def test_a_cache_that_cannot_be_written_is_done_without(first, tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    assert compute(tmp_path / "cache") == first[0]


def test_the_users_own_setting_is_left_alone(cache):
    before = sorted(folder_in(cache).iterdir())
    assert not compute(cache, JAX_ENABLE_COMPILATION_CACHE="false")["hits"]
    assert sorted(folder_in(cache).iterdir()) == before


def test_another_processor_has_another_folder(monkeypatch):
    own = jax_cache.cache_folder()
    monkeypatch.setattr(jax_cache, "_processor", lambda: "flags: fpu")
    assert jax_cache.cache_folder() != own
