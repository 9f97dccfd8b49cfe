"""Train the networks that the package ships, and write them with their card: make model

With --keep, write the files again from the last training, whose results are in ``output``.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster backend for convolutions
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import digits_network
import model_card
import numpy as np
import reader_networks
from finder.networks import load
from synthetic import fonts

from study_keras import files, formats
from study_keras.vision.marks import SHIPPED, load_finder

# Bytes make the page's copies half as large as float16.
PAGE_WEIGHTS = "uint8"
# For each network the batch size of its .tflite file and the weights of its .tfjs copy. A page requires a fixed batch
# size in LiteRT; the detector has none, because it takes pictures of any size.
EXPORTS = {"digits": (1, PAGE_WEIGHTS), "detector": (None, PAGE_WEIGHTS), "reader": (1, PAGE_WEIGHTS)}


def main():
    if sys.argv[1:] != ["--keep"]:
        fonts.require()
        for kind in reader_networks.RECIPES:
            reader_networks.train(kind)
        with files.temporary_folder() as folder:
            export_litert(finder_networks(), folder)
            digits_network.train_and_save(load_finder(folder))
    output = files.output_dir()
    networks = {"digits": in_bytes(formats.load(output / "digits.keras")), **finder_networks()}
    trainings = {name: json.loads((output / f"{name}.json").read_text()) for name in networks}
    card = write(networks, trainings)
    print(json.dumps({name: card[name] for name in ("accuracy", "pages", "total_bytes")}, indent=2))


def finder_networks():
    """Return the detector and the reader as they were last trained."""
    networks = {kind: load(kind, files.output_dir() / f"{kind}.weights.h5") for kind in reader_networks.RECIPES}
    return {kind: in_bytes(network) for kind, network in networks.items()}


def in_bytes(network):
    """Return a network with its weights rounded to the page's bytes.

    So the files for Python and for the page have the same weights, and read the same.
    """
    network.set_weights([rounded(array) for array in network.get_weights()])
    return network


def rounded(array):
    """Return weights rounded to 256 values, as TensorFlow.js stores them in bytes."""
    step = (array.max() - array.min()) / 255
    return array if step == 0 else np.round((array - array.min()) / step) * step + array.min()


def export_litert(networks, folder):
    for name, network in networks.items():
        formats.export_litert(network, folder / f"{name}.tflite", quantize="float16", batch=EXPORTS[name][0])


def write(networks, trainings, folder=SHIPPED):
    """Export the networks to LiteRT and TensorFlow.js, measure the LiteRT models, and write and return the card."""
    export_litert(networks, folder)
    for name, network in networks.items():
        formats.export_tfjs(network, folder / f"{name}.tfjs", quantize=EXPORTS[name][1])
    described = {name: {"weights": network.count_params(), **trainings[name]} for name, network in networks.items()}
    card = model_card.card(described, EXPORTS, folder)
    files.write(folder / "card.json", json.dumps(card, indent=2) + "\n")
    files.write(folder / "README.md", model_card.text(card))
    return card


if __name__ == "__main__":
    main()
