"""NumPy by hand: gradients and Adam, in place if it saves time."""

import time

import numpy as np
from work import BATCH, BETA_1, BETA_2, DROPOUT, EPOCHS, EPSILON, RATE, SEED, initial_weights, load, report

(x_train, y_train), (x_test, y_test) = load()
generator = np.random.default_rng(SEED)
start = initial_weights(generator)
ends = np.cumsum([array.size for array in start])


def parts(flat):
    """Return the two kernels and the two biases as views into one flat array, which Adam updates at once."""
    return [piece.reshape(array.shape) for piece, array in zip(np.split(flat, ends[:-1]), start, strict=True)]


weights = np.concatenate([array.ravel() for array in start])
slopes, means, squares, change = (np.zeros_like(weights) for _ in range(4))
kernel_1, bias_1, kernel_2, bias_2 = parts(weights)
slope_kernel_1, slope_bias_1, slope_kernel_2, slope_bias_2 = parts(slopes)


def backpropagate(images, labels):
    """Write the gradient of the mean cross-entropy of a batch to ``slopes``."""
    hidden = images @ kernel_1 + bias_1
    # ReLU and dropout in one mask, scaled to preserve the mean.
    mask = ((hidden > 0) & (generator.random(hidden.shape, np.float32) >= DROPOUT)) * np.float32(1 / (1 - DROPOUT))
    hidden *= mask
    logits = hidden @ kernel_2 + bias_2
    error = np.exp(logits - logits.max(1, keepdims=True))
    error /= error.sum(1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    np.matmul(hidden.T, error, out=slope_kernel_2)
    error.sum(0, out=slope_bias_2)
    back = (error @ kernel_2.T) * mask
    np.matmul(images.T, back, out=slope_kernel_1)
    back.sum(0, out=slope_bias_1)


def adam(count):
    """Update ``weights`` with Adam."""
    np.multiply(slopes, 1 - BETA_1, out=change)
    np.multiply(means, BETA_1, out=means)
    np.add(means, change, out=means)
    np.square(slopes, out=change)
    np.multiply(change, 1 - BETA_2, out=change)
    np.multiply(squares, BETA_2, out=squares)
    np.add(squares, change, out=squares)
    np.sqrt(squares, out=change)
    np.add(change, EPSILON, out=change)
    np.divide(means, change, out=change)
    np.multiply(change, RATE * np.sqrt(1 - BETA_2**count) / (1 - BETA_1**count), out=change)
    np.subtract(weights, change, out=weights)


started = time.perf_counter()
count = 0
for _ in range(EPOCHS):
    for rows in generator.permutation(len(x_train)).reshape(-1, BATCH):
        count += 1
        backpropagate(x_train[rows], y_train[rows])
        adam(count)
seconds = time.perf_counter() - started
answers = np.maximum(x_test @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2
report(seconds, (answers.argmax(1) == y_test).mean())
