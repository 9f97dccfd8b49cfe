"""The command: its figures, its exit codes, and one line for a user's mistake."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import venv
import zipfile

import keras
import numpy as np
import pytest
from conftest import COMMAND, ROOT, hello_mnist

from study_keras.cli import main, shared
from study_keras.cli.commands import cli


def test_help_loads_no_framework():
    code = "import sys; from study_keras.cli import main; main(['--help']); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    modules = modules.splitlines()[-1].split()
    assert "click" in modules
    assert not {"numpy", "rich", "keras", "jax", "tensorflow", "matplotlib"} & set(modules)


def test_a_training_on_jax_loads_no_tensorflow(small, tmp_path):
    arguments = ["train", "--data", str(small), "--epochs", "1", "--output", str(tmp_path)]
    code = (
        f"import sys; from study_keras.cli import main; main({arguments}); print(*filter(sys.modules.get, sys.modules))"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    modules = modules.splitlines()[-1].split()
    assert "jax" in modules
    assert "tensorflow" not in modules


def test_the_package_runs_where_the_command_is_not_on_the_path():
    command = [sys.executable, "-m", "study_keras.cli", "show", "nowhere.keras"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("hello-mnist: nowhere.keras: ")


@pytest.mark.parametrize("verb", cli.commands)
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"Example: hello-mnist {verb}" in capsys.readouterr().out


def test_evaluate_gives_json_that_agrees_with_itself(trained):
    result = hello_mnist("evaluate", trained, "--json")
    assert result.returncode == 0
    assert result.stderr == ""
    figures = json.loads(result.stdout)
    assert figures["model"] == str(trained)
    assert figures["images"] == 10_000
    assert figures["accuracy"] == 1 - len(figures["mistakes"]) / 10_000
    assert 0.7 < figures["accuracy"] < 0.95  # it saw 600 images
    assert set(figures) == {"model", "images", "loss", "accuracy", "mistakes"}


def test_evaluate_gives_a_table_to_people(trained, small, capsys):
    assert main(["evaluate", str(trained), "--data", str(small)]) == 0
    shown = capsys.readouterr().out
    assert "accuracy" in shown
    assert "200" in shown


@pytest.mark.parametrize("backend", ["jax", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_weights(small, tmp_path, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    for name in ("first", "second"):
        arguments = ("--seed", 7, "--epochs", 1, "--data", small, "--output", tmp_path / name)
        result = hello_mnist("train", *arguments, env=environment)
        assert result.returncode == 0, result.stderr
        assert [line.split()[0] for line in result.stderr.splitlines()] == ["epoch"]  # and no other noise
    first, second = (
        keras.saving.load_model(tmp_path / name / "hello_mnist.keras").get_weights() for name in ("first", "second")
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_train_builds_what_was_asked_for(small, tmp_path, capsys):
    options = "--units 32,16 --activation sigmoid --dropout 0.5 --optimizer sgd --one-hot --epochs 2 --batch-size 50"
    more = ["--images", "400", "--validation", "0.25", "--data", str(small), "--output", str(tmp_path), "--json"]
    assert main(["train", *options.split(), *more]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    model = keras.saving.load_model(figures["model"])
    assert figures["parameters"] == model.count_params() == 784 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10
    assert model.loss == "categorical_crossentropy"
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert int(model.optimizer.iterations.value) == 2 * 6  # 300 images in batches of 50, twice
    assert model.layers[1].activation is keras.activations.sigmoid
    assert model.layers[2].rate == 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--recipe", "cnn", "--units", "5"], "--units is only for dense networks"),
        (["--recipe", "ridge", "--dropout", "0.1"], "--dropout is only for dense networks"),
        (["--recipe", "ridge", "--epochs", "3"], "--epochs is only for trainings with gradients"),
        (["--recipe", "ridge", "--optimizer", "sgd"], "--optimizer is only for trainings with gradients"),
        (["--recipe", "ridge", "--processes", "2"], "--processes is only for trainings with gradients"),
        (["--recipe", "ridge", "--units", "300"], "one number, from 1 to 200"),
        (["--recipe", "quick"], "expected one of tutorial, fast"),
        (["--images", "601"], "expected at most the 600 training images"),
    ],
)
def test_a_setting_that_a_recipe_does_not_have_is_refused(small, tmp_path, capsys, options, words):
    assert main(["train", *options, "--data", str(small), "--output", str(tmp_path / "none")]) != 0
    assert words in capsys.readouterr().err
    assert not (tmp_path / "none" / "hello_mnist.keras").exists()


def test_ridge_regression_is_a_training_as_any_other(small, tmp_path, capsys):
    options = "--recipe ridge --units 20 --one-hot --validation 0.25 --batch-size 50 --json"
    assert main(["train", *options.split(), "--data", str(small), "--output", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {name: len(values) for name, values in figures["history"].items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy"), 1
    )
    model = keras.saving.load_model(figures["model"])
    assert figures["parameters"] == model.count_params() == 72 + 1152 + 201 * 21 + 21**2 * 10
    assert figures["accuracy"] > 0.85


def test_convert_goes_there_and_back_and_says_what_was_lost(trained, small, tmp_path, capsys):
    def convert(*arguments):
        code = main(["convert", *map(str, arguments), "--json"])
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == 0 else shown.err

    losses = {
        "model.h5": [],
        "model.json": ["optimizer", "weights"],
        "model.yaml": ["optimizer", "weights"],
        "model.weights.h5": ["structure"],
        "model.ckpt": ["structure"],
        "model.savedmodel": ["optimizer"],
    }
    for name, lost in losses.items():
        assert convert(trained, tmp_path / name)["lost"] == lost
    for structure in ("model.json", "model.yaml"):
        assert "--weights FILE" in convert(tmp_path / structure, tmp_path / "no.keras")
        for weights in ("model.weights.h5", "model.ckpt", "model.h5"):
            target = tmp_path / "again.keras"
            convert(tmp_path / structure, target, "--weights", tmp_path / weights)
            one, other = keras.saving.load_model(trained), keras.saving.load_model(target)
            for expected, found in zip(one.get_weights(), other.get_weights(), strict=True):
                np.testing.assert_array_equal(expected, found)
    assert "contains only weights" in convert(tmp_path / "model.ckpt", tmp_path / "no.keras")
    assert "contains only a model for inference" in convert(tmp_path / "model.savedmodel", tmp_path / "no.keras")
    assert "expected a name that ends in" in convert(trained, tmp_path / "model.docx")
    assert not (tmp_path / "no.keras").exists()
    for part in ("model.json", "model.ckpt.index"):
        assert main(["evaluate", str(tmp_path / part), "--data", str(small)]) == 1
        assert "expected a whole model" in capsys.readouterr().err
    figures = []
    for path in (trained, tmp_path / "model.savedmodel"):  # the latter as a function
        assert main(["evaluate", str(path), "--data", str(small), "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["mistakes"] == figures[1]["mistakes"]
    assert figures[0]["loss"] == pytest.approx(figures[1]["loss"])
    for name in losses:
        assert main(["show", str(tmp_path / name)]) == 0
        assert "128" in capsys.readouterr().out


WRONG_CALLS = {
    "no such verb": (["trian"], "No such command 'trian'"),
    "no such option": (["train", "--unit", "3"], "--unit"),
    "units 0": (["train", "--units", "0"], "received '0', expected whole numbers of at least 1"),
    "units in words": (["train", "--units", "many"], "received 'many'"),
    "half a layer": (["train", "--units", "12.5"], "received '12.5'"),
    "an unknown activation": (["train", "--activation", "rleu"], "did you mean relu?"),
    "an unknown optimizer": (["train", "--optimizer", "zzz"], "Keras knows no 'zzz'"),
    "dropout of all": (["train", "--dropout", "1"], "--dropout"),
    "no epochs": (["train", "--epochs", "0"], "--epochs"),
    "a negative seed": (["train", "--seed", "-1"], "--seed"),
    "no such data": (["train", "--data", "nowhere"], "nowhere"),
    "no model named": (["evaluate"], "MODEL"),
    "no such model": (["evaluate", "nowhere.keras"], "nowhere.keras"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_a_wrong_call_is_one_line_and_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert message in shown.err
    assert "--help" in shown.err
    assert not list(tmp_path.iterdir())


def test_a_model_for_other_images_is_a_failed_job(tmp_path, small, capsys):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]).save(path)
    assert main(["evaluate", str(path), "--data", str(small)]) == 1
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert f"{path}: takes images of (32, 32, 3); expected" in shown


def test_a_file_that_is_no_model_is_a_failed_job(tmp_path, small, capsys):
    path = tmp_path / "broken.keras"
    path.write_bytes(b"PK\x03\x04 and no more")
    assert main(["evaluate", str(path), "--data", str(small)]) == 1
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert str(path) in shown


def test_an_unwritable_folder_is_found_before_the_training(tmp_path, small, capsys):
    (tmp_path / "file").write_text("")
    assert main(["train", "--data", str(small), "--output", str(tmp_path / "file" / "below")]) == 1
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1  # no epoch was trained
    assert "choose another folder" in shown


def test_a_full_disk_leaves_the_former_model(trained, small, tmp_path):
    former = trained.read_bytes()
    path = tmp_path / "hello_mnist.keras"
    path.write_bytes(former)

    # As on a full disk, the kernel refuses to let a file grow over 600 blocks, some 300 or 600 KB.
    limited = ["sh", "-c", 'ulimit -f 600; exec "$@"', "sh", COMMAND, "train", "--data", small, "--epochs", "1"]
    result = subprocess.run([*limited, "--output", tmp_path], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert f"{tmp_path}/hello_mnist.unfinished.keras: cannot be written" in result.stderr.splitlines()[-1]
    assert path.read_bytes() == former
    assert [file.name for file in tmp_path.iterdir()] == ["hello_mnist.keras"]


def test_ctrl_c_ends_a_training_with_130_and_one_line(tmp_path):
    command = [COMMAND, "train", "--epochs", "1000", "--output", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("epoch    1/1000")
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1].startswith("hello-mnist: stopped; finished epochs are saved, resume with: ")
    assert rest.splitlines()[-1].endswith(f"hello-mnist train --resume --output {tmp_path}")
    assert (tmp_path / "hello_mnist.unfinished.keras").exists()
    assert "Traceback" not in rest


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    """The path of the wheel that `pip install .` installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, checkout]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_each_file_of_the_package_and_runs_from_an_empty_folder(wheel, tmp_path):
    folders = ("node_modules", "dist", "__pycache__")  # installed, built and compiled
    files = [path.relative_to(ROOT / "src") for path in (ROOT / "src/study_keras").rglob("*") if path.is_file()]
    expected = {path.as_posix() for path in files if not set(folders) & set(path.parts)}
    with zipfile.ZipFile(wheel) as archive:
        assert expected <= set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    (entry_points,) = (tmp_path / "installed").glob("*.dist-info/entry_points.txt")
    assert "hello-mnist = study_keras.cli:main" in entry_points.read_text()
    folder = tmp_path / "folder"
    folder.mkdir()
    code = "from study_keras import files, mnist; print(mnist.load_data()[0][0].shape, files.output_dir())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == f"(60000, 28, 28) {folder / 'output'}\n"


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    """The command, the lessons and the data, in an environment with nothing else."""
    # The ranges of the wheel's own metadata decide what comes; the lock only says which version of it.
    lock = (ROOT / "requirements/run.txt").read_text()
    (tmp_path / "versions.txt").write_text("\n".join(re.findall(r"^[a-z][^\\\n]+", lock, re.MULTILINE)))

    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    try:
        pip = [
            environment / "bin/python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-compile",
            "--constraint",
            tmp_path / "versions.txt",
        ]
        subprocess.run([*pip, wheel], check=True)
        folder = tmp_path / "folder"
        folder.mkdir()
        command = [environment / "bin/hello-mnist", "train", "--epochs", "1", "--json"]
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        result = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=True)
        figures = json.loads(result.stdout)
        assert figures["images"] == 10_000
        assert figures["accuracy"] > 0.94
        assert figures["model"] == str(folder / "output/hello_mnist.keras")
        lesson = [environment / "bin/python", "-c", "import study_keras.hello_mnist_1 as lesson; print(lesson.output)"]
        assert subprocess.run(
            lesson, cwd=folder, env=alone, capture_output=True, text=True, check=True
        ).stdout.endswith(f"{folder / 'output'}\n")
    finally:
        shutil.rmtree(environment)  # 2 GB


def test_an_unexpected_error_is_one_line_that_names_a_file_with_the_trace(monkeypatch, capsys, tmp_path):
    def fail(*_):
        raise TypeError("of nobody's making")

    monkeypatch.setattr("study_keras.formats.load", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "model.json").write_text("{}")
    assert main(["show", str(tmp_path / "model.json")]) == 70
    shown = capsys.readouterr().err
    (log,) = tmp_path.glob("hello-mnist-*.log")
    assert shown == f"hello-mnist: TypeError, a bug in hello-mnist; please report it with the file {log}\n"
    assert "of nobody's making" in log.read_text()


def test_the_named_command_runs_where_it_is_not_on_the_path(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "argv", [str(ROOT / "src/study_keras/cli/__main__.py")])
    command = shlex.split(shared.command_name())
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False, env=environment)
    assert "hello-mnist" in done.stdout, done.stderr
