"""Lesson 6: from pixels to numbers by hand: what `fit` does, in NumPy."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import keras
import numpy as np

from study_keras import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train, x_test))  # (n, 28, 28) -> (n, 784)

keras.utils.set_random_seed(6)  # the same first weights in each run
layers = [keras.Input((784,)), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")]
model = keras.Sequential(layers)  # the tutorial's network without dropout
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")

weights = model.get_weights()  # (784, 128), (128,), (128, 10), (10,): a copy, both begin with the same
means, squares = ([np.zeros_like(weight) for weight in weights] for _ in range(2))  # Adam's memory


def forward(x):
    w1, b1, w2, b2 = weights
    hidden = np.maximum(x @ w1 + b1, 0)  # relu: (n, 784) -> (n, 128)
    scores = hidden @ w2 + b2  # (n, 128) -> (n, 10)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))  # the largest is e**0, so none overflows
    return hidden, powers / powers.sum(axis=1, keepdims=True)  # softmax


def train_step(x, y, step):
    hidden, probabilities = forward(x)
    one_hot = np.eye(10, dtype="float32")[y]  # (n,) -> (n, 10)
    loss = -np.log(probabilities[one_hot == 1]).mean()
    d_scores = (probabilities - one_hot) / len(x)  # how the loss changes with each score: (n, 10)
    d_hidden = d_scores @ weights[2].T * (hidden > 0)  # and with each hidden unit: (n, 128)
    gradients = x.T @ d_hidden, d_hidden.sum(axis=0), hidden.T @ d_scores, d_scores.sum(axis=0)
    rate = 0.001 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)  # the averages begin at 0: correct that
    for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
        mean[:] = 0.9 * mean + 0.1 * gradient
        square[:] = 0.999 * square + 0.001 * gradient**2
        weight[:] = weight - rate * mean / (np.sqrt(square) + 1e-7)
    return loss


# The first 320 images in the same ten batches: once with `fit`, once by hand.
history = model.fit(x_train[:320], y_train[:320], batch_size=32, shuffle=False, verbose=0)
losses = [train_step(x_train[i : i + 32], y_train[i : i + 32], i // 32 + 1) for i in range(0, 320, 32)]
print(f"loss, Keras:   {history.history['loss'][0]:.5f}")
print(f"loss, by hand: {np.mean(losses):.5f}")
pairs = zip(weights, model.get_weights(), strict=True)
print(f"largest difference of a weight: {max(np.abs(ours - theirs).max() for ours, theirs in pairs):.1e}")

for step, batch in enumerate(np.random.permutation(60000).reshape(-1, 32), start=11):
    train_step(x_train[batch], y_train[batch], step)
print(f"one epoch by hand, accuracy: {np.mean(forward(x_test)[1].argmax(axis=1) == y_test):.4f}")
