"""The model.json of a TF.js model is compared with its shards before they are read."""

import json
import os

import keras
import pytest
from conftest import check_refused

from study_keras import formats, limits

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


def edited(change):
    def edit(folder):
        content = json.loads((folder / "model.json").read_text())
        change(content)
        (folder / "model.json").write_text(json.dumps(content))

    return edit


def weight(**values):
    return edited(lambda content: content["weightsManifest"][0]["weights"][0].update(values))


TFJS = {
    "a shape with more than the shards": (weight(shape=[2**40]), "needs 4,398,046,511,104 bytes"),
    "a shape with a little more than the shards": (
        weight(shape=[5, 2]),
        "its weights have 48 bytes, but the shards 40",
    ),
    "a negative size": (weight(shape=[-4, -2]), "whole numbers"),
    "true as a size": (weight(shape=[True, 8]), "whole numbers"),
    "no shape": (weight(shape=None), "the shape"),
    "a name that is a number": (weight(name=5), "expected text"),
    "a type that is a list": (weight(dtype=[]), "has type"),
    "a scale without a minimum": (weight(quantization={"dtype": "uint8", "scale": 1}), "expected both or none"),
    "an infinite scale": (
        weight(quantization={"dtype": "uint8", "scale": float("inf"), "min": 0}),
        "expected a number",
    ),
    "a minimum that is no number": (
        weight(quantization={"dtype": "uint8", "scale": 1, "min": float("nan")}),
        "expected a number",
    ),
    "a scale that is text": (weight(quantization={"dtype": "uint8", "scale": "1"}), "expected a number"),
    "no list of groups": (edited(lambda content: content.update(weightsManifest={"a": 1})), "a list of objects"),
    "paths that are one text": (
        edited(lambda content: content["weightsManifest"][0].update(paths="group1")),
        "a list of file names",
    ),
    "a shard a million times": (
        edited(
            lambda content: content["weightsManifest"][0].update(paths=content["weightsManifest"][0]["paths"] * 9**6)
        ),
        "names the same shard twice",
    ),
    "a shard that never ends": (
        lambda folder: [(shard.unlink(), shard.symlink_to("/dev/zero")) for shard in folder.glob("*.bin")],
        "a device",
    ),
    "lists in lists": (lambda folder: (folder / "model.json").write_text("[" * 100_000), "nested deeper"),
    "a text without end": (
        lambda folder: os.truncate(folder / "model.json", limits.MAX_JSON_BYTES + 1),
        "expected at most",
    ),
}


@pytest.mark.parametrize("kind", TFJS)
@pytest.mark.parametrize("read", [formats.load, formats.open], ids=["Keras", "TF.js"])
def test_a_tfjs_folder_is_checked_before_its_shards_are_read(kind, read, tmp_path):
    edit, message = TFJS[kind]
    folder = formats.save(MODEL, tmp_path / "m.tfjs", prove=False)
    edit(folder)
    check_refused(read, folder, message)
