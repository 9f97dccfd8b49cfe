"""What Keras 2 and its time wrote keeps its meaning: hard_sigmoid, Normalization, old spellings, old containers."""

import json
import shutil

import h5py
import keras
import numpy as np
import pytest
import yaml
from test_keras2_saved_model import check, copied

from study_keras import formats
from study_keras.cli import main


def pairs(folder, name, tmp_path):
    """Yield models made of a structure and weights that came in files of their own."""
    structure = json.loads((folder / f"{name}.json").read_text())
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(structure))
    model, other = formats.load(folder / f"{name}.json"), formats.load(tmp_path / "m.yaml")
    fresh = model.get_weights()
    for weights in (f"{name}.weights.h5", f"{name}_weights.h5", f"{name}.ckpt", f"{name}.h5", name):
        model.set_weights(fresh)
        formats.load_weights(model, folder / weights)
        yield model
    formats.load_weights(other, folder / f"{name}.h5")
    yield other


@pytest.mark.parametrize("name", ["hard", "fields"])
def test_hard_sigmoid_and_normalization_mean_what_they_did_wherever_they_come_from(name, keras2_folders, tmp_path):
    whole = [f"{name}.keras", f"{name}.h5"] + (["hard.tfjs"] if name == "hard" else [])
    for model in [formats.load(keras2_folders / path) for path in whole]:
        check(model, keras2_folders, name)
    for model in pairs(keras2_folders, name, tmp_path):
        check(model, keras2_folders, name)


def test_hard_sigmoid_survives_saving_and_training_on(keras2_folders, tmp_path):
    model = formats.load(keras2_folders / "hard.json")
    formats.save(model, tmp_path / "structure.json")  # now in the words of Keras 3
    again = formats.load(tmp_path / "structure.json")
    formats.load_weights(again, keras2_folders / "hard.ckpt")  # and these still as Keras 2 left them
    check(again, keras2_folders, "hard")
    for name in ("m.keras", "m.h5"):
        formats.save(again, tmp_path / name)
        check(formats.load(tmp_path / name), keras2_folders, "hard")
        check(keras.saving.load_model(tmp_path / name, compile=False), keras2_folders, "hard")
    again.compile("sgd", "mse")
    assert np.isfinite(again.train_on_batch(np.ones((2, 4, 3)), np.ones((2, 3))))


def test_hard_sigmoid_of_keras_3_stays_that_of_keras_3(tmp_path):
    inputs = np.linspace(-4, 4, 24, dtype="float32").reshape(2, 4, 3)
    hard = keras.layers.LSTM(3, recurrent_activation="hard_sigmoid")
    model = keras.Sequential([keras.Input((4, 3)), hard, keras.layers.Activation("hard_sigmoid")])
    for name in ("m.keras", "m.h5", "m.json", "m.yaml"):
        formats.save(model, tmp_path / name)
        loaded = formats.load(tmp_path / name)
        loaded.set_weights(model.get_weights())
        np.testing.assert_array_equal(loaded(inputs), model(inputs))


def sequential(*layers, version="2.2.2"):
    """A structure as Keras wrote it before 2.2.3: a bare list of layers, and no name."""
    return {"class_name": "Sequential", "config": list(layers), "keras_version": version, "backend": "tensorflow"}


def dense(**config):
    given = {"name": "dense_1", "trainable": True, "batch_input_shape": [None, 4], "dtype": "float32", "units": 3}
    return {"class_name": "Dense", "config": {**given, "activation": "linear", "use_bias": True, **config}}


def test_a_sequential_of_before_keras_2_2_3_has_no_name(tmp_path):
    inner = {"class_name": "Sequential", "config": [dense(name="inner", units=4)]}
    (tmp_path / "m.json").write_text(json.dumps(sequential(inner, dense())))
    model = formats.load(tmp_path / "m.json")
    assert model.input_shape == (None, 4)
    assert model.count_params() == 5 * 4 + 5 * 3
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.h5", "w") as file:  # the whole file, as it was then
        file.attrs["keras_version"], file.attrs["model_config"] = b"2.1.6", json.dumps(sequential(dense()))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"dense_1"]
        layer = group.create_group("dense_1")
        layer.attrs["weight_names"] = [b"dense_1/kernel:0", b"dense_1/bias:0"]
        layer["dense_1/kernel:0"], layer["dense_1/bias:0"] = np.eye(4, 3), np.arange(3)
    np.testing.assert_array_equal(formats.load(tmp_path / "m.h5")(np.ones((1, 4))), [[1, 2, 3]])


@pytest.mark.parametrize(
    "value",
    [0.25, [0.25], {"type": "ndarray", "value": 0.25}, {"type": "ndarray", "value": [0.25]},
     {"class_name": "__numpy__", "config": {"value": 0.25, "dtype": "float32"}}],
)  # fmt: skip
def test_a_number_written_as_an_array_is_that_number(value, tmp_path):
    leaky = {"class_name": "LeakyReLU", "config": {"name": "leaky", "trainable": True, "alpha": value}}
    cut = {"class_name": "ThresholdedReLU", "config": {"name": "cut", "trainable": True, "theta": value}}
    (tmp_path / "m.json").write_text(json.dumps(sequential(dense(), leaky, cut)))
    model = formats.load(tmp_path / "m.json")
    np.testing.assert_array_equal(np.asarray(model.layers[1](np.array([[-4.0, 1.0]]))), [[-1, 1]])
    np.testing.assert_array_equal(np.asarray(model.layers[2](np.array([[0.2, 1.0]]))), [[0, 1]])
    formats.save(model, tmp_path / "m.keras")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_gru_of_before_reset_after_was_without(wrapped, tmp_path):
    gru = {"name": "gru", "units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid", "use_bias": True}
    layer = {"class_name": "GRU", "config": gru}
    if wrapped:
        layer = {"class_name": "Bidirectional", "config": {"name": "both", "layer": layer, "merge_mode": "concat"}}
    layer["config"]["batch_input_shape"] = [None, 5, 3]
    (tmp_path / "m.json").write_text(json.dumps(sequential(layer)))
    biases = [weight for weight in formats.load(tmp_path / "m.json").weights if weight.name == "bias"]
    assert {tuple(bias.shape) for bias in biases} == {(6,)}


def test_an_hdf5_file_is_read_though_it_is_named_keras(keras2_folders, tmp_path):
    path = shutil.copy(keras2_folders / "fields.h5", tmp_path / "old.keras")  # as Keras 2 did before 2.12
    model = formats.load(path)
    check(model, keras2_folders, "fields")
    fresh = formats.load(keras2_folders / "fields.json")
    formats.load_weights(fresh, path)
    check(fresh, keras2_folders, "fields")


def test_a_tfjs_folder_may_be_named_by_its_json(keras2_folders, tmp_path):
    path = keras2_folders / "hard.tfjs" / "model.json"
    assert formats.detect(path).name == "tfjs"
    check(formats.load(path), keras2_folders, "hard")
    assert main(["convert", str(path), str(tmp_path / "m.keras")]) == 0
    check(formats.load(tmp_path / "m.keras"), keras2_folders, "hard")


def test_layers_without_weights_may_share_a_name_in_tfjs(tmp_path):
    """An autoencoder of two models, each with a `flatten`, as the official converter wrote it."""
    flatten = {"class_name": "Flatten", "config": {"name": "flatten", "trainable": True}}
    encoder = [dense(name="one", units=2), flatten]
    decoder = [dense(name="two", units=4, batch_input_shape=[None, 2]), flatten]
    halves = {"encoder": encoder, "decoder": decoder}.items()
    parts = [{"class_name": "Sequential", "config": {"name": name, "layers": part}} for name, part in halves]
    arrays = {"one/kernel": np.eye(4, 2), "one/bias": np.ones(2), "two/kernel": np.eye(2, 4), "two/bias": np.ones(4)}
    specs = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in arrays.items()]
    config = {"class_name": "Sequential", "config": {"name": "both", "layers": parts}}
    content = {"modelTopology": {"model_config": config}, "weightsManifest": [{"paths": ["w.bin"], "weights": specs}]}
    (tmp_path / "w.bin").write_bytes(b"".join(array.astype("<f4").tobytes() for array in arrays.values()))
    (tmp_path / "model.json").write_text(json.dumps(content))
    np.testing.assert_array_equal(formats.load(tmp_path)(np.array([[1.0, 2, 3, 4]])), [[3, 4, 1, 1]])


def test_a_checkpoint_of_tensorflow_1_13_holds_configs_beside_the_weights(tmp_path):
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    formats.save(model, tmp_path / "new.ckpt")
    reader = tf.train.load_checkpoint(str(tmp_path / "new.ckpt"))
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    name = "_CHECKPOINTABLE_OBJECT_GRAPH"
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(tensors[name])
    layers = {each.local_name: each.node_id for each in graph.nodes[0].children}
    for local_name, node in layers.items():
        key = f"{local_name}/.ATTRIBUTES/OBJECT_CONFIG_JSON"
        graph.nodes[node].attributes.add(name="OBJECT_CONFIG_JSON", checkpoint_key=key)
        tensors[key] = b'{"class_name": "Dense"}'
    tensors[name] = graph.SerializeToString()
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "old.ckpt"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.constant(tensor) for tensor in tensors.values()],
    )
    other = keras.models.clone_model(model)
    formats.load_weights(other, tmp_path / "old.ckpt")
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    fewer = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="has weights that the model lacks: layer_with_weights-1/bias"):
        formats.load_weights(fewer, tmp_path / "old.ckpt")


@pytest.mark.parametrize("name", ["own_loss.keras", "own_loss.h5"])
def test_an_own_loss_leaves_a_file_of_keras_2_uncompiled_with_a_warning(name, keras2_folders):
    with pytest.warns(UserWarning, match="left uncompiled.*bias"):
        model = formats.load(keras2_folders / name)
    assert not model.compiled
    check(model, keras2_folders, "own_loss")


def test_show_lists_a_litert_file_without_a_signature(keras2_folders, tmp_path, capsys):
    assert main(["show", str(keras2_folders / "no_signature.tflite")]) == 0
    assert "(1, 3)" in capsys.readouterr().out


def test_an_inner_models_calls_are_counted_as_the_file_counts_them(keras2_folders, tmp_path):
    """Keras 2 counted from 0 where a Sequential had no input of its own, else from 1; the use tells which."""
    folder = copied(keras2_folders / "nested", tmp_path / "renumbered")
    content = (folder / "keras_metadata.pb").read_bytes()
    for name in (b"encoder", b"decoder"):
        content = content.replace(b'["%s", 1, 0' % name, b'["%s", 0, 0' % name)
    (folder / "keras_metadata.pb").write_bytes(content)
    check(formats.load(folder), keras2_folders, "nested")
