"""Lesson 1: look at the network, save it, load it, and find its mistakes."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import absl.logging
import keras
import numpy as np

from study_keras import files, mnist
from study_keras.report import plots

absl.logging.set_verbosity("error")  # Keras 3 calls .h5 "legacy" at every save; we know, and want it here
output = files.output_dir()

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# What is it made of? As a table, and as a picture.
model.summary()
plots.plot_model(model, output / "hello_mnist_1_model_plot.png")

# How did the training go? `fit` returns the loss and the accuracy of every epoch.
history = model.fit(x_train, y_train, epochs=5)
print("history:", history.history.keys())
print(history.history)
print("evaluate:", model.evaluate(x_test, y_test))

# Save all of it (structure, weights, optimizer) in one file, and load it back.
model.save(output / "hello_mnist_1.h5")
loaded = keras.saving.load_model(output / "hello_mnist_1.h5")
loaded.summary()
print("evaluate, loaded:", loaded.evaluate(x_test, y_test))

# Where is it wrong? The prediction is the digit with the highest probability.
predictions = np.argmax(loaded.predict(x_test), axis=1)  # (10000, 10) -> (10000,)
(differences,) = np.nonzero(predictions != y_test)
print("differences:", len(differences))
print(differences.tolist())
