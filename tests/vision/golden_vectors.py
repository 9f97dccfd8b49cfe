"""Write tests/golden/: small pictures, and what CONTRACT 2 and the shipped networks make of them.

    python tests/vision/golden_vectors.py

Run it only with a new contract, new networks or a new picture. ``expected.json`` holds for each picture its ``text``,
by how many degrees it was ``turned``, and whether ``prepare`` has an image for it; ``digits.png`` has these images side
by side, 28 pixels each, in the order of the pictures' names, and black where there is none.
"""

import json

import numpy as np
from pages import folded
from PIL import Image
from rows import degree, digit_ink, row
from scenes import ROOT, enlarge, in_a_shadow, line_of, paper, ruled

from study_keras import mnist
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_image
from study_keras.vision.marks import load_finder
from study_keras.vision.prepare import prepare
from study_keras.vision.recognize import recognize

GOLDEN = ROOT / "tests/golden"


def pictures():
    """Yield a name and (h, w) greys in [0, 1] for each golden picture."""
    images = mnist.load_data()[1][0]
    rng = np.random.default_rng(6)
    for number, image in enumerate(images[:10]):
        yield f"plain_{number}", 1 - 0.9 * enlarge(image, 3 + number % 4)
        ink = np.pad(enlarge(image, 2.5, 7 * (-1) ** number), 8)
        yield f"paper_{number}", paper(ink.shape, rng) * (1 - 0.7 * ink)
        yield f"night_{number}", 0.1 + 0.8 * np.pad(enlarge(image, 2), ((5, 20), (9, 30)))
    yield "mnist", images[0] / 255
    yield "negative", 1 - images[0] / 255
    yield "thick", thick(images[1])
    yield "ruled", ruled(images[3], rng)
    yield "shadow", in_a_shadow(images[8], rng)
    small = np.full((520, 300), 0.9)
    small[300:356, 40:96] -= 0.7 * enlarge(images[4], 2)
    yield "small", small
    line = line_of(images[10:16], rng)
    yield "line", line
    yield "touching", touching(images[18], images[8])
    yield "small_lines", small_lines(images[20:32], np.random.default_rng(2))
    yield "cell", cell(images[9])
    yield "traces", shining_through(images[7], rng)
    page = np.vstack([line_of(images[[0, 1, 4, 18, 17]], np.random.default_rng(1)) for _ in range(2)])
    yield "turned", page[::-1, ::-1]  # of 7, 2, 4, 3 and 7: upside down, few of them are digits
    yield "folded", read_image(folded(images[20:32], np.random.default_rng(10)))
    ring = [*(digit_ink(image, 120) for image in images[:2]), degree(120)]
    yield "degrees", row(ring, np.random.default_rng(1), 120)[0]
    yield "junk", scribble(rng)
    yield "empty", paper((90, 120), rng)


def thick(digit):
    """Return a digit of 28 x 28 as a thick pen draws it, up to the edges."""
    large = enlarge(digit, 1.3)[4:32, 4:32]
    return 1 - np.max([np.roll(large, move, (0, 1)) for move in ((0, 0), (0, 1), (1, 0), (1, 1))], axis=0)


def touching(one, other):
    """Return two digits whose strokes meet."""
    left, right = (digit[:, digit.any(axis=0)] for digit in (one, other))
    pair = np.zeros((28, left.shape[1] + right.shape[1] - 3), np.uint8)
    pair[:, : left.shape[1]] = left
    pair[:, -right.shape[1] :] = np.maximum(pair[:, -right.shape[1] :], right)
    return 1 - 0.8 * np.pad(enlarge(pair, 3), 20)


def small_lines(digits, rng):
    """Return two lines of digits that are 17 pixels high."""
    ink = np.zeros((90, 190))
    for number, digit in enumerate(digits):
        row, column = divmod(number, len(digits) // 2)
        ink[10 + 36 * row :, 12 + 28 * column :][:24, :24] = enlarge(digit, 24 / 28)
    return paper(ink.shape, rng, grain=0.01) * (1 - 0.7 * ink)


def cell(digit):
    """Return a digit in a printed cell of a form."""
    light = 1 - 0.8 * np.pad(enlarge(digit, 3), 25)
    for sides in (np.s_[15:17, 15:-15], np.s_[-17:-15, 15:-15], np.s_[15:-15, 15:17], np.s_[15:-15, -17:-15]):
        light[sides] = 0.3
    return light


def shining_through(digit, rng):
    """Return a digit on thin paper, and above it what shines through from the other side."""
    light = paper((200, 150), rng, grain=0.005)
    light[75:187, 18:130] *= 1 - 0.8 * enlarge(digit, 4)
    for left, other in ((15, 1), (85, 5)):
        light[12:57, left : left + 45] *= 1 - 0.12 * enlarge(mnist.load_data()[1][0][other][:, ::-1], 1.6)
    return light


def scribble(rng):
    """Return a stroke that goes to and fro, which is no digit."""
    at = np.arange(3000) / 3000
    rows = 60 + 40 * np.sin(31 * at) * np.cos(9 * at)
    columns = 20 + 140 * at + 12 * np.sin(70 * at)
    light = paper((120, 180), rng, grain=0.01)
    for top, left in zip(rows.astype(int), columns.astype(int), strict=True):
        light[top : top + 4, left : left + 4] = 0.2
    return light


def write():
    """Write the pictures as 8-bit grey PNG, and what Python makes of them."""
    GOLDEN.mkdir(exist_ok=True)
    for former in GOLDEN.iterdir():
        former.unlink()
    network, finder = load_network(), load_finder()
    expected, images = {}, []
    for name, picture in sorted(pictures()):
        light = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
        Image.fromarray(light).save(GOLDEN / f"{name}.png", optimize=True)
        grey = np.divide(light, 255, dtype=np.float32)
        answer = recognize(grey, network, finder=finder)
        try:
            images.append(prepare(grey, finder))
        except ValueError:
            images.append(np.zeros((28, 28), np.float32))
        expected[name] = {"text": answer["text"], "turned": answer["turned"], "prepared": bool(images[-1].any())}
        print(f"{name}: {expected[name]}")
    (GOLDEN / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    Image.fromarray(np.round(255 * np.hstack(images)).astype(np.uint8)).save(GOLDEN / "digits.png", optimize=True)


if __name__ == "__main__":
    write()
