"""The tutorial of 2019 as written, on ``tf.keras``: Keras 3 today, Keras 2 where TF_USE_LEGACY_KERAS is 1.

The only changes are the source of the data, the time measurement, and the seed.
"""

import time

import tensorflow as tf
from work import SEED, report

from study_keras import mnist

tf.keras.utils.set_random_seed(SEED)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(28, 28)),
        tf.keras.layers.Dense(128, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

started = time.perf_counter()
model.fit(x_train, y_train, epochs=5)
seconds = time.perf_counter() - started
report(seconds, model.evaluate(x_test, y_test, verbose=0)[1])
