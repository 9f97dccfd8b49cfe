"""Keras' own ``fit`` on the backend in KERAS_BACKEND, with the settings under which it is fastest there."""

import time

import keras
from work import BATCH, EPOCHS, SEED, load, report

# Steps in one call of the compiled function: 125 divides the 1,875 steps of an epoch.
STEPS = {"tensorflow": 125, "jax": 125, "torch": 1}

(x_train, y_train), (x_test, y_test) = load()
keras.utils.set_random_seed(SEED)
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    "adam",
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
    steps_per_execution=STEPS[keras.backend.backend()],
)

started = time.perf_counter()
model.fit(x_train, y_train, BATCH, EPOCHS, verbose=0)
seconds = time.perf_counter() - started
report(seconds, model.evaluate(x_test, y_test, verbose=0)[1])
