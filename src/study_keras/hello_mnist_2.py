"""Lesson 2: keep the structure of a network and its weights apart, and put them together again."""

import os

from study_keras import startup

os.environ.setdefault("KERAS_BACKEND", "jax")
startup.hide_tensorflow_messages()

import keras

from study_keras import files, formats, mnist

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
model.fit(x_train, y_train, epochs=5)

# The structure as JSON: Keras writes it and reads it. The model that comes back has fresh weights.
(output / "hello_mnist_2.model.json").write_text(model.to_json(indent=2))
json_model = keras.models.model_from_json((output / "hello_mnist_2.model.json").read_text())

# The structure as YAML: Keras removed it, because its loader ran any code that the file named. Ours cannot.
formats.save(model, output / "hello_mnist_2.model.yaml")
yaml_model = formats.load(output / "hello_mnist_2.model.yaml")

# Keras 3 also writes how the model was compiled, Keras 2 did not: whoever compiles again depends on neither.
for loaded in (json_model, yaml_model):
    loaded.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# The weights as a TensorFlow checkpoint, two files: Keras 3 lost it together with `save_format="tf"`.
formats.save(model, output / "hello_mnist_2.weights")
formats.load_weights(json_model, output / "hello_mnist_2.weights")

# The weights as HDF5: Keras has this one. Its own `load_weights` would do, and warn that Adam is still fresh.
model.save_weights(output / "hello_mnist_2.weights.h5")
formats.load_weights(yaml_model, output / "hello_mnist_2.weights.h5")

# The same network three times.
print("evaluate, original:         ", model.evaluate(x_test, y_test, verbose=0))
print("evaluate, JSON + checkpoint:", json_model.evaluate(x_test, y_test, verbose=0))
print("evaluate, YAML + H5:        ", yaml_model.evaluate(x_test, y_test, verbose=0))
