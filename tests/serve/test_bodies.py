"""The bodies of all requests share one budget of memory, and each gives its share back."""

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import COMMAND
from test_plain_text import NAMES, escaped, is_plain
from test_server import HEAD, ask, connect, error_of, page, posted, read_all, serving, seven  # noqa: F401

from study_keras.vision.classifier import SHIPPED

BUDGET = 100_000


def until(server, picture, expected):
    """Ask until the answer has the expected status; return the answer."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status, headers, body = ask(server, "POST", "/predict", picture)
        if status == expected:
            return headers, body
    raise AssertionError(f"{status}, not {expected}")


@pytest.fixture(scope="module")
def narrow(page):  # noqa: F811
    with serving(page=str(page), max_total_bytes=BUDGET, max_body_bytes=BUDGET, timeout=3) as running:
        yield running


def test_who_finds_no_share_is_told_to_come_again_and_all_else_goes_on(narrow, seven):  # noqa: F811
    with connect(narrow, HEAD + b"Content-Length: %d\r\n\r\nx" % BUDGET) as client:
        headers, body = until(narrow, seven, 503)
        assert headers["Retry-After"] == "1"
        assert "retry after 1 s" in error_of(body)
        in_chunks = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
        assert read_all(connect(narrow, in_chunks))[0] == 503
        assert ask(narrow, "GET", "/health")[0] == 200
        client.sendall(bytes(BUDGET - 1))
        assert client.recv(12) == b"HTTP/1.1 415"
    until(narrow, seven, 200)


def test_a_body_of_chunks_takes_its_share_as_it_grows(narrow, seven):  # noqa: F811
    first, more = (b"%x\r\n%s\r\n" % (size, bytes(size)) for size in (BUDGET - len(seven), len(seven)))
    with connect(narrow, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + first) as client:
        until(narrow, seven, 200)
        client.sendall(more)
        until(narrow, seven, 503)
    until(narrow, seven, 200)


ENDINGS = {
    "an empty body": (posted(b""), 400),
    "no picture": (posted(bytes(BUDGET)), 415),
    "a broken picture": (posted(b"\x89PNG\r\n\x1a\n" + bytes(BUDGET - 8)), 422),
    "too large": (posted(bytes(BUDGET + 1)), 413),
    "compressed": (posted(bytes(BUDGET), more=b"Content-Encoding: gzip\r\nConnection: close\r\n"), 415),
    "invalid chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + bytes(0xFFFF) + b"no", 400),
    "too slow": (HEAD + b"Content-Length: %d\r\n\r\nx" % BUDGET, 408),
}


@pytest.mark.parametrize(("sent", "expected"), ENDINGS.values(), ids=ENDINGS.keys())
def test_however_a_request_ends_it_gives_its_share_back(narrow, seven, sent, expected):  # noqa: F811
    for _ in range(1 if expected == 408 else 3):
        assert read_all(connect(narrow, sent))[0] == expected
    assert ask(narrow, "POST", "/predict", b"\x89PNG\r\n\x1a\n" + bytes(BUDGET - 8))[0] == 422
    connect(narrow, posted(bytes(BUDGET))[:-1]).close()  # goes away in the middle
    until(narrow, b"\x89PNG\r\n\x1a\n" + bytes(BUDGET - 8), 422)


def test_a_hundred_large_bodies_take_no_gigabyte(page, seven):  # noqa: F811
    picture = b"\x89PNG\r\n\x1a\n" + bytes(9_900_000 - 8)
    with serving(page=str(page), timeout=60, queue=100) as server:
        clients = [connect(server, posted(picture)[:-1]) for _ in range(25)]  # 247.5 of 256 MB
        until(server, picture, 503)
        for _ in range(75):
            assert ask(server, "POST", "/predict", picture)[0] == 503
        assert ask(server, "POST", "/predict", seven)[0] == 200
        for client in clients:
            client.sendall(picture[-1:])
        assert [read_all(client)[0] for client in clients] == [422] * 25
        if sys.platform == "linux":
            status = Path(f"/proc/{server.process.pid}/status").read_text()
            assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 700_000


def test_models_of_any_name_are_offered_and_read_with(seven, tmp_path):  # noqa: F811
    names = [name.replace("/", "").partition(".")[0] for name in NAMES.values() if "\ud83d" not in name]
    paths = [tmp_path / f"{name}.tflite" for name in sorted(set(names))]
    for path in paths:
        shutil.copy(SHIPPED, path)
    options = [argument for path in paths for argument in ("--model", os.fsencode(path))]
    command = [COMMAND, "serve", "--port", "0", "--workers", "1", *options]
    with serving(*[os.fsdecode(part) for part in command]) as server:
        offered = json.loads(ask(server, "GET", "/health")[2])["models"]
        assert offered == [*(escaped(path.stem) for path in paths), "digits"]
        for model in json.loads(ask(server, "GET", "/models")[2]):
            assert ask(server, "GET", model["url"])[0] == 200, model
        for name in offered:
            status, _, body = ask(server, "POST", f"/predict?model={quote(name, safe='')}", seven)
            assert (status, json.loads(body)["text"]) == (200, "7")
        assert server.stop() == 0
    assert is_plain("".join(server.log))
    assert len(server.log) == 1 + 1 + (len(offered) + 1) + len(offered)
