"""What the tests share: a few hundred real images, a copy of the checkout, and the command."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# JAX keeps what it compiles: no later test, and no process that a test starts, compiles the same program again.
# It must be told before Keras imports it. A folder for each worker, as JAX does not write these files atomically.
COMPILED = tempfile.TemporaryDirectory(prefix="hello_mnist_compiled_")
os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"

# Started in the background, this process ignores Ctrl-C, and so would every process it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("hello-mnist")


def pytest_configure(config):
    """Import the frameworks before the test modules do; not in the process that only hands tests to the workers."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    from study_keras.startup import import_keras

    import_keras()
    import tensorflow  # noqa: F401  # or the first `train` in this process would shut it out for the tests after it


# The files that take longest, the longest first.
LONGEST = (
    "test_matrix", "test_lessons", "test_processes", "test_keras2_loading", "test_export", "test_everywhere",
    "test_proof", "test_page", "test_programs", "test_c", "test_teach_view", "test_map_view", "test_train_view",
    "test_break_view", "test_onnx_in_the_page", "test_engine", "test_mobile", "test_shards", "test_strangers",
    "test_server", "test_formats",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that no worker waits for another at the end."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_unconfigure():
    COMPILED.cleanup()


@pytest.fixture(autouse=True)
def names_from_the_start():
    """Let Keras count its layers anew (dense, dense_1), whatever tests ran before."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=False)


@pytest.fixture(scope="session")
def digits():
    """600 images to learn from and 200 to be tested on."""
    from study_keras import mnist

    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    return (x_train[:600], y_train[:600]), (x_test[:200], y_test[:200])


@pytest.fixture(scope="session")
def small(digits, tmp_path_factory):
    """The path of an .npz with 600 and 200 images."""
    (x_train, y_train), (x_test, y_test) = digits
    path = tmp_path_factory.mktemp("small") / "small.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="session")
def trained(small, tmp_path_factory):
    """The path of a model that `hello-mnist train` saved, trained on 600 images."""
    folder = tmp_path_factory.mktemp("trained")
    result = hello_mnist("train", "--data", small, "--seed", 1, "--output", folder, "--json")
    assert result.returncode == 0, result.stderr
    return Path(json.loads(result.stdout)["model"])


@pytest.fixture(scope="session")
def keras2_folders(tmp_path_factory):
    """The folder in which the real Keras 2 wrote its models, once for all workers; see keras2_folders.py."""
    workers = tmp_path_factory.getbasetemp()
    folder = (workers.parent if "PYTEST_XDIST_WORKER" in os.environ else workers) / "keras2_folders"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            command = [sys.executable, ROOT / "tests/formats/keras2/keras2_folders.py", folder]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of the checkout, so that lessons do not write over the output/ of whoever runs the tests."""
    copy = tmp_path_factory.mktemp("copy") / "checkout"
    ignored = shutil.ignore_patterns(".*", "output", "build", "dist", "*.egg-info", "__pycache__", "node_modules")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


def hello_mnist(*arguments, **options):
    """Run the command as a user does, in a process of its own."""
    command = [COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def little_memory():
    """Fail if the test takes 500 MB more than the process had. Only Linux tells."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def read(name):
        return int(re.search(rf"{name}:\s+(\d+)", status.read_text())[1]) * 1024 if status.exists() else 0

    if reset.exists():
        reset.write_text("5")  # the peak begins anew
    before = read("VmRSS")
    yield
    assert read("VmHWM") - before < 500e6


def check_refused(read, path, message):
    """Read a file, and check that it is refused in one line that names it."""
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000
