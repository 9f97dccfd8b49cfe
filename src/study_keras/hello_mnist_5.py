"""Lesson 5: take the model to a web page and to a phone, and see that it answers the same."""

import os
import sys

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import absl.logging
import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from study_keras import files, formats, mnist

absl.logging.set_verbosity("error")  # Keras 3 calls .h5 "legacy"; we know
output = files.output_dir()
if not (output / "hello_mnist_1.h5").exists():
    sys.exit(f"{output / 'hello_mnist_1.h5'} is missing: run lesson 1 first, hello_mnist_1.py")

(_, _), (x_test, y_test) = mnist.load_data()
x_test = (x_test / 255.0).astype("float32")

model = keras.saving.load_model(output / "hello_mnist_1.h5")
model.summary()

# For a web page: a folder that TensorFlow.js loads with tf.loadLayersModel("hello_mnist_5.tfjs/model.json").
formats.export_tfjs(model, output / "hello_mnist_5.tfjs")

# For an app: one file that LiteRT (TensorFlow Lite) runs on Android and iOS. TensorFlow writes it, some 10 seconds.
formats.export_litert(model, output / "hello_mnist_5.tflite")
for path in (output / "hello_mnist_5.tfjs" / "model.json", output / "hello_mnist_5.tflite"):
    print(f"{path.relative_to(output)}: {path.stat().st_size:,} bytes")

# What an app does: open the file, give its input a name and an image, ask for its output by name.
interpreter = Interpreter(model_path=str(output / "hello_mnist_5.tflite"))
print("signature:", interpreter.get_signature_list())
run = interpreter.get_signature_runner("serving_default")
(output_name,) = run.get_output_details()
(input_name,) = run.get_input_details()
with startup.silence_output(2):  # LiteRT reports how it computes
    litert = run(**{input_name: x_test[:10]})[output_name]  # (10, 28, 28) -> (10, 10)

# The phone's answers are Keras' answers.
expected = model.predict(x_test[:10], verbose=0)
print("labels:", y_test[:10])
print("Keras: ", np.argmax(expected, axis=1))
print("LiteRT:", np.argmax(litert, axis=1))
print(f"largest difference of a probability: {np.abs(litert - expected).max():.1e}")
