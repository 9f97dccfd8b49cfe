"""Throughput and latency of the server over real connections.

    make bench, or: python benchmarks/server.py

The server runs in a process of its own; the load comes from this one, a thread for each connection, over
keep-alive connections. Each load is warmed up and takes turns with the others for several rounds, each of SECONDS;
printed are the medians of the rounds. `GET /health` in the same run is what a request costs without a picture, and
`recognize` called directly, in one thread, what reading costs without a server. A 503 counts as a failure.
"""

import io
import os
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from study_keras import mnist
from study_keras.vision.classifier import load_network
from study_keras.vision.marks import load_finder
from study_keras.vision.recognize import recognize

ROUNDS, SECONDS = 3, 2.0
CONNECTIONS = (1, 8, 32)
COMMAND = Path(sys.executable).with_name("hello-mnist")
IMAGES = mnist.load_data()[1][0]


def encode(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def photo(width, height, count):
    """Return a JPEG of `count` test digits in a row, dark on paper with a light gradient and grain."""
    side = width // (count + 1)
    paper = np.full((height, width), 200.0) + np.linspace(-20, 20, width)
    paper += np.random.default_rng(1).normal(0, 3, paper.shape)
    top = (height - side) // 2
    for number, image in enumerate(IMAGES[:count]):
        left = side // 2 + number * side
        digit = np.asarray(Image.fromarray(image).resize((side, side)), float)
        paper[top : top + side, left : left + side] -= digit * 0.6
    return encode(np.clip(paper, 0, 255).astype(np.uint8), "JPEG", quality=85)


def drive(port, request, until, taken):
    """Repeat a request over one connection; append the seconds of each response to `taken`, None for a failure."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while (started := time.perf_counter()) < until:
        connection.request(*request)
        response = connection.getresponse()
        response.read()
        taken.append(time.perf_counter() - started if response.status == 200 else None)
    connection.close()


def measure(port, request, connections, seconds):
    """Return responses per second, the median and 99th percentile in milliseconds, and the number of failures."""
    until, lists = time.perf_counter() + seconds, [[] for _ in range(connections)]
    threads = [threading.Thread(target=drive, args=(port, request, until, taken)) for taken in lists]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    taken = sorted(one for each in lists for one in each if one is not None)
    failed = sum(map(len, lists)) - len(taken)
    return len(taken) / elapsed, 1000 * taken[len(taken) // 2], 1000 * taken[len(taken) * 99 // 100], failed


def direct(body, seconds):
    """Return how often a second `recognize` itself reads the picture."""
    network, finder, count, started = load_network(), load_finder(), 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        recognize(body, network, finder=finder)
        count += 1
    return count / (time.perf_counter() - started)


pictures = {
    "MNIST image, PNG 28 x 28": encode(IMAGES[0], "PNG"),
    "one digit, JPEG 200 x 200": photo(200, 200, 1),
    "six digits, JPEG 320 x 240": photo(320, 240, 6),
    "six digits, JPEG 640 x 480": photo(640, 480, 6),
}
loads = {"GET /health": ("GET", "/health", None)}
loads |= {name: ("POST", "/predict", body) for name, body in pictures.items()}
process = subprocess.Popen(
    [COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
)
try:
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    results = {(name, connections): [] for name in loads for connections in CONNECTIONS}
    direct_rates = {name: [] for name in pictures}
    for request in loads.values():
        measure(port, request, 2, 0.5)
    for _ in range(ROUNDS):
        for (name, connections), rounds in results.items():
            rounds.append(measure(port, loads[name], connections, SECONDS))
        for name, body in pictures.items():
            direct_rates[name].append(direct(body, SECONDS / 2))
finally:
    process.terminate()
    code = process.wait(30)

print(f"{os.cpu_count()} processors for server and load together, Python {sys.version.split()[0]}, {ROUNDS} rounds")
print(f"{'':28}connections  a second     p50 ms     p99 ms  of /health  only recognize        failed")
for (name, connections), rounds in results.items():
    rate, half, slow = (median(column) for column in list(zip(*rounds, strict=True))[:3])
    health = median(a[0] / b[0] for a, b in zip(rounds, results["GET /health", connections], strict=True))
    reading = (
        median(a[0] / b for a, b in zip(rounds, direct_rates[name], strict=True)) if name in direct_rates else None
    )
    share = f"{reading:20.2f}" if reading else " " * 20
    failed = sum(one[3] for one in rounds)
    print(f"{name:28}{connections:11}{rate:10,.0f}{half:11.1f}{slow:11.1f}{health:12.2f}{share}{failed:8}")
print(f"exit code of the server: {code}")
sys.exit(code)
