"""Pages: lines, printed cells, one digit that fills the page, and marks too large to be found at one level."""

import numpy as np

from study_keras.vision.levels import SHORTEST
from synthetic.layers import Page, print_frame, print_rules, write_specks
from synthetic.lines import write_line
from synthetic.mark_shapes import Hand, drawn, random_pen

TALLEST = 44  # pixels of the longer side of a digit; the detector finds those from SHORTEST to it at one level


def scene(signs, rng, shape, kinds):
    """Return a page of ``shape`` as a scene.

    Args:
        signs: what it is written with, as ``signs.make_signs`` returns it.
        kinds: the probabilities of lines, cells, one digit, and marks that are too large.
    """
    page = Page(shape)
    (write_lines, write_cells, write_single, write_giants)[rng.choice(4, p=kinds)](page, signs, rng)
    if rng.random() < 0.12:
        write_specks(page, rng)
    if rng.random() < 0.15:
        print_rules(page, rng)
    return page.scene()


def _chosen(signs, rng, chance):
    """Return the shapes of digits with a probability of ``chance``, otherwise of others, and the number of one."""
    shapes = signs.digits if rng.random() < chance else signs.others
    return shapes, int(rng.integers(len(shapes.labels)))


def _height(rng, tallest):
    """Return a height of digits, a little smaller than can be found up to a little larger."""
    return float(np.exp(rng.uniform(np.log(SHORTEST * 0.8), np.log(TALLEST * tallest))))


def write_lines(page, signs, rng):
    """Write lines from edge to edge or shorter, some with another mark behind them, some on a rule."""
    high, wide = page.pen.shape
    height = _height(rng, 1.15)
    pen, base = random_pen(rng), rng.uniform(0.5, 1.4) * height
    step = height * rng.uniform(1.25, 2.2)
    while base < high + 0.2 * height:
        left = round(rng.uniform(-0.3, 2.0) * height)
        room = max(1, int((wide - left) / (0.75 * height)))
        count = int(rng.integers(1, room + 2))
        hand = Hand(height, pen, rng.normal(0.08, 0.12))
        end = write_line(page, lambda: _chosen(signs, rng, 0.85), hand, rng, (left, base, count))
        if rng.random() < 0.25:
            _write_behind(page, signs.others, hand, rng, (end, base))
        if rng.random() < 0.12:
            print_rules(page, rng, base + rng.uniform(-0.6, 0.2) * height)
        base += step
        if rng.random() < 0.3:
            break


def _write_behind(page, others, hand, rng, place):
    """Write what is no digit behind a line that ends at ``place``: left and base."""
    left, base = place
    which = int(rng.integers(len(others.labels)))
    tall = hand.height * rng.uniform(0.7, 2.0)
    ink = drawn(others, which, Hand(tall, None if rng.random() < 0.5 else hand.pen), rng)
    page.write(ink, round(left + rng.uniform(0.3, 1) * hand.height), round(base - len(ink) * rng.uniform(0.6, 1.1)))


def write_cells(page, signs, rng):
    """Print a grid or single boxes, and write a mark in each or nothing."""
    high, wide = page.pen.shape
    height = _height(rng, 1.1)
    cell_w, cell_h = (round(height * rng.uniform(1.05, 2.4)) for _ in range(2))
    thick, strength = max(1, round(height * rng.uniform(0.02, 0.12))), rng.uniform(0.4, 1)
    insets = (0, 2 * thick + 1) if rng.random() < 0.3 else (0,)  # double lines
    gap = 0 if rng.random() < 0.6 else round(rng.uniform(0.1, 0.6) * height)
    left0, top0, pen = round(rng.uniform(-1, 0.6) * cell_w), round(rng.uniform(-1, 0.6) * cell_h), random_pen(rng)
    for top in range(top0, high, cell_h + gap):
        for left in range(left0, wide, cell_w + gap):
            for inset in insets:
                frame = left + inset, top + inset, cell_w - 2 * inset, cell_h - 2 * inset
                print_frame(page, frame, thick, strength)
            if rng.random() < 0.85:
                _fill_cell(page, signs, Hand(height, pen), rng, (left, top, cell_w, cell_h))


def _fill_cell(page, signs, hand, rng, cell):
    left, top, width, height = cell
    shapes, which = _chosen(signs, rng, 0.9)
    tall = min(hand.height * rng.uniform(0.8, 1.1), 0.95 * height)
    ink = drawn(shapes, which, Hand(tall, hand.pen, rng.normal(0.08, 0.14)), rng)
    x = left + round((width - ink.shape[1]) * np.clip(rng.normal(0.5, 0.2), -0.05, 1.05))
    y = top + round((height - len(ink)) * np.clip(rng.normal(0.5, 0.2), -0.05, 1.05))
    page.write(ink, x, y, int(shapes.labels[which]))


def write_single(page, signs, rng):
    """Write one digit that fills the page more or less, as in paint programs and scans; on four of ten, no digit."""
    high, wide = page.pen.shape
    shapes, which = _chosen(signs, rng, 0.6)
    longest = min(TALLEST * 1.1, min(high, wide) * rng.uniform(0.85, 1.02))
    tall = max(rng.uniform(0.45, 1) * longest, SHORTEST * 0.8)
    pen = random_pen(rng) if rng.random() < 0.8 else rng.uniform(0.08, 0.17)
    ink = drawn(shapes, which, Hand(tall, pen, rng.normal(0.03, 0.12)), rng)
    if len(ink) > high or ink.shape[1] > wide:
        if rng.random() >= 0.1:
            ink = drawn(shapes, which, Hand(0.8 * min(high, wide), pen), rng)
        ink = ink[:high, :wide]
    x, y = (
        round((page_side - side) * np.clip(rng.normal(0.5, 0.25), 0, 1))
        for page_side, side in zip((wide, high), ink.shape[::-1], strict=True)
    )
    page.write(ink, x, y, int(shapes.labels[which]))
    chance = rng.random()
    if chance < 0.08:
        print_rules(page, rng)
    elif chance < 0.2:
        left, top = rng.integers(-2, 5, 2)
        frame = left, top, wide - 2 * left, high - 2 * top
        print_frame(page, frame, int(rng.integers(1, 4)), rng.uniform(0.4, 1))


def write_giants(page, signs, rng):
    """Write up to three marks that are too large to be found at this level, without naming them, or nothing."""
    high, wide = page.pen.shape
    for _ in range(rng.integers(0, 4)):
        shapes = signs.digits if rng.random() < 0.8 else signs.others
        tall = float(np.exp(rng.uniform(np.log(65), np.log(350))))
        pen = float(np.exp(rng.uniform(np.log(0.012), np.log(0.07)))) if rng.random() < 0.8 else None
        which = int(rng.integers(len(shapes.labels)))
        ink = drawn(shapes, which, Hand(tall, pen, rng.normal(0.08, 0.12)), rng)
        page.write(ink, round(rng.uniform(-ink.shape[1], wide)), round(rng.uniform(-len(ink), high)))
