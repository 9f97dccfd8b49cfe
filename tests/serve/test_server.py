"""The server, in processes of its own, over real sockets: answers, limits, the stop, and what it keeps to itself."""

import base64
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import COMMAND, hello_mnist
from PIL import Image

from study_keras.serve.connection import ignore_new_clients
from study_keras.vision.classifier import SHIPPED, load_network
from study_keras.vision.marks import load_finder
from study_keras.vision.recognize import recognize

SERVE = """
import json, sys
from study_keras.serve.server import serve
serve(port=0, on_listening=lambda url: print(url, flush=True), **json.loads(sys.argv[1]))
"""
SECRET = b"nobody shall read this"


def picture(pixels, kind="PNG", **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


@contextmanager
def serving(*command, env=None, cwd=None, **options):
    """Run the server until the block ends; yield its port, process and, once ``stop`` has ended it, log."""
    command = command or (sys.executable, "-c", SERVE, json.dumps(options))
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=cwd
    )
    log = []
    reader = threading.Thread(target=lambda: log.extend(process.stderr))
    reader.start()

    def stop(number=signal.SIGTERM):
        process.send_signal(number)
        code = process.wait(30)
        reader.join()
        return code

    try:
        url = process.stdout.readline()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", url), (url, process.poll(), log)
        yield SimpleNamespace(port=int(url.rsplit(":", 1)[1]), process=process, stop=stop, log=log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A folder like the built page, with a secret beside it and links that lead there."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "secret.txt").write_bytes(SECRET)
    page = folder / "page"
    (page / "parts").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Digits</title>")
    (page / "sw.js").write_text("// nothing to keep\n" * 100)
    (page / "parts" / "view.mjs").write_text("export {};")
    (page / "manifest.webmanifest").write_text("{}")
    (page / "run.wasm").write_bytes(bytes(20_000_000))
    (page / "link.txt").symlink_to(folder / "secret.txt")
    (page / "linked").symlink_to(folder)
    return page


@pytest.fixture(scope="module")
def server(page):
    with serving(page=str(page)) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(page):
    """A server that waits for half a second, and reads one picture at a time."""
    with serving(page=str(page), timeout=0.5, workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def seven():
    """The first test image, a 7, as PNG."""
    from study_keras import mnist

    return picture(mnist.load_data()[1][0][0])


@pytest.fixture(scope="module")
def photo(seven):
    """A photo of 12 megapixels with a 7, which takes a good part of a second to read."""
    digit = Image.open(io.BytesIO(seven)).resize((900, 900))
    paper = np.random.default_rng(1).integers(190, 210, (3000, 4000), np.uint8)
    paper[900:1800, 1500:2400] -= (np.asarray(digit) * 0.7).astype(np.uint8)
    return picture(paper, "JPEG", quality=60)


def ask(server, method, path, body=None, headers=()):
    """Return status, headers and body of one response."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def connect(server, content=b""):
    client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    client.sendall(content)
    return client


def read_all(client):
    """Return status, head and body of the response that ends with the connection."""
    with client:
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else None), head, body


def read_one(client):
    """Return status, head and body of a response after which the connection stays open."""
    received = b""
    while b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < length_of(received):
        part = client.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def length_of(response):
    return int(re.search(rb"content-length: (\d+)", response)[1])


def posted(body, path="/predict", more=b"Connection: close\r\n"):
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s" % (
        path.encode(),
        more,
        len(body),
        body,
    )


def error_of(body):
    """Return the text of an error, which says what was received and what was expected."""
    content = json.loads(body)
    assert set(content) == {"error"}
    assert "\n" not in content["error"]
    return content["error"]


# Answers


def test_a_picture_is_read_as_recognize_reads_it(server, seven, photo):
    network, finder = load_network(), load_finder()
    for content in (seven, photo):
        status, headers, body = ask(server, "POST", "/predict", content, {"Content-Type": "anything"})
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert json.loads(body) == {"image": None, **recognize(content, network, finder=finder)}
    assert json.loads(ask(server, "POST", "/predict?name=my%20seven.png", seven)[2])["image"] == "my seven.png"


def test_an_iphones_photo_is_refused_with_what_to_do(server):
    status, _, body = ask(server, "POST", "/predict", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert (status, "HEIC" in error_of(body), "Most Compatible" in error_of(body)) == (415, True, True)


def test_many_requests_go_over_one_connection(server, seven):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    for _ in range(20):
        for body in (seven, b"no picture"):
            connection.request("POST", "/predict", body)
            own = connection.sock
            response = connection.getresponse()
            response.read()
            assert response.status == (200 if body == seven else 415)
            assert connection.sock is own
    connection.close()


def test_a_client_that_has_closed_its_side_is_answered(server, seven):
    client = connect(server, posted(seven, more=b""))
    client.shutdown(socket.SHUT_WR)
    status, _, body = read_all(client)
    assert (status, json.loads(body)["text"]) == (200, "7")


def test_health_tells_version_and_models(server):
    status, _, body = ask(server, "GET", "/health")
    told = json.loads(body)
    assert (status, told["status"], told["models"]) == (200, "ok", ["digits"])
    assert told["version"] in hello_mnist("--version").stdout


def test_every_model_is_offered_and_read_with(seven, trained, tmp_path):
    lite, web = shutil.copy(SHIPPED, tmp_path / "my digits.tflite"), tmp_path / "digits.tfjs"
    shutil.copytree(SHIPPED.with_suffix(".tfjs"), web)
    options = [argument for path in (lite, web, trained) for argument in ("--model", path)]
    with serving(COMMAND, "serve", "--port", 0, "--workers", 1, *options) as server:
        offers = json.loads(ask(server, "GET", "/models")[2])
        assert [(offer["name"], offer["format"]) for offer in offers] == [
            ("my digits", "tflite"),
            ("digits-2", "tfjs"),
            ("hello_mnist", "tfjs"),
            ("digits", "tflite"),
            ("digits", "tfjs"),
        ]
        for offer in offers:
            status, headers, body = ask(server, "GET", offer["url"])
            assert status == 200
            if offer["format"] == "tflite":
                assert (body, headers["Content-Type"]) == (SHIPPED.read_bytes(), "application/octet-stream")
            else:
                shards = [name for group in json.loads(body)["weightsManifest"] for name in group["paths"]]
                folder = offer["url"].rsplit("/", 1)[0]
                sizes = [len(ask(server, "GET", f"{folder}/{name}")[2]) for name in shards]
                assert offer["bytes"] == len(body) + sum(sizes)
        names = json.loads(ask(server, "GET", "/health")[2])["models"]
        assert names == ["my digits", "digits-2", "hello_mnist", "digits"]
        for name in names:
            status, _, body = ask(server, "POST", "/predict?model=" + name.replace(" ", "+"), seven)
            assert (status, json.loads(body)["text"]) == (200, "7")
        assert server.stop(signal.SIGINT) == 130
        assert server.log[-1] == "hello-mnist: stopped\n"


def test_what_is_no_model_ends_the_start_with_one_line(tmp_path):
    broken, leading_out = tmp_path / "broken.tflite", tmp_path / "out.tfjs"
    broken.write_bytes(b"no model")
    shutil.copytree(SHIPPED.with_suffix(".tfjs"), leading_out)
    model = json.loads((leading_out / "model.json").read_text())
    weights = (leading_out / model["weightsManifest"][0]["paths"][0]).replace(tmp_path / "weights.bin")
    model["weightsManifest"][0]["paths"] = [f"../{weights.name}"]
    (leading_out / "model.json").write_text(json.dumps(model))
    for path in (broken, leading_out):
        result = hello_mnist("serve", "--port", 0, "--model", path, timeout=60)
        assert (result.returncode, result.stdout) == (1, "")
        assert len(result.stderr.splitlines()) == 1
        assert str(path) in result.stderr


def test_the_page_has_its_types_and_is_asked_for_anew(server, page):
    types = {
        "/": "text/html; charset=utf-8",
        "/sw.js": "text/javascript; charset=utf-8",
        "/parts/view.mjs": "text/javascript; charset=utf-8",
        "/manifest.webmanifest": "application/manifest+json",
        "/run.wasm": "application/wasm",
    }
    for path, kind in types.items():
        status, headers, body = ask(server, "GET", path)
        assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, kind, "no-cache")
        assert body == (page / (path[1:] or "index.html")).read_bytes()
        assert ask(server, "GET", path, headers={"If-None-Match": headers["ETag"]})[::2] == (304, b"")
        status, head, body = ask(server, "HEAD", path)
        assert (status, head["Content-Length"], body) == (200, headers["Content-Length"], b"")
    _, headers, body = ask(server, "GET", "/sw.js", headers={"Accept-Encoding": "gzip"})
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert len(body) < 200


def test_without_the_page_pictures_are_read_all_the_same(seven, tmp_path):
    with serving(page=str(tmp_path / "nothing"), workers=1) as server:
        status, _, body = ask(server, "GET", "/")
        assert status == 503
        assert "make run" in error_of(body)
        assert ask(server, "POST", "/predict", seven)[0] == 200


def test_the_description_is_that_of_the_routes(server, seven):
    described = json.loads(ask(server, "GET", "/openapi.json")[2])
    assert sorted(described["paths"]) == ["/health", "/models", "/models/{path}", "/predict"]
    predict = described["paths"]["/predict"]["post"]
    assert {content["schema"]["format"] for content in predict["requestBody"]["content"].values()} == {"binary"}
    assert set(predict["responses"]) == {"200", "400", "403", "408", "413", "415", "422", "503", "504"}
    known = described["components"]["schemas"]
    assert predict["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
    answers = {
        "Answer": json.loads(ask(server, "POST", "/predict", seven)[2]),
        "Digit": json.loads(ask(server, "POST", "/predict", seven)[2])["digits"][0],
        "Health": json.loads(ask(server, "GET", "/health")[2]),
        "Model": json.loads(ask(server, "GET", "/models")[2])[0],
        "Error": json.loads(ask(server, "POST", "/predict", b"x")[2]),
    }
    for name, answer in answers.items():
        assert set(answer) == set(known[name]["required"])
    for path, methods in described["paths"].items():
        for method in methods:
            status, _, _ = ask(server, method.upper(), path.replace("{path}", "digits.tflite"), seven)
            assert status == 200


# Bad bodies


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + b"\0\0\0\0"


def header_of_png(width, height):
    """A PNG whose header promises that size, and which has nothing else."""
    content = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"")
    return b"\x89PNG\r\n\x1a\n" + content + chunk(b"IEND", b"")


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("digit.png", b"x")
    return file.getvalue()


def bad_bodies():
    """Yield a name, a body, and the status that it gets."""
    digit = np.full((60, 60), 255, np.uint8)
    digit[10:50, 28:33] = 0
    for kind in ("PNG", "JPEG", "WebP", "GIF", "BMP"):
        whole = picture(Image.fromarray(digit).convert("RGB"), kind)
        yield f"half a {kind}", whole[: len(whole) // 2], 422
        yield f"the first 12 bytes of a {kind}", whole[:12], 422
    yield "a PNG with a wrong checksum", picture(digit).replace(b"IDAT", b"IDAT\1", 1), 422
    yield "empty", b"", 400
    yield "text", b"seven", 415
    yield "a page", b"<!doctype html><img src=x>", 415
    yield "JSON", json.dumps({"image": base64.b64encode(picture(digit)).decode()}).encode(), 415
    yield "base64", base64.b64encode(picture(digit)), 415
    yield "a form", b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + picture(digit) + b"\r\n--x--", 415
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415
    yield "HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 415
    yield "AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", 415
    yield "TIFF", picture(digit, "TIFF"), 415
    yield "ICO", picture(digit, "ICO"), 415
    yield "PDF", b"%PDF-1.7\n", 415
    yield "zip", zipped(), 415
    yield "gzip", b"\x1f\x8b\x08\0\0\0\0\0", 415
    yield "a model", SHIPPED.read_bytes(), 415
    yield "zeros", bytes(1000), 415
    yield "a sound", b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), 422
    yield "no pixels", header_of_png(0, 0), 422
    yield "a bomb", header_of_png(2**31 - 1, 2**31 - 1), 422
    yield "26 megapixels", picture(Image.new("1", (6500, 4000), 1)), 422
    yield "one colour", picture(np.full((50, 50), 200, np.uint8)), 422
    yield "one pixel", picture(np.zeros((1, 1), np.uint8)), 422
    yield "a hair", picture(np.eye(5000, 1, dtype=np.uint8)), 422


BAD_BODIES = list(bad_bodies())


@pytest.mark.parametrize(("body", "expected"), [bad[1:] for bad in BAD_BODIES], ids=[bad[0] for bad in BAD_BODIES])
def test_a_bad_body_is_refused_by_name_and_the_server_lives(server, body, expected):
    status, _, said = ask(server, "POST", "/predict", body)
    assert (status, "expected" in error_of(said)) == (expected, True)
    assert ask(server, "GET", "/health")[0] == 200


HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
BAD_REQUESTS = {
    "no length": (HEAD + b"\r\n", 400),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "a length in words": (HEAD + b"Content-Length: many\r\n\r\n", 400),
    "two lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456", 400),
    "a huge length": (HEAD + b"Content-Length: 999999999999999\r\n\r\n", 413),
    "a byte over the limit": (HEAD + b"Content-Length: 10000001\r\n\r\n" + bytes(10_000_001), 413),
    "less than its length": (HEAD + b"Content-Length: 500\r\n\r\n\x89PNG", 400),
    "chunks over the limit": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"f4240\r\n" + bytes(1_000_000) + b"\r\n") * 11 + b"0\r\n\r\n",
        413,
    ),
    "chunks without end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", 400),
    "broken chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfive\r\n12345\r\n", 400),
    "packed": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n123", 415),
    "no such model": (posted(b"x", "/predict?model=none"), 400),
    "another method": (b"PUT" + posted(b"x")[4:], 405),
    "GET": (b"GET /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
    "another place": (posted(b"x", "/"), 405),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "an endless head": (HEAD + b"X: " + b"x" * 100_000, 400),
    "a line break in a header": (HEAD + b"X: a\0b\r\n\r\n", 400),
}


@pytest.mark.parametrize(("content", "expected"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_bad_request_is_refused_and_the_server_lives(server, content, expected):
    client = connect(server, content)
    client.shutdown(socket.SHUT_WR)
    status, head, body = read_all(client)
    assert (status, "expected" in error_of(body)) == (expected, True)
    assert b"content-security-policy" in head
    assert ask(server, "GET", "/health")[0] == 200


def test_a_large_body_is_refused_before_it_is_sent(server):
    with connect(server, HEAD + b"Expect: 100-continue\r\nContent-Length: 10000001\r\n\r\n") as client:
        assert client.recv(12) == b"HTTP/1.1 413"


# Slow clients and crowds


def test_slow_clients_are_cut_off_and_hold_up_nobody(impatient, seven):
    beginnings = {
        "nothing": (b"", None),
        "half a head": (HEAD, 408),
        "half a body": (posted(seven)[:-1], 408),
        "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n123", 408),
        "a body that nobody reads": (b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 405),
    }
    started = time.monotonic()
    slow = [(connect(impatient, sent), status) for sent, status in beginnings.values() for _ in range(20)]
    assert ask(impatient, "POST", "/predict", seven)[0] == 200
    for client, expected in slow:
        status, _, body = read_all(client)
        assert status == expected
        assert status is None or error_of(body)
    assert 0.5 <= time.monotonic() - started < 8


def cut_off(client):
    """Go on sending, slowly, and tell whether the server ends that."""
    with client:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                client.sendall(b"G")
            except ConnectionError:
                return True
            select.select([], [], [], 0.05)
    return False


def test_a_head_that_trickles_is_cut_off_too(impatient):
    client = connect(impatient, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.recv(12) == b"HTTP/1.1 200"
    assert cut_off(client)


def test_a_client_that_does_not_read_is_cut_off(impatient):
    client = connect(impatient, b"GET /run.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert cut_off(client)


def test_what_takes_too_long_is_given_up(photo, seven, tmp_path):
    with serving(timeout=0.05, workers=1, page=str(tmp_path)) as server:
        status, _, body = ask(server, "POST", "/predict", photo)
        assert (status, "too long" in error_of(body)) == (504, True)
        while ask(server, "POST", "/predict", seven)[0] == 504:  # its thread is still at the photo
            pass
        assert ask(server, "POST", "/predict", seven)[0] == 200


def test_of_200_at_once_each_is_answered_or_told_to_come_again(photo, seven, tmp_path):
    with serving(workers=1, queue=4, timeout=20, page=str(tmp_path)) as server:
        clients = [connect(server, posted(photo if index % 40 == 0 else seven)) for index in range(200)]
        answers = [read_all(client) for client in clients]
        for status, head, body in answers:
            assert (status, b"retry-after: 1" in head) in ((200, False), (503, True))
            assert json.loads(body)["text"] == "7" if status == 200 else "retry after" in error_of(body)
        assert {status for status, _, _ in answers} == {200, 503}
        assert ask(server, "POST", "/predict", seven)[0] == 200


# The stop


def load(server, request, enough, tally):
    """Send over one connection, and another where that is closed, until nobody listens any more."""
    while True:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        try:
            connection.connect()
        except ConnectionError:
            return
        try:
            while connection.sock is not None:
                connection.request(*request)
                response = connection.getresponse()
                answer = json.loads(response.read())
                tally.append(response.status == 200 and answer.get("text", answer.get("status")) in ("7", "ok"))
                if len(tally) >= 100:
                    enough.set()
        except (OSError, HTTPException, ValueError) as error:
            tally.append(f"lost: {error!r}")
        connection.close()


def test_a_stop_under_load_loses_no_request(seven, photo, tmp_path):
    with serving(page=str(tmp_path)) as server:
        enough, tally = threading.Event(), []
        kept = ("POST", "/predict", seven)
        new_each_time = ("GET", "/health", None, {"Connection": "close"})
        requests = [kept] * 4 + [new_each_time] * 12
        threads = [threading.Thread(target=load, args=(server, request, enough, tally)) for request in requests]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        waiting = [connect(server, posted(body)) for body in [photo, seven] * 3]
        assert server.stop() == 0
        answers = [read_all(client) for client in waiting]
        for thread in threads:
            thread.join(30)
        assert [status for status, _, _ in answers] == [200] * 6
        assert set(tally) == {True}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such filter")
def test_a_listener_that_ignores_new_clients_keeps_those_that_have_connected():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as early:
        ignore_new_clients(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.1)
        early.sendall(b"ping")
        with listener.accept()[0] as accepted:
            assert accepted.recv(4) == b"ping"


def turned_away(server):
    """Whether no new client is connected: refused, or at Linux, while the server closes its port, without an answer."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=0.05).close()
    except (ConnectionRefusedError, TimeoutError):
        return True
    return False


def test_a_request_that_was_under_way_at_the_stop_is_answered_with_a_last_word(seven, tmp_path):
    with serving(page=str(tmp_path)) as server:
        idle = connect(server, posted(seven, more=b""))
        status, head, body = read_one(idle)
        assert (status, b"connection: close" in head, b'"text":"7"' in body) == (200, False, True)
        server.process.send_signal(signal.SIGTERM)
        while not turned_away(server):
            assert not select.select([idle], [], [], 0.01)[0]
        assert not select.select([idle], [], [], 0.1)[0]  # not closed at once: a request may be on its way
        idle.sendall(posted(seven, more=b""))
        status, head, body = read_all(idle)
        assert (status, b"connection: close" in head, b'"text":"7"' in body) == (200, True, True)
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_slow_clients_do_not_hold_up_the_stop(number, seven, tmp_path):
    with serving(timeout=1, page=str(tmp_path)) as server, ExitStack() as stack:
        for sent in (b"", HEAD, posted(seven)[:-1], b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            stack.enter_context(connect(server, sent))
        assert ask(server, "GET", "/health")[0] == 200
        started = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - started < 5


def test_a_taken_port_is_one_line(server):
    result = hello_mnist("serve", "--port", server.port, timeout=60)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(rf"hello-mnist: cannot listen on 127\.0\.0\.1 port {server.port}: .*--port 0\n", result.stderr)


# What it keeps to itself

OUTSIDE = [
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/%252e%252e%252fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/parts/../../secret.txt",
    "/parts/..%2f..%2fsecret.txt",
    "//secret.txt",
    "/./../secret.txt",
    "/link.txt",
    "/linked/secret.txt",
    "/index.html%00.txt",
    "/%00",
    "/..%c0%afsecret.txt",
    "/..%ff/secret.txt",
    "/models/../../secret.txt",
    "/models/..%2f..%2fsecret.txt",
    "/models/digits.tfjs/../digits.tflite",
    "/models//etc/passwd",
    "/models/%2fetc%2fpasswd",
    "//etc/passwd",
    "/file:///etc/passwd",
    "http://localhost/../secret.txt",
]


@pytest.mark.parametrize("path", [*OUTSIDE, "absolute"])
def test_nothing_else_of_the_disk_is_read(server, page, path):
    path = str(page.parent / "secret.txt") if path == "absolute" else path
    sent = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    status, _, body = read_all(connect(server, sent))
    assert status == 404
    assert SECRET not in body
    assert error_of(body)


def test_every_response_has_the_headers(server, seven):
    asked = [("GET", "/"), ("GET", "/health"), ("HEAD", "/sw.js"), ("GET", "/none"), ("POST", "/health")]
    responses = [ask(server, method, path)[1] for method, path in asked]
    responses.append(ask(server, "POST", "/predict", seven)[1])
    responses.append(ask(server, "POST", "/predict", seven, {"Origin": "https://evil.example"})[1])
    for headers in responses:
        policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
        assert (policy["default-src"], policy["connect-src"], policy["frame-ancestors"]) == (
            "'none'",
            "'self'",
            "'none'",
        )
        assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Permissions-Policy"] == "camera=(self)"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Server"] is None


def test_pages_of_other_sites_are_refused(server, seven):
    here = f"127.0.0.1:{server.port}"
    refused = [
        {"Host": "evil.example"},
        {"Host": f"evil.example:{server.port}"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{server.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    for headers in refused:
        status, _, body = ask(server, "POST", "/predict", seven, headers)
        assert (status, "expected" in error_of(body)) == (403, True), headers
    for headers in ({"Origin": f"http://{here}", "Sec-Fetch-Site": "same-origin"}, {"Host": "localhost:1234"}):
        assert ask(server, "POST", "/predict", seven, headers)[0] == 200
    assert ask(server, "GET", "/", headers={"Host": "evil.example"})[0] == 403


def test_the_network_is_served_only_when_told(seven):
    with serving(COMMAND, "serve", "--port", 0, "--host", "0.0.0.0", "--workers", 1) as server:
        assert ask(server, "POST", "/predict", seven, {"Host": "my-computer:80"})[0] == 200
        assert ask(server, "POST", "/predict", seven, {"Origin": "https://evil.example"})[0] == 403
        assert server.stop() == 0
    assert "anyone who can reach this computer" in server.log[0]


def test_the_log_has_a_line_for_each_request_and_no_more(seven, tmp_path):
    with serving(workers=1, page=str(tmp_path)) as server:
        ask(server, "POST", "/predict?name=private", seven)
        ask(server, "GET", "/a%0aGET%20/forged%20200%1b[2J")
        ask(server, "GET", "/" + "x" * 5000)
        read_all(connect(server, b"no HTTP\r\n\r\n"))
        assert server.stop() == 0
    expected = [
        r"POST /predict 200 \d+\.\d ms \d+ bytes\n",
        r"GET /a%0aGET%20/forged%20200%1b\[2J 404 \d+\.\d ms \d+ bytes\n",
        r"GET /x{199} 404 \d+\.\d ms \d+ bytes\n",
        r"- - 400 \d+\.\d ms \d+ bytes\n",
    ]
    assert len(server.log) == len(expected)
    for line, pattern in zip(server.log, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_no_picture_is_stored_and_no_framework_loaded(seven, photo, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    env = {**os.environ, "TMPDIR": str(here), "HOME": str(here), "PYTHONPROFILEIMPORTTIME": "1"}
    with serving(workers=1, page=str(tmp_path / "none"), env=env, cwd=here) as server:
        for body in (seven, photo, b"no picture"):
            ask(server, "POST", "/predict", body)
        assert [path for path in here.rglob("*") if path.is_file()] == []
        assert server.stop() == 0
    assert list(here.iterdir()) == []
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in server.log if line.startswith("import time:")}
    assert {"fastapi", "ai_edge_litert"} <= imported
    assert not {"tensorflow", "jax", "keras"} & imported
