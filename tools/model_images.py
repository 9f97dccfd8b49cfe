"""Synthetic training images of the shipped network: photos, print, strokes, and non-digits. Reproducible by seed."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from study_keras.vision.marks import load_finder
from study_keras.vision.normalize import normalize
from study_keras.vision.prepare import prepare

# Fonts in matplotlib; the tests use other fonts.
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
LETTERS = "ACEFHKMNPRUVWXadehkmnprtuvwx&#@%*+=~<"  # without those that look like a digit


def augment(images, rng):
    """Augment ``(n, 28, 28)`` float32: rotation, scale, shear, shift, elastic distortion and stroke width.

    Unlike ``train.augmentation`` it interpolates float images and changes the stroke width.
    """
    parts = np.array_split(images, len(images) // 4000 + 1)
    warped = np.concatenate([_warped(_restroked(part, rng), rng) for part in parts])
    return warped / np.maximum(warped.max(axis=(1, 2), keepdims=True), 0.2)  # a maximum of 1, as `prepare` returns


def _restroked(images, rng):
    """Blend each image with its dilation or its erosion by one pixel."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    around = [padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]]
    thick, thin = images, images
    for neighbour in around:
        thick, thin = np.maximum(thick, neighbour), np.minimum(thin, neighbour)
    amount = rng.uniform(-1, 1, (len(images), 1, 1)).astype(np.float32)
    amount *= np.abs(amount)  # most change little
    return images + np.maximum(amount, 0) * (thick - images) - np.maximum(-amount, 0) * (images - thin)


def _warped(images, rng):
    n = len(images)
    angle, shear = rng.uniform(-0.22, 0.22, n), rng.uniform(-0.2, 0.2, n)
    zoom_y, zoom_x = np.exp(rng.uniform(-0.12, 0.14, (2, n)))
    to = np.arange(28) - 13.5
    y, x = np.meshgrid(to, to, indexing="ij")
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    from_y = (cos * y - sin * x) * zoom_y[:, None, None]
    from_x = (sin * y + cos * x) * zoom_x[:, None, None] + shear[:, None, None] * y
    spread = _interpolation_matrix(6)  # (28, 6), from a coarse grid of random displacements to pixels
    strength = rng.uniform(0, 1.6, (n, 1, 1))
    from_y += rng.uniform(-2, 2, (n, 1, 1)) + strength * (spread @ rng.uniform(-1, 1, (n, 6, 6)) @ spread.T)
    from_x += rng.uniform(-2, 2, (n, 1, 1)) + strength * (spread @ rng.uniform(-1, 1, (n, 6, 6)) @ spread.T)
    return _sample(images, from_y.astype(np.float32) + 13.5, from_x.astype(np.float32) + 13.5)


def _interpolation_matrix(points):
    place = np.linspace(0, points - 1, 28)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(points)))


def _sample(images, y, x):
    """Sample images at ``(n, 28, 28)`` coordinates with bilinear interpolation, 0 outside."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2))).reshape(len(images), -1)
    y, x = np.clip(y, -1.5, 28.5) + 2, np.clip(x, -1.5, 28.5) + 2
    top, left = y.astype(np.int32), x.astype(np.int32)
    down, across = y - top, x - left
    at = (top * 32 + left).reshape(len(images), -1)

    def take(offset):
        return np.take_along_axis(padded, at + offset, 1).reshape(y.shape)

    upper = take(0) * (1 - across) + take(1) * across
    lower = take(32) * (1 - across) + take(33) * across
    return upper * (1 - down) + lower * down


def photographed(image, rng, finder):
    """Simulate a photo of a ``(28, 28)`` uint8 digit on paper, and prepare it; None if no digit is found."""
    factor = rng.uniform(1.5, 6)
    side = round(28 * factor)
    ink = Image.fromarray(image).resize((side, round(side * rng.uniform(0.85, 1.15))), Image.Resampling.BICUBIC)
    ink = np.asarray(ink.rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)) / 255
    ink = np.pad(ink, rng.integers(2, 30, (2, 2)))
    y, x = np.linspace(-1, 1, ink.shape[0])[:, None], np.linspace(-1, 1, ink.shape[1])
    light = rng.uniform(0.6, 0.9) + rng.uniform(-0.12, 0.12) * y + rng.uniform(-0.12, 0.12) * x
    light = light * (1 - rng.uniform(0.3, 0.95) * ink ** rng.uniform(0.6, 1.6)) + rng.normal(
        0, rng.uniform(0, 0.03), ink.shape
    )
    light = np.clip(light, 0, 1)
    try:
        return prepare(light, finder)
    except ValueError:
        return None


def photos(images, rng):
    """Return ``(n, 28, 28)`` float32 photos of ``images``; images not found in their photo are only scaled."""
    finder = load_finder()
    taken = ((photographed(image, rng, finder), image) for image in images)
    return np.array([image / np.float32(255) if photo is None else photo for photo, image in taken])


def typed(count, rng, folder):
    """Return ``count`` printed digits ``(n, 28, 28)`` float32 and their labels."""
    labels = rng.integers(0, 10, count)
    return np.array([_letter(str(label), rng, folder) for label in labels]), labels


def sketched(count, rng):
    """Return ``count`` 1s with a flag and 7s ``(n, 28, 28)`` float32, two to one, and their labels.

    Most of MNIST's 1s are a single stroke, so a network trained only on them reads a 1 with a flag as 7. These images
    cover both sides of the boundary: a flag is short or steep, the bar of a 7 is long and nearly horizontal.
    """
    labels = np.where(rng.random(count) < 2 / 3, 1, 7)
    return np.array([_sketch(_one if label == 1 else _seven, rng) for label in labels]), labels


def _sketch(shape, rng):
    """Draw lines of points (x, y), with the stem from (0, 0) down to y = 1 and slightly curved segments."""
    lines, width, height = shape(rng), int(rng.integers(5, 22)), rng.uniform(80, 130)

    def draw_on(draw):
        for line in lines:
            bent = [line[0]]
            for start, end in pairwise(line):
                between = np.linspace(start, end, 9)[1:]
                bulge = rng.normal(0, 0.06) * np.sin(np.linspace(0, np.pi, 9))[1:, None]
                bent += list(between + bulge * np.array([end[1] - start[1], start[0] - end[0]]))
            draw.line([(float(100 + height * x), float(15 + height * y)) for x, y in bent], 255, width, "curve")

    return _drawing(draw_on)


def _one(rng):
    slant, length = rng.uniform(-0.12, 0.3), rng.uniform(0.15, 0.6)
    steep = rng.uniform(max(0.15, 1.7 * length - 0.25), 1.2)  # radians below horizontal: the longer, the steeper
    start, stem = (-length * np.cos(steep), length * np.sin(steep)), [(0, 0), (-slant, 1)]
    if rng.random() < 0.5:
        lines = [[start, *stem]]
    else:  # as in print: the flag ends at the side of the stem, below its top
        below = rng.uniform(0, 0.08)
        lines = [[(start[0], start[1] + below), (0, below)], stem]
    if rng.random() < 0.15:
        left, right = rng.uniform(0.1, 0.4, 2)
        lines.append([(-slant - left, 1), (right - slant, 1)])
    return lines


def _seven(rng):
    width, slant, tilt = rng.uniform(0.4, 0.75), rng.uniform(0.05, 0.6), rng.uniform(-0.12, 0.12)
    lines = [[(-width, width * tilt), (0, 0), (-slant, 1)]]
    if rng.random() < 0.3:
        lines[0].insert(0, (-width, width * tilt + rng.uniform(0.05, 0.2)))  # a serif
    if rng.random() < 0.4:
        left, right, y = *rng.uniform(0.12, 0.3, 2), rng.uniform(0.4, 0.6)
        lines.append([(-slant * y - left, y + rng.uniform(-0.03, 0.08)), (right - slant * y, y)])
    return lines


def junk(count, rng, folder, images):
    """Return ``count`` images ``(n, 28, 28)`` float32 that are no digits."""
    kinds = (_scribble, _blob, _dash, _strokes, _letters, _letters, _pair, _pair)
    return np.array([kinds[index % len(kinds)](rng, folder, images) for index in range(count)])


def _letter(text, rng, folder):
    font = ImageFont.truetype(str(Path(folder, f"{rng.choice(FONTS)}.ttf")), int(rng.integers(40, 110)))
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, 255, font)
    return normalize(np.asarray(picture) / 255)


def _letters(rng, folder, _):
    return _letter(str(rng.choice(list(LETTERS))), rng, folder)


def _drawing(draw_on):
    picture = Image.new("L", (160, 160))
    draw_on(ImageDraw.Draw(picture))
    ink = np.asarray(picture.resize((80, 80), Image.Resampling.BOX)) / 255
    return normalize(ink if ink.any() else np.ones((5, 5)))


def _scribble(rng, *_):
    steps = int(rng.integers(12, 40))
    points = 80 + np.cumsum(rng.normal(0, 22, (steps, 2)), axis=0)
    points = np.clip(points, 5, 155)
    smooth = [np.interp(np.linspace(0, steps - 1, 8 * steps), np.arange(steps), side) for side in points.T]
    width = int(rng.integers(4, 14))
    return _drawing(
        lambda draw: draw.line([tuple(map(float, p)) for p in zip(*smooth, strict=True)], 255, width, "curve")
    )


def _blob(rng, *_):
    corners = int(rng.integers(4, 14))
    angles = (
        np.sort(rng.uniform(0, 2 * np.pi, corners)) if rng.random() < 0.5 else np.arange(corners) * 2 * np.pi / corners
    )
    radii = rng.uniform(*((20, 70) if rng.random() < 0.5 else (50, 70)), corners)
    flat = rng.uniform(0.4, 1, 2)
    points = [(80 + flat[0] * r * np.cos(a), 80 + flat[1] * r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    return _drawing(lambda draw: draw.polygon([tuple(map(float, point)) for point in points], 255))


def _dash(rng, *_):
    angle, half, bend = rng.uniform(-0.5, 0.5), rng.uniform(20, 65), rng.normal(0, 4)
    ends = [(80 + s * half * np.cos(angle), 80 + s * half * np.sin(angle) + (0 if s else bend)) for s in (-1, 0, 1)]
    width = int(rng.integers(4, 26))
    return _drawing(lambda draw: draw.line([tuple(map(float, end)) for end in ends], 255, width, "curve"))


def _strokes(rng, *_):
    """Draw crossing straight strokes: crosses, stars, hashes."""
    strokes = [rng.uniform(15, 145, 4) for _ in range(rng.integers(3, 7))]
    width = int(rng.integers(4, 16))

    def draw_on(draw):
        for stroke in strokes:
            draw.line(tuple(map(float, stroke)), 255, width)

    return _drawing(draw_on)


def _pair(rng, _, images):
    """Draw two digits so close that they may touch."""
    one, other = (image[:, image.any(axis=0)] for image in images[rng.integers(0, len(images), 2)])
    over = int(rng.integers(-2, 4))
    both = np.zeros((34, one.shape[1] + other.shape[1] - over), np.uint8)
    top, low = rng.integers(0, 7, 2)
    both[top : top + 28, : one.shape[1]] = one
    part = both[low : low + 28, one.shape[1] - over :]
    np.maximum(part, other, out=part)
    return normalize(both / 255)
