"""Every file that describes Keras objects passes one check: no class of others, no code, no file of this computer."""

import json
import zipfile

import h5py
import keras
import pytest
import yaml

from study_keras import formats

SECRET = "/etc/hostname"
LAYERS = {
    "StringLookup": {"vocabulary": SECRET},
    "IntegerLookup": {"vocabulary": SECRET},
    "TextVectorization": {"vocabulary": SECRET},
    "TFSMLayer": {"filepath": "/tmp"},
    "JaxLayer": {"call_fn": "os.system"},
    "FlaxLayer": {"module": "os"},
    "TorchModuleWrapper": {"module": "os"},
    "Lambda": {"function": ["4wEAAAAAAAAAAAAAAAEAAAABAAAAQwAAAHMEAAAAfABTAA==", None, None]},
    "Wrapper": {"layer": {"class_name": "StringLookup", "config": {"name": "inner", "vocabulary": SECRET}}},
    "system": {},
}


def topology(name):
    entry = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 1], "dtype": "string", "name": "input"}}
    layer = {"class_name": name, "config": {"name": "layer", **LAYERS[name]}}
    return {"class_name": "Sequential", "config": {"name": "model", "layers": [entry, layer]}}


def write_keras(path, structure):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    harmless = formats.save_keras(model, path.with_name("harmless.keras"))
    with zipfile.ZipFile(harmless) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, json.dumps(structure) if name == "config.json" else source.read(name))


def write_h5(path, structure):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(structure)
        file.attrs["keras_version"] = "2.15.0"
        file.create_group("model_weights").attrs["layer_names"] = []


def write_tfjs(path, structure):
    path.mkdir()
    content = {"format": "layers-model", "modelTopology": {"model_config": structure}, "weightsManifest": []}
    (path / "model.json").write_text(json.dumps(content))


WRITERS = {
    "model.json": lambda path, structure: path.write_text(json.dumps(structure)),
    "model.yaml": lambda path, structure: path.write_text(yaml.safe_dump(structure)),
    "model.keras": write_keras,
    "model.h5": write_h5,
    "model.tfjs": write_tfjs,
}


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("layer", LAYERS)
def test_no_file_reaches_out_of_its_model(tmp_path, file, layer):
    WRITERS[file](tmp_path / file, topology(layer))
    with pytest.raises(
        ValueError, match=r"vocabulary in the file|could run code|not a class of Keras|Keras 3 lacks"
    ) as refusal:
        formats.load(tmp_path / file)
    assert (tmp_path / file).name in str(refusal.value)
