"""Changed files of every format: a minute of new ones, and the kinds that once got through."""

import json
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from conftest import ROOT

from study_keras import formats
from study_keras.formats.saving import weights
from study_keras.formats.verify import verify
from study_keras.vision import image_io


@pytest.mark.slow
def test_a_minute_of_changed_files_is_read_or_refused_in_one_line(tmp_path):
    command = [sys.executable, ROOT / "tests/fuzz/fuzz.py", "--seconds", "60", "--output", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)], name="m")


def dense(**more):
    layer = {"class_name": "Dense", "config": {"name": "d", "units": 2}, **more}
    entry = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "in"}}
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [entry, layer]}}


def functional(node):
    entry = {"class_name": "InputLayer", "name": "in", "config": {"batch_input_shape": [None, 3], "name": "in"}}
    layer = {"class_name": "Dense", "name": "d", "config": {"name": "d", "units": 2}, "inbound_nodes": [[node]]}
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["d", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": [entry, layer], **ends}}


STRUCTURES = {
    "a number as the shapes that built a layer": dense(build_config=1),
    "a number as the arguments of a call": functional(["in", 0, 0, 0.5]),
    "control characters in a setting": dense(config={"name": "d", "units": "\x1b[31m\n2"}),
    "half a character in a setting": dense(config={"name": "d", "units": "\ud800"}),
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_a_structure_that_no_keras_wrote_is_refused_in_one_line(structure, tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(structure))
    with pytest.raises(ValueError, match=r"m\.json: cannot be read as a model's structure") as refusal:
        formats.load(tmp_path / "m.json")
    assert str(refusal.value).isprintable()


def test_json_nested_too_deep_for_python_is_refused(tmp_path):
    (tmp_path / "m.tfjs").mkdir()
    (tmp_path / "m.tfjs" / "model.json").write_text('{"modelTopology": ' + "[" * 100_000)
    with pytest.raises(ValueError, match=r"model\.json is broken: nested deeper"):
        formats.list_tfjs(tmp_path / "m.tfjs")


def test_a_checkpoint_whose_graph_is_no_text_is_refused(tmp_path, model):
    import tensorflow as tf

    arguments = {"tensor_names": ["_CHECKPOINTABLE_OBJECT_GRAPH"], "shape_and_slices": [""], "tensors": [tf.zeros(3)]}
    tf.raw_ops.SaveV2(prefix=str(tmp_path / "m.ckpt"), **arguments)
    with pytest.raises(ValueError, match=r"m\.ckpt: the object graph is ndarray, expected bytes"):
        formats.load_weights(model, tmp_path / "m.ckpt")


def array_for_the_optimizer(file):
    del file["optimizer/vars"]
    file["optimizer/vars"] = np.zeros(3)


def bytes_for_the_last_weight(file):
    del file["layers/dense_1/vars/1"]
    file["layers/dense_1/vars/1"] = np.zeros(2, "V4")


CHANGES = (array_for_the_optimizer, bytes_for_the_last_weight)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_weights_are_all_loaded_or_none(change, tmp_path, model):
    model.compile("adam", "mse")
    formats.save(model, tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file.attrs["study_keras_sha256"]
        change(file)
        file["layers/dense/vars/0"][...] = 7
    before = model.get_weights()
    try:
        formats.load_weights(model, tmp_path / "m.weights.h5")
    except ValueError:
        assert all(map(np.array_equal, model.get_weights(), before))
    else:
        np.testing.assert_array_equal(model.get_weights()[0], 7)


def test_a_value_that_cannot_be_a_number_changes_no_weight(model):
    before = model.get_weights()
    kernel, bias = model.layers[0].variables
    matches = [
        weights.Match("d", "kernel", kernel, np.ones((3, 4))),
        weights.Match("d", "bias", bias, np.zeros(4, "V4")),
    ]
    with pytest.raises(ValueError, match=r"layer d: bias contains .*, expected numbers"):
        weights.assign(model, matches)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_bfloat16_comes_back_from_h5(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, dtype="bfloat16")])
    formats.save(model, tmp_path / "m.h5")
    assert all(map(np.array_equal, formats.load(tmp_path / "m.h5").get_weights(), model.get_weights()))


def test_a_frame_larger_than_its_picture_counts_with_its_own_size():
    frame = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff," + b"\0\0\0\0" + (10_700).to_bytes(2, "little") * 2 + b"\0\2\0;"
    with pytest.raises(ValueError, match=r"a GIF of 10700 x 10700 pixels, .* make it smaller"):
        image_io.read_image(frame)


def test_an_archive_of_weights_with_a_long_reason_is_refused_in_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("../" + "a\n" * 2000, "")
    with pytest.raises(ValueError, match=r"m\.keras: cannot be read as a Keras model") as refusal:
        formats.load(tmp_path / "m.keras")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) <= 1000


def test_a_heap_that_hdf5_reads_for_ever_is_refused(tmp_path, model):
    formats.save(model, tmp_path / "m.h5")
    content = bytearray((tmp_path / "m.h5").read_bytes())
    first = content.index(b"GCOL") + 16  # the first object in the heap of all texts
    content[first : first + 16] = bytes(16)
    (tmp_path / "m.h5").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.h5: the heap at byte \d+ is broken"):
        formats.load(tmp_path / "m.h5")


@pytest.mark.parametrize(
    "read", [formats.open, lambda path: verify(keras.Sequential([keras.Input((1,))]), path, np.zeros((1, 1)))]
)
def test_a_file_that_crashes_litert_is_refused(read):
    path = ROOT / "tests/fuzz/corpus/crashes_litert.tflite"  # the sign of one size in it is changed
    with pytest.raises(ValueError, match=r"crashes_litert\.tflite: litert crashes on it \(SIG\w+\)"):
        read(path)
