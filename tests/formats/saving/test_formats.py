"""Every format both ways, what a file is, and writes that a kill cannot break."""

import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import formats_roundtrip
import keras
import numpy as np
import pytest

from study_keras import files, formats

HERE = Path(__file__).parent
OTHER = "tensorflow" if keras.backend.backend() == "jax" else "jax"
NAMES = ("m.keras", "m.h5", "m.weights.h5", "m.json", "m.yaml", "m.ckpt", "saved")


def script(name, *arguments, **environment):
    """Run a script of this folder in a process of its own; a crash of the interpreter is a failure."""
    command = [sys.executable, HERE / name, *map(str, arguments)]
    environment = {**os.environ, **environment}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, f"exit {result.returncode}: {result.stderr[-3000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((6, 4)), keras.layers.Flatten(), keras.layers.Dense(3)])
    made.compile("adam", "mse")
    made.fit(np.ones((4, 6, 4)), np.ones((4, 3)), verbose=0)
    return made


@pytest.mark.slow
def test_random_models_survive_every_format():
    formats_roundtrip.roundtrip()


@pytest.mark.slow
def test_random_models_survive_every_format_on_the_other_backend():
    assert f"{OTHER} passed" in script("formats_roundtrip.py", KERAS_BACKEND=OTHER)


def test_a_saved_model_answers_as_the_model_does(model):
    formats_roundtrip.check_roundtrip(model, saved_model=True)


def test_importing_the_room_does_not_import_tensorflow():
    code = "import sys, study_keras.formats; print('tensorflow' in sys.modules)"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5", "m.ckpt"])
def test_the_optimizer_goes_on_where_it_stopped(name, model, tmp_path):
    path = formats.save(model, tmp_path / name)
    if "optimizer" in formats.detect(path).keeps and name in ("m.keras", "m.h5"):
        loaded = formats.load(path)
    else:
        loaded = keras.Sequential.from_config(model.get_config())
        loaded.compile("adam", "mse")
        formats.load_weights(loaded, path)
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one.value), np.asarray(other.value))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_file_is_shows_before_and_after_it_is_written(name, model, tmp_path):
    before = formats.detect(tmp_path / name).name
    assert formats.detect(formats.save(model, tmp_path / name)).name == before
    assert before in {item.name for item in formats.FORMATS}


def test_an_h5_with_weights_alone_is_known_by_what_it_holds(model, tmp_path):
    path = formats.save(model, tmp_path / "m.weights.h5").rename(tmp_path / "m.h5")
    assert formats.detect(path).name == "weights_h5"
    with pytest.raises(ValueError, match="contains only weights"):
        formats.load(path)


def test_an_unknown_suffix_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match=r"m\.exe: expected a name that ends in"):
        formats.save(model, tmp_path / "m.exe")


def test_a_checkpoint_of_keras_3_is_read(tmp_path):
    """`tf.train.Checkpoint(model=model)` works on TensorFlow alone; what it wrote is read on any backend."""
    code = """
import sys, keras, numpy as np, tensorflow as tf
from study_keras import formats
inputs = keras.Input((6, 4))
hidden = keras.layers.Bidirectional(keras.layers.LSTM(3))(keras.layers.Dense(4)(inputs))
nested = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), keras.layers.BatchNormalization()])
functional = keras.Model(inputs, keras.layers.Dropout(0.2)(nested(hidden)))
sequential = keras.Sequential([keras.Input((6, 4)), keras.layers.GRU(3), keras.layers.Dense(2)])
for name, model in (("functional", functional), ("sequential", sequential)):
    model.compile("adam", "mse")
    tf.train.Checkpoint(model=model).write(f"{sys.argv[1]}/{name}.ckpt")
    formats.save(model, f"{sys.argv[1]}/{name}.json")
    np.save(f"{sys.argv[1]}/{name}.npy", model(np.ones((2, 6, 4), "float32")))
"""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env=environment, capture_output=True)
    for name in ("functional", "sequential"):
        model = formats.load(tmp_path / f"{name}.json")
        formats.load_weights(model, tmp_path / f"{name}.ckpt")
        answer = np.asarray(model(np.ones((2, 6, 4), "float32")))
        np.testing.assert_allclose(answer, np.load(tmp_path / f"{name}.npy"), atol=1e-6)


def test_damaged_files_are_refused_or_sane(tmp_path):
    words = script("formats_crash.py", "fuzz", tmp_path, 30).split()
    refused, loaded = int(words[1]), int(words[3])
    assert refused + loaded == 30 * len(NAMES)
    assert refused > 4 * loaded  # only text without a checksum, JSON and YAML, can be changed without notice


@pytest.mark.slow
def test_a_kill_never_leaves_a_file_that_loads_wrongly_or_loses_the_former(tmp_path):
    assert script("formats_crash.py", "save", tmp_path, 50).split().count("whole") == 50


def test_the_next_save_clears_up_what_a_killed_one_left(tmp_path):
    left = tmp_path / ".m.txt.abcdefgh.tmp"
    left.mkdir()
    (left / "lock").touch()
    (left / "m.txt").write_text("half")
    with files.staging_folder(tmp_path / "m.txt"):
        assert not left.exists()
        with files.staging_folder(tmp_path / "m.txt"):
            assert len(list(tmp_path.iterdir())) == 2  # that of a living process stays
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_stood_aside_comes_back_where_two_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    for text in ("one", "two"):
        with files.atomic_folder(tmp_path / "f") as folder:
            folder.mkdir()
            (folder / "x").write_text(text)
    assert (tmp_path / "f" / "x").read_text() == "two"
    aside = tmp_path / ".f.abcdefgh.tmp"
    aside.mkdir()
    (aside / "lock").touch()
    (tmp_path / "f").rename(aside / "former")  # killed between the two renames
    files.recover(tmp_path / "f")
    assert (tmp_path / "f" / "x").read_text() == "two"
    assert not aside.exists()


def test_a_failed_write_leaves_the_former_artifact_and_nothing_else(model, tmp_path):
    path = formats.save(model, tmp_path / "m.json")
    before = path.read_text()
    with pytest.raises(FileNotFoundError), files.atomic_write(path) as temporary:
        temporary.with_suffix(".half").write_text("half")  # and the file itself is never written
    assert path.read_text() == before
    assert json.loads(before)["class_name"] == "Sequential"
    assert list(tmp_path.iterdir()) == [path]
