"""Exports that are proven, and some that must be refused, on TensorFlow; as a script: FOLDER. Prints JSON."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()

from keras import layers

from study_keras import formats
from study_keras.formats.verify import verify_all

SUFFIXES = (".onnx", ".tflite", ".savedmodel")


class Sly(keras.layers.Layer):
    """Traces to another answer than it gives: the file is sound, and wrong."""

    def call(self, inputs):
        import tensorflow as tf

        return inputs * (2.0 if tf.executing_eagerly() else 2.1)


def main(folder):
    print(json.dumps({"proofs": proofs(folder), "refusals": refusals(folder), "rows": rows(folder)}))


def proofs(folder):
    """What is told of a right export, for each format, quantized ones too."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3)])
    told = []
    images = np.random.default_rng(0).random((20, 6), "float32")
    for suffix in SUFFIXES:
        formats.save(model, folder / f"right{suffix}", prove=told.append)
    for quantize in ("float16", "dynamic", "int8"):
        path = folder / f"right_{quantize}.tflite"
        options = {"images": images} if quantize == "int8" else {}
        formats.export_litert(model, path, quantize, **options, prove=told.append)
    return [[proof.runtime, proof.examples, proof.difference, proof.random] for proof in told]


def refusals(folder):
    """What is said of a model that answers otherwise, and what stands in the folder then."""
    found = {}
    for suffix in SUFFIXES:
        place = folder / suffix[1:]
        place.mkdir()
        model = keras.Sequential([keras.Input((2,)), layers.Dense(3), Sly()])
        path = place / f"model{suffix}"
        try:
            formats.save(model, path)
            found[suffix] = "written"
        except ValueError as error:
            found[suffix] = str(error)
        left = [file.name for file in place.iterdir()]
        formats.save(model, path, prove=False)
        before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
        try:
            formats.save(model, path)
        except ValueError:
            left += [file.name for file, content in before.items() if file.read_bytes() != content]
        found[suffix] = [found[suffix], left, path.exists()]
    return found


def rows(folder):
    """The rows of models of several kinds, on random inputs, without data."""
    found = {}
    for name, model in models().items():
        paths = [formats.save(model, folder / f"{name}{suffix}") for suffix in (*SUFFIXES, ".keras", ".h5")]
        found[name] = verify_all(model, paths)
        if name == "regression":
            bare = without_signature(paths[1], folder / "bare.tflite")
            found["without a signature"] = verify_all(model, [bare])
    other = models()["regression"]
    found["of another model"] = verify_all(other, [folder / f"regression{suffix}" for suffix in SUFFIXES])
    function = formats.load(folder / "regression.savedmodel")
    found["a SavedModel as the model"] = verify_all(function, [folder / "regression.savedmodel"])
    return found


def models():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    text = layers.GlobalMaxPooling1D()(layers.Embedding(30, 4)(tokens))
    age, job = keras.Input((), name="age"), keras.Input((3,), dtype="int32", name="job")
    embedded = layers.Flatten()(layers.Embedding(7, 2)(job))
    joined = layers.Concatenate()([layers.Reshape((1,))(age), embedded])
    wide = [keras.Input((None, None, 3)), layers.Conv2D(4, 5, strides=2), layers.Conv2D(4, 3, strides=2)]
    return {
        "text": keras.Model(tokens, layers.Dense(3, activation="softmax")(text)),
        "dicts": keras.Model(
            {"age": age, "job": job}, {"price": layers.Dense(1, name="price")(joined), "twice": joined * 2.0}
        ),
        "open": keras.Sequential([*wide, layers.GlobalAveragePooling2D(), layers.Dense(2)]),
        "regression": keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.Dense(2)]),
        "fixed": keras.Sequential([keras.Input(batch_shape=(4, 5)), layers.Dense(2)]),
    }


def without_signature(path, bare):
    """Take the signature out of a LiteRT file, as in those that TensorFlow 1 wrote."""
    from tensorflow.lite.tools import flatbuffer_utils

    content = flatbuffer_utils.read_model(str(path))
    content.signatureDefs = None
    flatbuffer_utils.write_model(content, str(bare))
    return bare


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    main(Path(sys.argv[1]))
