"""Every file that describes Keras objects passes one check: no class of others, no code, no file of this computer."""

import json
import zipfile

import h5py
import keras
import pytest
import yaml

from study_keras import formats
from study_keras.formats.saving import safe_config

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


def nested(kind, depth):
    value = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_a_config_has_at_most_a_hundred_levels_and_a_million_values(kind):
    safe_config.check_config({"a": nested(kind, 99)})
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        safe_config.check_config({"a": nested(kind, 100)})
    safe_config.check_config({"a": [0] * 999_998})
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        safe_config.check_config({"a": [0] * 999_999})


@pytest.mark.parametrize(
    "key", ["units", "filters", "kernel_size", "output_dim", "strides", "sequence_length", "num_bins"]
)
def test_a_size_is_at_most_16_million(key):
    safe_config.check_config({key: 2**24})
    for size in (2**24 + 1, -(2**24) - 1):
        with pytest.raises(ValueError, match=f"{key} is {size}; expected at most 16,777,216"):
            safe_config.check_config({key: size})


@pytest.mark.parametrize("key", ["batch_input_shape", "target_shape", "pool_size"])
def test_a_shape_has_at_most_4_billion_elements(key):
    safe_config.check_config({key: [None, 2**16, 2**16]})
    with pytest.raises(ValueError, match=f"{key} is 4295032832; expected at most"):
        safe_config.check_config({key: [None, 2**16, 2**16 + 1]})


@pytest.mark.parametrize("name", ["os.system", "get_file", 5, None])
def test_a_function_is_one_of_keras_or_given_by_the_caller(name):
    node = {"class_name": "function", "config": "relu", "module": "builtins", "registered_name": "x"}
    safe_config.check_config({"activation": dict(node)})
    node["config"] = name
    with pytest.raises(ValueError, match="is not in Keras"):
        safe_config.check_config({"activation": dict(node)})
    if isinstance(name, str):
        safe_config.check_config({"activation": dict(node)}, {name: len})


def test_a_structure_may_have_eight_times_the_weights_of_its_file_and_64_mib():
    stored = 2**23
    with safe_config.checked_weights(stored):
        keras.Variable(keras.initializers.Zeros(), (8 * stored + 2**26,), "uint8")
        with pytest.raises(ValueError, match="larger than the file, which has 8,388,608 bytes of weights"):
            keras.Variable(keras.initializers.Zeros(), (1,), "uint8")
