"""`verify` for anybody's model: which examples it takes, what it measures, and what it says of what is broken."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from rich.console import Console

from study_keras import formats
from study_keras.cli import main
from study_keras.formats import verify as verifying
from study_keras.formats.proof.examples import load_examples
from study_keras.formats.verify import verify, verify_all
from study_keras.report import terminal


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A model with two inputs and no classes, and the paths of two files of it."""
    rooms, city = keras.Input((3,), name="rooms"), keras.Input((), dtype="int32", name="city")
    joined = layers.Concatenate()([rooms, layers.Embedding(20, 2)(city)])
    model = keras.Model({"rooms": rooms, "city": city}, {"price": layers.Dense(1, name="price")(joined)})
    folder = tmp_path_factory.mktemp("house")
    return model, [formats.save(model, folder / name) for name in ("house.keras", "house.h5")]


def rows(capsys):
    return json.loads(capsys.readouterr().out)


def test_without_data_it_takes_random_inputs(house, capsys):
    _, (model, copy) = house
    assert main(["verify", str(model), str(copy), "--json"]) == 0
    (row,) = rows(capsys)
    assert (row["images"], row["random"], row["agree"], row["passed"]) == (1000, True, None, True)
    assert main(["verify", str(model), str(copy)]) == 0
    shown = capsys.readouterr()
    assert "of 1,000 random examples" in " ".join(shown.out.split())
    assert "agree" not in shown.out
    assert shown.err == ""  # no terminal, no progress


def test_it_tells_what_it_is_doing(house):
    model, paths = house
    told = []
    verify_all(model, paths, watch=told.append)
    assert told[0] == "opening house.keras"
    assert told[-1] == "house.h5: 1,000 examples"


def test_a_slow_model_is_asked_less(house, monkeypatch):
    model, paths = house
    monkeypatch.setattr(verifying, "SECONDS", 0)
    (row, _) = verify_all(model, paths)
    assert (row["images"], row["passed"]) == (16, True)


def test_what_is_broken_has_a_row_of_its_own(house, tmp_path, capsys):
    _, (model, copy) = house
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    call = ["verify", str(model), str(broken), str(tmp_path / "missing.tflite"), str(copy)]
    assert main([*call, "--json"]) == 1
    bad, missing, good = rows(capsys)
    assert "broken.onnx: onnxruntime cannot run it" in bad["error"]
    assert "missing.tflite: cannot be read: No such file" in missing["error"]
    assert [row["passed"] for row in (bad, missing, good)] == [False, False, True]
    assert main(call) == 1
    shown = capsys.readouterr().out
    assert shown.count("BROKEN") == 2
    assert "ok" in shown


def test_a_wrong_weight_shows(house, tmp_path, capsys):
    _, (model, _) = house
    other = formats.load(model)
    other.set_weights([weight * np.float32(1.001) for weight in other.get_weights()])
    wrong = formats.save(other, tmp_path / "wrong.keras")
    assert main(["verify", str(model), str(wrong)]) == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_data_comes_by_the_names_of_the_inputs(house, tmp_path, capsys):
    _, (model, copy) = house
    random = np.random.default_rng(0)
    rooms, city = random.random((30, 3)), random.integers(0, 20, 30)  # float64 and int64 become what the model takes
    np.savez(tmp_path / "data.npz", rooms=rooms, city=city, y=random.random(30))
    assert main(["verify", str(model), str(copy), "--data", str(tmp_path / "data.npz"), "--json"]) == 0
    (row,) = rows(capsys)
    assert (row["images"], row["random"], row["accuracy"], row["passed"]) == (30, False, None, True)
    np.savez(tmp_path / "data.npz", rooms=rooms, town=city)
    assert main(["verify", str(model), str(copy), "--data", str(tmp_path / "data.npz")]) == 1
    assert "found rooms, town; expected an array named city" in capsys.readouterr().err
    np.savez(tmp_path / "data.npz", rooms=rooms[:, :2], city=city)
    assert main(["verify", str(model), str(copy), "--data", str(tmp_path / "data.npz")]) == 1
    assert "an array of (30, 2); expected (None, 3) for the input rooms" in capsys.readouterr().err


@pytest.fixture(scope="module")
def logits(tmp_path_factory):
    """A model that gives logits, for three classes, and the path of its file."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    return model, formats.save(model, tmp_path_factory.mktemp("logits") / "logits.keras")


def test_labels_say_that_the_outputs_are_classes(logits, tmp_path, capsys):
    model, path = logits
    inputs = np.random.default_rng(0).random((20, 4), "float32")
    labels = model.predict(inputs, verbose=0).argmax(axis=1)
    np.savez(tmp_path / "data.npz", x_test=inputs, y_test=labels[:, None], x_train=inputs[:3], y_train=labels[:3])
    assert main(["verify", str(path), str(path), "--data", str(tmp_path / "data.npz"), "--json"]) == 0
    (row,) = rows(capsys)
    assert (row["images"], row["agree"], row["accuracy"]) == (20, 20, 1.0)
    np.save(tmp_path / "data.npy", inputs)
    assert main(["verify", str(path), str(path), "--data", str(tmp_path / "data.npy"), "--json"]) == 0
    (row,) = rows(capsys)
    assert (row["images"], row["agree"], row["accuracy"]) == (20, None, None)


@pytest.mark.parametrize("measured", [{"accuracy": 0.9741}, {"accuracy": None}])
def test_the_longest_names_of_make_run_fit_into_80_columns(measured, capsys):
    row = {
        "artifact": "output/hello_mnist_dynamic.tflite", "runtime": "onnxruntime", "bytes": 1_247_000,
        "agree": 10_000, "images": 10_000, "random": False, "max_relative_diff": 1e-9, "mean_relative_diff": 1e-9,
        "ms_per_image": 0.0172, "passed": True, **measured,
    }  # fmt: skip
    Console(width=80).print(terminal.verify_table([row, row]))
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("hello_mnist_dynamic.tflite onnxruntime") for line in lines) == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": np.zeros((2, 4))}, "found pictures; expected an array named .* or x_test or x"),
        ({"x": np.zeros((0, 4))}, "at least one"),
        ({"x": np.zeros((2, 4)), "y": np.zeros(3, int)}, r"2 examples, but labels of \(3,\)"),
        ({"x": np.array([{"code": "run"}])}, "pickled objects"),
    ],
)
def test_data_that_cannot_be_is_refused(logits, arrays, message, tmp_path):
    model, _ = logits
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_examples(tmp_path / "data.npz", model)


def test_a_broken_file_of_data_is_named(logits, tmp_path):
    model, _ = logits
    (tmp_path / "data.npy").write_bytes(b"\x93NUMPY")
    for name in ("data.npy", "missing.npz"):
        with pytest.raises(ValueError, match=rf"{name}: cannot be read"):
            load_examples(tmp_path / name, model)


def test_digits_of_one_s_own_need_no_training_part(trained, digits, tmp_path, capsys):
    _, (images, labels) = digits
    np.savez(tmp_path / "mine.npz", x=images, y=labels)
    assert main(["verify", str(trained), str(trained), "--data", str(tmp_path / "mine.npz"), "--json"]) == 0
    (row,) = rows(capsys)
    assert row["images"] == 200
    assert row["accuracy"] > 0.6  # scaled as the network was trained


def test_infinity_and_nan_pass_where_keras_has_them_too(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Rescaling(2.0)])
    path = formats.save(model, tmp_path / "model.keras")
    assert verify(model, path, np.array([[np.inf, 1], [np.nan, 2], [3, 4]], "float32"))["passed"]
