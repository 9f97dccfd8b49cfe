"""The task of all peers: the tutorial's network on MNIST, and the line of JSON with the result."""

import json
import sys

import numpy as np

from study_keras import mnist

PIXELS, HIDDEN, CLASSES = 784, 128, 10
DROPOUT = 0.2
IMAGES, EPOCHS, BATCH = 60_000, 5, 32
# A multiplication and an addition per weight forward, as many for its gradient, and for the weights of the second layer
# as many again for the gradient of the hidden units.
FLOP = 2 * (2 * (PIXELS * HIDDEN + HIDDEN * CLASSES) + HIDDEN * CLASSES) * IMAGES * EPOCHS
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7  # Keras' Adam
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1


def load():
    """Return MNIST as flat images: ``(n, 784)`` float32 in [0, 1], ``(n,)`` int32, for each part."""
    return [
        (np.divide(images, 255, dtype=np.float32).reshape(-1, PIXELS), labels.astype(np.int32))
        for images, labels in mnist.load_data()
    ]


def initial_weights(generator):
    """Return kernels and biases as Keras initializes them: Glorot uniform, and zeros."""
    weights = []
    for inputs, outputs in ((PIXELS, HIDDEN), (HIDDEN, CLASSES)):
        limit = np.sqrt(6 / (inputs + outputs))
        weights.append(generator.uniform(-limit, limit, (inputs, outputs)).astype(np.float32))
        weights.append(np.zeros(outputs, np.float32))
    return weights


def report(fit_seconds, accuracy, **more):
    """Print the result: the seconds of training with compilation, the accuracy on the test images, and ``more``."""
    print(json.dumps({"fit_seconds": round(fit_seconds, 3), "accuracy": round(float(accuracy), 4), **more}))
