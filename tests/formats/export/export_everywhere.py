"""Write every export of a model and run each in its real runtime, on the backend in force. Usage: MODEL FOLDER."""

import json
import sys
import warnings
from pathlib import Path

from study_keras.startup import import_keras

import_keras()

from study_keras import formats, mnist
from study_keras.formats.verify import verify_all
from study_keras.report import evaluation
from study_keras.runtimes.program import allow_code
from study_keras.train import artifacts, models


def main(path, folder):
    (x_train, _), (images, labels) = mnist.load_data()
    model = formats.load_keras(path)
    copy = formats.save_keras(model, folder / path.name)
    paths = artifacts.save_all(model, copy, evaluation.to_model_inputs(model, x_train[:500]))
    inputs = evaluation.to_model_inputs(model, images)
    other = models.mlp()  # the same structure, other weights
    with allow_code():  # the programs were written just now
        print(json.dumps([verify_all(model, paths, inputs, labels), verify_all(other, paths, inputs[:200])]))


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
