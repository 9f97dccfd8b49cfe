"""Batches of examples for the two networks, from pages written with the first 55,000 training images of MNIST.

They are composed in a process of their own, beside the training: ``composed``.
"""

import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from synthetic import HELD_OUT, fonts
from synthetic.layers import EITHER
from synthetic.light import lit
from synthetic.pages import scene
from synthetic.signs import make_signs

from finder.cells import cells_of
from finder.proposals import named, proposed_views
from finder.views import views_of
from study_keras import mnist, processes
from study_keras.vision.levels import Level, contrast
from study_keras.vision.marks import NONE, Finder, Proposal, load_detector, propose, read_proposal
from study_keras.vision.prepare import normalized
from study_keras.vision.votes import may_count

SHAPES = ((96, 160), (48, 48))  # of pages; the second for pictures of one digit
KINDS = ((0.5, 0.21, 0.13, 0.16), (0.05, 0.05, 0.85, 0.05))  # of them, see ``pages.scene``
WRITTEN = 14_000  # digits by hand that pages are written with


def load_signs(seed, count=WRITTEN, held_out=False):
    """Return what pages are written with: ``count`` digits by hand, among them printed ones and others.

    ``held_out``: with digits that no network saw, and without the fonts that imitate handwriting, which all saw.
    """
    images, labels = mnist.load_data()[0]
    part = slice(-HELD_OUT, None) if held_out else slice(-HELD_OUT)
    images, labels = images[part], labels[part]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[:count]
    return make_signs(images[chosen], labels[chosen], rng, [] if held_out else fonts.handwritten())


def lit_page(signs, rng, small=False, giants=True):
    """Return a page as a scene, its light ``(h, w)``, and whether its ink is dark.

    A small page is a picture of one digit, of 24 to 48 pixels a side. ``giants``: also pages with marks that are too
    large to be found at one level, and that the scene does not name.
    """
    kinds, shape = KINDS[small], SHAPES[0]
    if small:
        high, wide = (int(side) for side in rng.integers(24, 49, 2))
        shape = high, high if rng.random() < 0.7 else wide
    one = scene(signs, rng, shape, kinds if giants else (kinds[0] + kinds[3], *kinds[1:3], 0))
    return one, *lit(one, rng)


def page(signs, rng, small=False):
    """Return a page as a scene, its contrast ``(h, w)``, and whether its ink is dark; a small one in the upper left."""
    one, light, dark = lit_page(signs, rng, small)
    plane = np.zeros(SHAPES[small], np.float32)
    plane[: light.shape[0], : light.shape[1]] = contrast(light)
    return one, plane, dark


def batches(kind, seed, batch, folder="", count=WRITTEN):
    """Yield batches for ever: planes and cells for the detector; views, labels and inks for the reader.

    ``folder`` has the trained ``detector.tflite`` that the reader shall work with.
    """
    signs, rng = load_signs([seed, 0], count), np.random.default_rng([seed, 1])
    finder = Finder(load_detector(Path(folder)), reader=None) if kind == "reader" else None
    for number in itertools.count(1):
        yield _views(signs, rng, batch, finder) if finder else _pages(signs, rng, batch, number)


def _pages(signs, rng, batch, number):
    """Return the contrast of pages, and their cells; each fifth batch has four times as many pages, small ones."""
    small = number % 5 == 0
    pages = [page(signs, rng, small) for _ in range(batch * (4 if small else 1))]
    cells = [cells_of(one, SHAPES[small], dark) for one, _, dark in pages]
    return np.array([plane for _, plane, _ in pages]), np.array(cells)


def _views(signs, rng, batch, finder):
    """Return views, labels and inks from as many pages as it takes, a third of them small."""
    parts = [], [], []
    while len(parts[0]) < batch:
        one, plane, dark = page(signs, rng, rng.random() < 0.35)
        # As they are, and as the detector proposes them.
        for found in (views_of(one, plane, dark, rng, 3), proposed_views(one, plane, finder, rng, 6)):
            for part, some in zip(parts, found, strict=True):
                part.extend(some)
    return tuple(np.array(part[:batch]) for part in parts)


def normalized_marks(count, signs, rng, finder):
    """Return marks on pages as the network of one digit is given them: ``(n, 28, 28)`` images and their labels.

    Of the marks that are no digits those are left out that the reader is sure of.
    """
    images, labels = [], []
    while len(images) < count:
        scene, plane, _ = page(signs, rng, rng.random() < 0.35)
        level = Level(plane, plane, 1.0)
        for box, score, dark in zip(*propose(level, finder), strict=True):
            label, _ = named(box, scene)
            mark = read_proposal(Proposal(0, level, box, score, dark), finder)
            if label != EITHER and (label != NONE or may_count(mark)):
                images.append(normalized(mark))
                labels.append(label)
    return np.array(images[:count]), np.array(labels[:count])


@contextmanager
def composed(kind, seed, batch, folder="", count=WRITTEN) -> Iterator[Iterator[tuple[np.ndarray, ...]]]:
    """Compose ``batches`` in another process, which ends with the block and with this process, however that ends."""
    tools = Path(__file__).parents[1]
    command = [sys.executable, "-m", "finder.examples", kind, *map(str, (seed, batch, folder, count))]
    with processes.child(command, cwd=tools, env=processes.environment(), stdout=subprocess.PIPE) as composer:
        yield iter(lambda: pickle.load(composer.stdout), None)


if __name__ == "__main__":
    processes.end_with_parent()
    _, kind, seed, batch, folder, count = sys.argv
    with suppress(BrokenPipeError):  # the training is done
        for arrays in batches(kind, int(seed), int(batch), folder, int(count)):
            sys.stdout.buffer.write(pickle.dumps(arrays, pickle.HIGHEST_PROTOCOL))
            sys.stdout.buffer.flush()
