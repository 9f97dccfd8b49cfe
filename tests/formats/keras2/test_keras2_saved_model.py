"""SavedModel folders of the real Keras 2 are models: equal answers, the optimizer too; what is not right is refused."""

import json
import re
import shutil
import warnings

import keras
import numpy as np
import pytest

from study_keras import formats
from study_keras.cli import main

MODELS = ("sequential", "two", "cnn", "lstm", "nested", "hard", "fields", "unbuilt", "words", "stateful")


def example(folder, name):
    """Return a model's inputs and Keras 2's answers."""
    arrays = np.load(folder / f"{name}.npz")
    return tuple([arrays[key] for key in sorted(arrays) if key[0] == kind] for kind in "xy")


def check(model, folder, name):
    """Compare a model's answers with those that Keras 2 gave."""
    inputs, wanted = example(folder, name)
    found = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    for expected, answer in zip(wanted, found, strict=True):
        np.testing.assert_allclose(np.asarray(answer), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def copied(source, target):
    shutil.copytree(source, target)
    return target


def as_before_2_5(folder, version):
    """Move the metadata to where TensorFlow 2.0 to 2.4 wrote it, in the words of that time."""
    from tensorflow.core.protobuf import saved_model_pb2
    from tf_keras.protobuf import saved_metadata_pb2

    metadata = saved_metadata_pb2.SavedMetadata.FromString((folder / "keras_metadata.pb").read_bytes())
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for node in metadata.nodes:
        content = json.loads(node.metadata)
        if "keras_version" in content:
            content["keras_version"] = version
        identifier = node.identifier
        if version.startswith("2.2") and content["class_name"] == "Functional":
            content["class_name"] = content["model_config"]["class_name"] = "Model"
            identifier = "_tf_keras_model"
        user_object = saved.meta_graphs[0].object_graph_def.nodes[node.node_id].user_object
        user_object.identifier, user_object.metadata = identifier, json.dumps(content)
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    (folder / "keras_metadata.pb").unlink()
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_is_a_model_that_answers_as_keras_2_did(name, keras2_folders, tmp_path):
    assert formats.detect(keras2_folders / name).name == "keras2_saved_model"
    model = formats.load(keras2_folders / name)
    assert isinstance(model, keras.Model)
    check(model, keras2_folders, name)
    formats.save(model, tmp_path / "again.keras")
    check(keras.saving.load_model(tmp_path / "again.keras"), keras2_folders, name)  # as anybody's Keras 3 does


@pytest.mark.parametrize("version", ["2.2.4-tf", "2.4.0"])
@pytest.mark.parametrize("name", ["sequential", "two", "lstm"])
def test_a_folder_of_tensorflow_2_0_to_2_4_is_a_model_too(name, version, keras2_folders, tmp_path):
    folder = as_before_2_5(copied(keras2_folders / name, tmp_path / "old"), version)
    assert formats.detect(folder).name == "keras2_saved_model"
    check(formats.load(folder), keras2_folders, name)


@pytest.mark.parametrize(("name", "memories"), [("sequential", 8), ("two", 20), ("cnn", 8)])
def test_the_optimizer_comes_along_also_that_of_before_keras_2_11(name, memories, keras2_folders):
    optimizer = formats.load(keras2_folders / name).optimizer
    assert int(optimizer.iterations.value) == 1
    assert len(optimizer.variables) == 2 + memories
    assert all(np.any(np.asarray(variable.value)) for variable in optimizer.variables)


def test_weights_of_a_folder_go_into_a_model_of_ones_own(keras2_folders):
    model = keras.models.clone_model(formats.load(keras2_folders / "cnn"))
    formats.load_weights(model, keras2_folders / "cnn")
    check(model, keras2_folders, "cnn")


def test_a_stateful_model_begins_from_zero_after_the_comparison(keras2_folders):
    model = formats.load(keras2_folders / "stateful")
    assert not any(np.any(np.asarray(state)) for state in model.layers[0].states)


REFUSED = {"custom": "Twice is not a class of Keras", "lambda": "Lambda could run code"}


@pytest.mark.parametrize(("name", "reason"), REFUSED.items(), ids=REFUSED)
def test_what_could_run_code_is_refused_by_name(name, reason, keras2_folders):
    with pytest.raises(ValueError, match=rf"{name}: cannot be read as a model of Keras 2: .*{reason}"):
        formats.load(keras2_folders / name)


def test_a_layer_that_is_asked_for_in_python_is_allowed(keras2_folders):
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    model = formats.load(keras2_folders / "custom", custom_objects={"Twice": Twice})
    assert isinstance(model.layers[0], Twice)


def test_an_own_class_that_does_another_thing_does_not_pass_for_it(keras2_folders):
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 3

    with pytest.raises(ValueError, match=r"output dense\w*: the model's answer is .* off that of the folder's own"):
        formats.load(keras2_folders / "custom", custom_objects={"Twice": Twice})


def test_a_folder_without_a_structure_is_a_function(keras2_folders):
    for name, shape in (("exported", (28, 28)), ("subclassed", (3,))):
        assert formats.detect(keras2_folders / name).name == "saved_model"
        function = formats.load(keras2_folders / name)
        assert function.input_shape == (None, *shape)
        inputs = np.ones((5, *shape), "float32")
        np.testing.assert_allclose(function.predict(inputs, batch_size=2, verbose=0), function(inputs), rtol=1e-5)
        assert function(inputs).shape == (5, function.output_shape[1])


def other_weights(folder, folders):
    for file in (folder / "variables").iterdir():
        file.write_bytes((folders / "cnn" / "variables" / file.name).read_bytes())


def another_activation(folder, _folders):
    """A structure that takes the folder's weights and does another thing with them."""
    content = (folder / "keras_metadata.pb").read_bytes()
    (folder / "keras_metadata.pb").write_bytes(content.replace(b'"softmax"', b'"linear" '))


def cut(name):
    def change(folder, _folders):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def flipped(folder, _folders):
    content = (folder / "keras_metadata.pb").read_bytes()
    (folder / "keras_metadata.pb").write_bytes(content.replace(b'"units"', b'\x80units"'))


def another_structure(folder, folders):
    (folder / "keras_metadata.pb").write_bytes((folders / "lstm" / "keras_metadata.pb").read_bytes())


def no_text(folder, _folders):
    (folder / "keras_metadata.pb").write_bytes(b"\x0a\x04\x1a\x00\x2a\x00\xff\xff")


def writes_a_file(folder, _folders):
    """A graph of which one operation reaches out of the folder; the structure in it is harmless."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    saved.meta_graphs[0].graph_def.node.add(name="evil", op="WriteFile")
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())


BROKEN = {
    "the weights of another model": (other_weights, "expected"),
    "a structure of the same shapes": (another_activation, "off that of the folder's own graph"),
    "half the structure": (cut("keras_metadata.pb"), "keras_metadata.pb is broken"),
    "half the graph": (cut("saved_model.pb"), "saved_model.pb|parsing"),
    "half the weights": (cut("variables/variables.data-00000-of-00001"), "not a complete checkpoint"),
    "half the index": (cut("variables/variables.index"), "not a complete checkpoint"),
    "bytes that are no text": (flipped, "keras_metadata.pb is broken"),
    "another model's structure": (another_structure, "expected"),
    "nothing in the messages": (no_text, "keras_metadata.pb is broken"),
    "an operation that writes files": (writes_a_file, "WriteFile reaches out of the model"),
}


@pytest.mark.parametrize(("change", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_folder_that_is_broken_or_wrong_is_refused_in_one_line(change, reason, keras2_folders, tmp_path):
    folder = copied(keras2_folders / "sequential", tmp_path / "broken")
    change(folder, keras2_folders)
    with pytest.raises(ValueError, match=reason) as error:
        formats.load(folder)
    assert "\n" not in str(error.value)
    assert str(error.value).count(str(folder)) == 1


def test_an_own_loss_leaves_the_model_uncompiled_with_a_warning(keras2_folders):
    with pytest.warns(UserWarning, match="left uncompiled") as warned:
        model = formats.load(keras2_folders / "own_loss")
    assert len(warned) == 1
    assert not model.compiled
    check(model, keras2_folders, "own_loss")


def test_the_command_takes_such_folders(keras2_folders, small, tmp_path, capsys):
    folder, target = keras2_folders / "sequential", tmp_path / "out.keras"
    assert main(["convert", str(folder), str(target), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["from"], done["to"], done["lost"]) == ("keras2_saved_model", "keras", [])
    check(formats.load(target), keras2_folders, "sequential")
    figures = []
    for path in (folder, target):
        assert main(["evaluate", str(path), "--data", str(small), "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["mistakes"] == figures[1]["mistakes"]
    assert main(["show", str(folder)]) == 0
    assert "dropout (Dropout)" in capsys.readouterr().out
    assert main(["verify", str(folder), str(target), str(keras2_folders / "sequential"), "--data", str(small)]) == 0
    assert main(["convert", str(keras2_folders / "lambda"), str(tmp_path / "no.keras")]) == 1
    assert re.fullmatch(r"hello-mnist: .*/lambda: .*Lambda could run code.*\n", capsys.readouterr().err)
    assert not (tmp_path / "no.keras").exists()


def test_evaluate_and_report_run_a_folder_for_inference_as_a_function(keras2_folders, small, tmp_path, capsys):
    folder = keras2_folders / "exported"
    assert main(["evaluate", str(folder), "--data", str(small), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["images"] == 200
    images = np.load(small)["x_test"] / np.float32(255)
    wrong = np.flatnonzero(formats.load(folder)(images).argmax(axis=1) != np.load(small)["y_test"])
    assert figures["mistakes"] == wrong.tolist()
    assert main(["report", str(folder), "--data", str(small), "--output", str(tmp_path)]) == 0
    assert "its layers are not known" in (tmp_path / "exported_report.html").read_text()


def test_a_warning_of_a_model_left_uncompiled_is_one_line_of_the_command(keras2_folders, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["convert", str(keras2_folders / "own_loss"), str(tmp_path / "out.keras")]) == 0
    assert re.fullmatch(r"hello-mnist: the model \w+ is left uncompiled; call compile.*\n", capsys.readouterr().err)
    check(formats.load(tmp_path / "out.keras"), keras2_folders, "own_loss")


def test_a_folder_is_replaced_by_a_folder_for_inference_and_nothing_is_said_to_be_kept(keras2_folders, tmp_path):
    folder = copied(keras2_folders / "sequential", tmp_path / "again")
    assert formats.detect_target(folder).name == "saved_model"
    formats.save(formats.load(folder), folder)
    assert formats.detect(folder).name == "saved_model"
