"""Every export of a model, run in its real runtime; as a script, on the backend in force: MODEL FOLDER."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()

from study_keras import formats, mnist
from study_keras.formats.verify import verify
from study_keras.report import evaluation
from study_keras.train import artifacts, models


def main(path, folder):
    (x_train, _), (images, labels) = mnist.load_data()
    model = formats.load_keras(path)
    copy = formats.save_keras(model, folder / "model.keras")
    paths = artifacts.save_all(model, copy, evaluation.inputs(model, x_train[:500]))
    inputs = evaluation.inputs(model, images)
    results = {"digits": [verify(model, artifact, inputs, labels) for artifact in paths]}
    other = models.mlp()  # the same structure, other weights
    results["other"] = [verify(other, artifact, inputs[:200]) for artifact in paths]
    if keras.backend.backend() == "tensorflow":
        results["shapes"] = shapes(folder)
    print(json.dumps(results))


def shapes(folder):
    """Several inputs and outputs, in an order that is not the alphabet's; convolutions; recurrent layers."""
    layers = keras.layers
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="a_right")
    joined = layers.Concatenate()([left, right])
    two = keras.Model([left, right], [layers.Dense(2, "softmax", name="z")(joined), layers.Dense(2, name="c")(joined)])
    conv = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    found = []
    for model in (two, conv):
        arrays = [np.random.default_rng(0).random((70, *item.shape[1:]), "float32") for item in model.inputs]
        for batch in (None, 1, 32):
            for quantize in (None, "float16"):
                path = formats.export_litert(model, folder / "small.tflite", quantize, batch=batch)
                found.append(verify(model, path, arrays)["passed"])
        path = formats.export_litert(model, folder / "small.tflite", "int8", arrays)
        found.append(verify(model, path, arrays)["max_abs_diff"] < 0.05)
        found.append(verify(model, formats.export_onnx(model, folder / "small.onnx"), arrays)["passed"])
    return {"found": found}


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
