"""Lesson 3: watch the training, with checkpoints, TensorBoard, and a plot of the history."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import shutil

import keras

from study_keras import files, mnist
from study_keras.report import plots
from study_keras.train import callbacks

output = files.output_dir()
logs = output / "hello_mnist_3.logs"
shutil.rmtree(logs, ignore_errors=True)  # or TensorBoard would show the last run's curves in this one's

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
model.summary()

# `fit` calls these after every epoch. Keras 3 has lost two of them, so they come from this project's library:
# weights every second epoch (`period` is gone, and so are TensorFlow checkpoints), and the gradients
# (`write_grads` is gone).
watchers = [
    callbacks.SaveEvery(output / "hello_mnist_3-{epoch:04d}.ckpt", epochs=2, say=print),
    keras.callbacks.TensorBoard(logs, histogram_freq=1, write_graph=True, write_images=True),
    callbacks.LogGradients(logs, x_train[:1000], y_train[:1000]),
]
history = model.fit(x_train, y_train, epochs=6, validation_split=0.1, callbacks=watchers)
model.evaluate(x_test, y_test)

plot = plots.save(plots.history(history.history), output / "hello_mnist_3_history.png")
plots.show(plot)

print("The history:", plot)
print("To see the rest, type:")
print(f"tensorboard --logdir {logs}")
