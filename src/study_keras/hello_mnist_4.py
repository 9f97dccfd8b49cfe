"""Lesson 4: one-hot labels."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import keras
import numpy as np

from study_keras import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

# A label can be a number, 5, or a row that is 1 at place 5 and 0 elsewhere: "one-hot".
print("labels:", y_train[:10])
one_hot_train = keras.utils.to_categorical(y_train, 10)  # (60000,) -> (60000, 10)
one_hot_test = keras.utils.to_categorical(y_test, 10)
print("one-hot:", one_hot_train[:10], sep="\n")

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)

# The loss goes with the labels: without "sparse_" it wants one-hot rows.
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

model.fit(x_train, one_hot_train, epochs=5)
print("evaluate:", model.evaluate(x_test, one_hot_test))

predictions = np.argmax(model.predict(x_test), axis=1)  # back from a row to a number
(differences,) = np.nonzero(predictions != y_test)
print("differences:", len(differences))
print(differences.tolist())
