"""Write tests/golden/: small pictures, and what CONTRACT 1 makes of them. Run only with a new contract or picture.

    python tests/vision/golden_vectors.py

``digits.png`` holds the answers side by side, 28 pixels each, in the order of the pictures' names.
"""

import numpy as np
from PIL import Image
from scenes import ROOT, enlarge, paper

from study_keras import mnist
from study_keras.vision.prepare import prepare

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
    ruled = np.pad(enlarge(images[3], 5), 10)
    ruled = paper(ruled.shape, rng, grain=0.01) * (1 - 0.7 * ruled)
    ruled[::40] *= 0.6
    yield "ruled", ruled
    small = np.full((520, 300), 0.9)
    small[300:356, 40:96] -= 0.7 * enlarge(images[4], 2)
    yield "small", small
    yield "dot", np.pad(np.zeros((3, 3)), 20, constant_values=1)
    yield "bar", np.pad(np.ones((4, 90)), ((30, 40), (5, 5)))


def write():
    """Write the pictures as 8-bit grey PNG, and the answers."""
    GOLDEN.mkdir(exist_ok=True)
    answers = {}
    for name, grey in pictures():
        light = np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)
        Image.fromarray(light).save(GOLDEN / f"{name}.png", optimize=True)
        answers[name] = prepare(np.divide(light, 255, dtype=np.float32))
    sheet = np.hstack([answers[name] for name in sorted(answers)])
    Image.fromarray(np.round(255 * sheet).astype(np.uint8)).save(GOLDEN / "digits.png", optimize=True)


if __name__ == "__main__":
    write()
