"""Photos of numbers with their true answers: MNIST's test digits on paper, and fonts. Run it for the figures:

python tests/vision/photos.py
"""

import io
import sys
from collections import Counter
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scenes import ROOT, enlarge, paper

from study_keras import mnist
from study_keras.vision.classifier import load_network
from study_keras.vision.marks import load_finder
from study_keras.vision.recognize import recognize

FONTS = ROOT / "tests/browser/node_modules/@fontsource"
LIKE_HANDWRITING = (
    "architects-daughter", "caveat", "gochi-hand", "indie-flower", "kalam", "patrick-hand", "shadows-into-light"
)  # fmt: skip
PRINT = ("roboto", "roboto-mono", "source-serif-pro")


def encode(picture, kind="PNG", **options):
    """The bytes of a Pillow picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def encoded(light, kind="PNG", **options):
    """The bytes of a picture of (h, w) floats in [0, 1]."""
    return encode(Image.fromarray(np.round(255 * np.clip(light, 0, 1)).astype(np.uint8)), kind, **options)


def photo(ink, rng, degrees=10.0):
    """(h, w) ink in [0, 1] in a pen of its own on paper, turned, as the bytes of a JPEG."""
    turned = Image.fromarray(np.round(255 * ink).astype(np.uint8))
    turned = turned.rotate(rng.uniform(-degrees, degrees), Image.Resampling.BICUBIC, expand=True)
    ink = np.pad(np.asarray(turned) / 255, rng.integers(5, 40, (2, 2)))
    return encoded(paper(ink.shape, rng) * (1 - rng.uniform(0.4, 0.9) * ink), "JPEG", quality=90)


def single(digit, rng):
    """A photo of one (28, 28) uint8 digit, 3 to 10 times as large."""
    return photo(enlarge(digit, rng.uniform(3, 10)), rng)


def line(digits, rng):
    """A photo of (n, 28, 28) uint8 digits, each turned, 1 to 7 of MNIST's pixels apart, not level; then all turned."""
    strip, at = np.zeros((40, 32 * len(digits) + 8), np.uint8), 4
    for digit in digits:
        turned = np.asarray(Image.fromarray(digit).rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC))
        columns, top = np.flatnonzero((turned > 40).any(axis=0)), rng.integers(3, 9)
        cut = turned[:, columns[0] : columns[-1] + 1]
        place = strip[top : top + 28, at : at + cut.shape[1]]
        np.maximum(place, cut, out=place)
        at += cut.shape[1] + rng.integers(1, 8)
    return photo(enlarge(strip[:, : at + 4], rng.uniform(2, 5)), rng)


def fontsource(font):
    """The path of a font of @fontsource."""
    return FONTS / font / "files" / f"{font}-latin-400-normal.woff"


def typed(text, path, rng):
    """A photo of ``text`` in the font at ``path``."""
    face = ImageFont.truetype(path, int(rng.integers(50, 120)))
    left, top, right, bottom = face.getbbox(text)
    picture = Image.new("L", (int(right - left) + 20, int(bottom - top) + 20))
    ImageDraw.Draw(picture).text((10 - left, 10 - top), text, 255, face)
    return photo(np.asarray(picture) / 255, rng, degrees=5)


def reader(*path):
    """Return ``recognize`` as a function of the picture, with the shipped network or the one at ``path``."""
    return partial(recognize, network=load_network(*path), finder=load_finder())


def read_singles(read, count, seed=1):
    """Return (truth, text) of photos of single test digits."""
    return read_each(read, single, count, seed)


def read_each(read, take, count, seed):
    """Return (truth, text) of ``count`` test digits, each in a picture that ``take`` makes with a generator."""
    (images, labels), rng = mnist.load_data()[1], np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[:count]
    return [(str(labels[one]), read(take(images[one], rng))["text"]) for one in chosen]


def read_lines(read, count, take=line, length=6, seed=2):
    """Return (truth, text) of ``length`` test digits in a line, in a picture that ``take`` makes with a generator."""
    (images, labels), rng = mnist.load_data()[1], np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[: length * count].reshape(count, length)
    return [("".join(map(str, labels[some])), read(take(images[some], rng))["text"]) for some in chosen]


def read_typed(read, font, count, seed=3):
    """Return (truth, text) of photos of six typed digits in a line, each digit as often."""
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.permutation(10) for _ in range(-(-6 * count // 10))])[: 6 * count].reshape(count, 6)
    texts = ["".join(map(str, six)) for six in drawn]
    return [(text, read(typed(text, fontsource(font), rng))["text"]) for text in texts]


def right(answers):
    """The fraction of answers without an error."""
    return sum(truth == text for truth, text in answers) / len(answers)


def failures(answers):
    """How many answers failed in which way: the number of digits, or a digit taken for another."""
    found = Counter()
    for truth, text in answers:
        if len(text) != len(truth):
            kind = "too few digits" if len(text) < len(truth) else "too many digits"
            found["two lines for one" if "\n" in text else kind] += 1
        else:
            found.update(f"{one} read as {other}" for one, other in zip(truth, text, strict=True) if one != other)
    return ", ".join(f"{kind} ({count})" for kind, count in found.most_common())


def main():
    read = reader(*sys.argv[1:])
    sets = {"single handwritten digits": read_singles(read, 1000), "handwritten lines": read_lines(read, 400)}
    sets |= {f"{font}, lines": read_typed(read, font, 50) for font in LIKE_HANDWRITING + PRINT}
    for name, answers in sets.items():
        print(f"{name:30} {100 * right(answers):6.1f} % of {len(answers):4}   {failures(answers)}")


if __name__ == "__main__":
    main()
