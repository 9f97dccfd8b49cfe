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


def places(node):
    """Yield the container and the key of each value in nested plain values."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def structure_of_keras_3():
    inputs = keras.Input((4,), name="input")
    hidden = keras.layers.Dense(2, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Add(name="sum")([hidden, hidden]))
    return json.loads(model.to_json())


def structure_of_keras_2():
    tensor = {"class_name": "InputLayer", "name": "input", "config": {"batch_input_shape": [None, 4], "name": "input"}}
    layer = {
        "class_name": "Dense",
        "name": "dense",
        "config": {"name": "dense", "units": 2, "activation": "softmax_v2"},
    }
    config = {
        "name": "m",
        "layers": [tensor, layer],
        "input_layers": [["input", 0, 0]],
        "output_layers": [["dense", 0, 0]],
    }
    tensor["inbound_nodes"], layer["inbound_nodes"] = [], [[["input", 0, 0, {}]]]
    return {"class_name": "Model", "config": config, "keras_version": "2.3.1", "backend": "tensorflow"}


ODD = (
    None,
    True,
    -1,
    2**70,
    0.5,
    float("nan"),
    "",
    "\x1b[31m\n",
    "../../x",
    [],
    [[]],
    [None],
    {},
    {"class_name": "Dense"},
)


@pytest.mark.parametrize("make", [structure_of_keras_3, structure_of_keras_2])
def test_whatever_stands_in_a_structure_it_is_read_or_refused_in_one_line(make, tmp_path):
    path, refused, structure = tmp_path / "model.json", 0, make()
    formats.load_json(write_json(path, structure))
    for number, (node, key) in enumerate(list(places(structure))):
        kept = node[key]
        for odd in ODD[number % 2 :: 2]:
            node[key] = odd
            message = refusal(write_json(path, structure))
            if message is not None:
                refused += 1
                assert str(path) in message
                assert message.isprintable()
        node[key] = kept
    assert refused > 100


def refusal(path):
    """The message of the error by which a file is refused; None if it is read."""
    try:
        formats.load(path)
    except ValueError as error:
        return str(error)
    return None


def write_json(path, structure):
    path.write_text(json.dumps(structure))
    return path
