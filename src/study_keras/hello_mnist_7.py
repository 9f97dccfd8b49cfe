"""Lesson 7: better: one change at a time, three seeds each, compared on held-out images."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import keras
import numpy as np
from keras import layers

from study_keras import mnist
from study_keras.train import augmentation

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_few, y_few = x_train[:6000], y_train[:6000]  # a tenth to learn from, so that 18 trainings take a minute
x_held_out, y_held_out = x_train[50_000:] / 255.0, y_train[50_000:]  # 10,000 others to compare on


def train(seed, *, one_cycle=True, convolution=True, normalization=True, augment=False, epochs=3):
    keras.utils.set_random_seed(seed)
    x, y = np.concatenate([x_few] * epochs), np.concatenate([y_few] * epochs)
    x = augmentation.warp_images(x, {"shift": 1.5, "rotation": 12, "scale": 0.1}, [seed]) if augment else x / 255.0
    batch_size, rate = 32, 0.001  # the tutorial's
    if one_cycle:  # larger steps: up to 0.008 in a fifth of the training, then down to nearly 0
        batch_size, steps = 100, len(x) // 100
        cosine = {"decay_steps": steps * 4 // 5, "warmup_steps": steps // 5, "warmup_target": 0.008}
        rate = keras.optimizers.schedules.CosineDecay(0.0008, **cosine)
    body = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.2)]
    if convolution:
        body = [layers.Reshape((28, 28, 1))]  # one channel: grey
        for filters, size in ((24, 5), (48, 3)):
            body += [layers.Conv2D(filters, size, strides=2)]  # (28, 28, 1) -> (12, 12, 24) -> (5, 5, 48)
            body += [layers.BatchNormalization(momentum=0.9), layers.ReLU()] if normalization else [layers.ReLU()]
        body += [layers.Flatten(), layers.Dense(128, activation="relu")]
    model = keras.Sequential([keras.Input((28, 28)), *body, layers.Dense(10, activation="softmax")])
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=batch_size, verbose=0)
    return model


changes = {
    "the tutorial": {"one_cycle": False, "convolution": False},
    "batch 100, one cycle": {"convolution": False},
    "+ convolution": {"normalization": False},
    "+ batch normalization": {},
    "+ augmentation": {"augment": True},
    "+ 12 epochs": {"augment": True, "epochs": 12},
}
trained = {}  # by their mean accuracy
for name, settings in changes.items():
    models = [train(seed, **settings) for seed in (1, 2, 3)]
    accuracies = [model.evaluate(x_held_out, y_held_out, verbose=0)[1] for model in models]
    print(f"{name:22} held out: {np.mean(accuracies):.4f}, spread: {np.std(accuracies, ddof=1):.4f}", flush=True)
    trained[np.mean(accuracies)] = models
# The choice is made; only now the test images, once.
accuracies = [model.evaluate(x_test / 255.0, y_test, verbose=0)[1] for model in trained[max(trained)]]
print(f"the best of them, test: {np.mean(accuracies):.4f}, spread: {np.std(accuracies, ddof=1):.4f}")
