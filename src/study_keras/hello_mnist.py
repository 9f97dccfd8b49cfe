"""Lesson 0: the smallest network that reads handwritten digits."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")  # the engine under Keras; tensorflow works too
startup.hide_tensorflow_messages()

import keras

from study_keras import mnist

# Images (n, 28, 28) uint8 with their labels (n,) from 0 to 9: 60,000 to learn from, 10,000 to be tested on.
(x_train, y_train), (x_test, y_test) = mnist.load_data()

x_train, x_test = x_train / 255.0, x_test / 255.0  # 0 to 255 -> 0.0 to 1.0

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),  # (28, 28) -> (784,)
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),  # while training, forget a fifth of the outputs at random
        keras.layers.Dense(10, activation="softmax"),  # one probability for each digit
    ]
)

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

model.fit(x_train, y_train, epochs=5)

model.evaluate(x_test, y_test)
