"""TF.js folders: what they hold, what is refused, reading back, quantizing and training on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import Input, Sequential, layers
from tfjs_helpers import answers, difference, inputs_of, randomize

from study_keras.formats.tfjs import export_tfjs, load_tfjs
from study_keras.runtimes.tfjs import find_node, run_many_tfjs, run_tfjs

KERAS2 = Path(__file__).parent / "tfjs_keras2.py"


def mlp() -> keras.Model:
    """The tutorial's network, with weights that are not zero anywhere."""
    hidden = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.2)]
    return randomize(Sequential([Input((28, 28)), *hidden, layers.Dense(10, activation="softmax")], name="mlp"))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return export_tfjs(mlp(), tmp_path / "mlp.tfjs")


def content(folder: Path) -> dict:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


def test_the_folder_holds_one_manifest_and_shards_of_four_megabytes(tmp_path: Path) -> None:
    model = randomize(Sequential([Input((1500,)), layers.Dense(1500, name="wide")]))
    folder = export_tfjs(model, tmp_path / "wide.tfjs")
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
    assert sizes == {
        "group1-shard1of3.bin": 2**22, "group1-shard2of3.bin": 2**22, "group1-shard3of3.bin": 4 * 1500 * 1501 - 2**23,
    }  # fmt: skip
    (group,) = content(folder)["weightsManifest"]
    assert group["paths"] == sorted(sizes)
    assert [weight["name"] for weight in group["weights"]] == ["wide/kernel", "wide/bias"]
    inputs = inputs_of(model)
    assert difference(answers(model, inputs), run_tfjs(folder, inputs)) <= 1e-5
    assert difference(answers(model, inputs), answers(load_tfjs(folder), inputs)) == 0


def test_an_earlier_export_is_replaced_whole(exported: Path) -> None:
    model = randomize(Sequential([Input((3,)), layers.Dense(2)]))
    assert export_tfjs(model, exported) == exported
    assert [name.name for name in exported.parent.iterdir()] == [exported.name]
    inputs = inputs_of(model)
    assert difference(answers(model, inputs), run_tfjs(exported, inputs, backend="cpu")) <= 1e-5


@pytest.mark.parametrize(("quantize", "steps"), [("float16", None), ("uint16", 65535), ("uint8", 255)])
def test_quantized_weights_are_off_by_half_a_step_at_most(tmp_path: Path, quantize: str, steps: int | None) -> None:
    model = randomize(Sequential([Input((8, 8, 2)), layers.Conv2D(5, 3), layers.Flatten(), layers.Dense(4)]))
    folder = export_tfjs(model, tmp_path / "q.tfjs", quantize=quantize)
    loaded = load_tfjs(folder)
    for before, after in zip(map(np.asarray, model.weights), map(np.asarray, loaded.weights), strict=True):
        half = np.abs(before) * 2.0**-11 if steps is None else np.ptp(before) / steps / 2
        assert (np.abs(before - after) <= half + 1e-7 * np.abs(before)).all()
        assert (before != after).any()
    inputs = inputs_of(model)
    assert difference(answers(loaded, inputs), run_tfjs(folder, inputs)) <= 1e-5  # TF.js reads the same numbers
    size = sum(path.stat().st_size for path in folder.glob("*.bin"))
    assert size == model.count_params() * (1 if quantize == "uint8" else 2)


def test_weights_of_one_value_survive_quantizing(tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(2, kernel_initializer="ones")])
    loaded = load_tfjs(export_tfjs(model, tmp_path / "ones.tfjs", quantize="uint8"))
    assert np.asarray(loaded.weights[0]).tolist() == [[1, 1]] * 3


def test_float16_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(2, kernel_initializer=keras.initializers.Constant(1e5))])
    with pytest.raises(ValueError, match="exceeds float16"):
        export_tfjs(model, tmp_path / "big.tfjs", quantize="float16")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: Sequential([layers.Dense(2)]), "never built"),
        (lambda: Subclassed(), "Subclassed"),  # noqa: PLW0108
        (lambda: Sequential([Input((2,)), layers.Dense(2, kernel_initializer=keras.initializers.Constant(np.nan))]), "NaN"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, model: Callable[[], keras.Model], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        export_tfjs(model(), tmp_path / "bad.tfjs")
    assert not list(tmp_path.iterdir())


class Subclassed(keras.Model):
    def call(self, x: object) -> object:
        return x


def test_an_unknown_quantization_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"int4.*uint8"):
        export_tfjs(mlp(), tmp_path / "m.tfjs", quantize="int4")


def test_a_path_in_use_is_left_alone(tmp_path: Path) -> None:
    file, folder = tmp_path / "notes.txt", tmp_path / "photos"
    file.write_text("mine")
    folder.mkdir()
    (folder / "cat.png").write_text("meow")
    for path in (file, folder):
        with pytest.raises(ValueError, match="in use"):
            export_tfjs(mlp(), path)
    assert file.read_text() == "mine"
    assert (folder / "cat.png").read_text() == "meow"


def spoil_json(folder: Path, change: Callable[[dict], object]) -> None:
    data = content(folder)
    change(data)
    (folder / "model.json").write_text(json.dumps(data))


# ruff: noqa: E501
SPOILERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (lambda f: (f / "model.json").unlink(), "expected a folder with model.json"),
    "no JSON": (lambda f: (f / "model.json").write_text("{"), "model.json is broken"),
    "another JSON": (lambda f: (f / "model.json").write_text("[]"), "not a TF.js model"),
    "no shard": (lambda f: (f / "group1-shard1of1.bin").unlink(), "cannot read the shard"),
    "short shard": (lambda f: os.truncate(f / "group1-shard1of1.bin", 1000), "but the shards 1,000"),
    "long shard": (lambda f: os.truncate(f / "group1-shard1of1.bin", 500_000), "but the shards 500,000"),
    "another folder": (
        lambda f: spoil_json(f, lambda d: d["weightsManifest"][0].update(paths=["../secret.bin"])), "plain file name",
    ),
    "odd type": (
        lambda f: spoil_json(f, lambda d: d["weightsManifest"][0]["weights"][0].update(dtype="int7")), "int7",
    ),
    "odd layer": (
        lambda f: spoil_json(f, lambda d: layer_of(d).update(class_name="Dance")), "Dance is not a class of Keras",
    ),
    "odd option": (
        lambda f: spoil_json(f, lambda d: layer_of(d)["config"].update(spin=3)), r"Unrecognized keyword arguments .*'spin': 3",
    ),
    "no layers": (
        lambda f: spoil_json(f, lambda d: d["modelTopology"]["model_config"]["config"].pop("layers")), "is broken",
    ),
    "a weight too many": (
        lambda f: spoil_json(f, lambda d: d["weightsManifest"][0]["weights"][0].update(name="dense_x/kernel")), "no layer",
    ),
    "a weight of another shape": (
        lambda f: spoil_json(f, lambda d: d["weightsManifest"][0]["weights"][0].update(shape=[128, 784])), "expects a kernel",
    ),
}  # fmt: skip


def layer_of(data: dict) -> dict:
    return data["modelTopology"]["model_config"]["config"]["layers"][2]


@pytest.mark.parametrize("name", SPOILERS)
def test_a_broken_folder_is_refused_in_words(exported: Path, name: str) -> None:
    spoil, words = SPOILERS[name]
    spoil(exported)
    with pytest.raises(ValueError, match=words):
        load_tfjs(exported)


def test_what_tfjs_cannot_load_is_told(exported: Path) -> None:
    spoil_json(exported, lambda data: layer_of(data).update(class_name="Dance"))
    with pytest.raises(ValueError, match=r"TF\.js failed.*Dance"):
        run_tfjs(exported, np.zeros((1, 28, 28), "float32"))


@pytest.mark.slow
def test_a_folder_of_the_keras_2_converter_is_read(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(KERAS2), str(tmp_path)], check=True, capture_output=True)
    with np.load(tmp_path / "example.npz") as example:
        image, words, expected = (example[name] for name in example.files)
    model = load_tfjs(tmp_path)
    assert difference([expected], answers(model, [image, words])) <= 1e-5
    again = export_tfjs(model, tmp_path / "again.tfjs")
    assert difference([expected], run_tfjs(again, [image, words])) <= 1e-5


@pytest.mark.parametrize(
    ("optimizer", "loss", "integer"),
    [
        (keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", True),
        (keras.optimizers.SGD(0.1), "categorical_crossentropy", False),
        (keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.MeanSquaredError(), False),
        (keras.optimizers.RMSprop(0.01), "kl_divergence", False),
    ],
)
def test_tfjs_goes_on_training_as_keras_does(
    tmp_path: Path, optimizer: keras.Optimizer, loss: object, integer: bool
) -> None:
    model = randomize(Sequential([Input((6,)), layers.Dense(5, "tanh"), layers.Dense(3, "softmax")]))
    model.compile(optimizer, loss, metrics=["accuracy"])
    (inputs,) = inputs_of(model, count=8)
    classes = np.arange(8) % 3
    labels = classes.astype("float32") if integer else np.eye(3, dtype="float32")[classes]
    (run,) = run_many_tfjs([(export_tfjs(model, tmp_path / "t.tfjs", training=True), inputs, labels)], "cpu")
    expected = [float(model.train_on_batch(inputs, labels)[0])]
    expected.append(float(model.evaluate(inputs, labels, verbose=0)[0]))
    assert run.error is None
    assert np.allclose(run.losses, expected, rtol=1e-4)
    assert run.losses[1] < run.losses[0]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (mlp, None, "not compiled"),
        (mlp, {"optimizer": "adamw", "loss": "mse"}, "AdamW"),
        (mlp, {"optimizer": keras.optimizers.Adam(clipnorm=1.0), "loss": "mse"}, "clipnorm"),
        (mlp, {"loss": keras.losses.CategoricalCrossentropy(from_logits=True)}, "from_logits"),
        (mlp, {"loss": "mse", "metrics": ["auc"]}, "metrics"),
        (
            lambda: Sequential([Input((4, 4)), layers.Conv1D(4, 2, groups=2)]),
            {"loss": "mse"},
            "groups=2",
        ),
    ],
)
def test_training_that_tfjs_cannot_go_on_with_is_refused(
    tmp_path: Path, model: Callable[[], keras.Model], options: dict | None, words: str
) -> None:
    model = model()
    if options:
        model.compile(**{"optimizer": "adam", **options})
    with pytest.raises(ValueError, match=words):
        export_tfjs(model, tmp_path / "t.tfjs", training=True)
    assert not list(tmp_path.iterdir())


def test_the_exporter_works_on_tensorflow_and_imports_it_nowhere_else(tmp_path: Path) -> None:
    program = (
        "import sys, keras; from study_keras.formats.tfjs import export_tfjs;"
        "model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Conv2D(3, 2, activation='silu')]);"
        "export_tfjs(model, sys.argv[1]); print('tensorflow' in sys.modules)"
    )
    for backend in ("jax", "tensorflow"):
        path = tmp_path / backend
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)],
            env={**os.environ, "KERAS_BACKEND": backend}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == str(backend == "tensorflow")
        model, inputs = load_tfjs(path), [np.ones((1, 4, 4, 2), "float32")]
        assert difference(answers(model, inputs), run_tfjs(path, inputs)) <= 1e-5


@pytest.mark.parametrize("how", ["reserved", "full"])
def test_an_operator_that_the_wasm_backend_could_not_make_is_an_error(how: str) -> None:
    """The backend itself says so on the console only, and goes on with what lay in memory."""
    program = Path(__file__).parent / "wasm_memory.mjs"
    done = subprocess.run([find_node(), str(program), how], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if how == "reserved":  # the same tensors, where the allocator has room before it needs it
        assert (found["values"], found["error"]) == ([1, 1, 1], "")
    else:
        assert found["values"] != [1, 1, 1]
        assert found["error"].startswith("the wasm backend ran out of memory: XNN status")
