"""The lessons do what they say, on all 60,000 images, from any folder and without a warning."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import course
import pytest
from conftest import hello_mnist

from study_keras import formats, mnist
from study_keras.formats.verify import verify
from study_keras.report import evaluation
from study_keras.train import models

# Loads checkpoints with real Keras 2, and prints the accuracies on the test images.
KERAS_2 = """
import sys
import tf_keras as keras
from study_keras import mnist
_, (images, labels) = mnist.load_data()
layers = [keras.layers.Flatten(input_shape=(28, 28)), keras.layers.Dense(128, activation="relu")]
model = keras.Sequential([*layers, keras.layers.Dropout(0.2), keras.layers.Dense(10, activation="softmax")])
for path in sys.argv[1:]:
    model.load_weights(path).assert_existing_objects_matched().expect_partial()
    print((model.predict(images / 255.0, verbose=0).argmax(axis=1) == labels).mean())
"""
NUMBER = r"[-+.\de]+"


def reader_environment(checkout, backend):
    """The environment of a reader, where nothing has silenced TensorFlow."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(checkout / "src")}
    environment["OPENBLAS_NUM_THREADS"] = "1"  # NumPy's threads would wait for each other while other tests run
    del environment["TF_CPP_MIN_LOG_LEVEL"]
    return environment


@pytest.fixture(scope="session")
def run_lesson(checkout, tmp_path_factory):
    """Run a lesson of the copied checkout, once for each engine, and give what it printed."""
    printed = {}

    def run(name, module=False, backend="jax"):
        if (name, backend) not in printed:
            printed[name, backend] = run_anew(name, module, backend)
        return printed[name, backend]

    def run_anew(name, module, backend):
        environment = reader_environment(checkout, backend)
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        lesson = ["-m", f"study_keras.{name}"] if module else [checkout / f"src/study_keras/{name}.py"]
        command = [sys.executable, "-W", "default::UserWarning", *lesson]
        result = subprocess.run(command, capture_output=True, check=False, env=environment, cwd=elsewhere)
        assert (result.returncode, result.stderr.decode()) == (0, "")
        assert not list(elsewhere.iterdir())  # all output goes to the checkout
        return result.stdout.decode()  # as bytes until here, or carriage returns would end lines

    return run


def accuracies(printed):
    """The [loss, accuracy] pairs that the lesson printed, by name."""
    pairs = re.findall(rf"^(evaluate.*): \[({NUMBER}), ({NUMBER})\]$", printed, re.MULTILINE)
    return {name: (float(loss), float(accuracy)) for name, loss, accuracy in pairs}


def differences(printed):
    """The number and the list of differences at the end."""
    count, indices = printed.splitlines()[-2:]
    return int(count.removeprefix("differences: ")), ast.literal_eval(indices)


def test_lesson_0_reads_97_of_100(run_lesson):
    printed = run_lesson("hello_mnist")
    assert "Epoch 5/5" in printed
    assert 0.970 < float(re.findall(r"accuracy: ([.\d]+)", printed)[-1]) < 0.985


def test_lesson_1_saves_loads_and_finds_the_mistakes(run_lesson, checkout):
    printed = run_lesson("hello_mnist_1")
    figures = accuracies(printed)
    assert figures["evaluate"] == figures["evaluate, loaded"]
    assert 0.970 < figures["evaluate"][1] < 0.985
    count, indices = differences(printed)
    assert count == len(indices) == round((1 - figures["evaluate"][1]) * 10_000)
    assert printed.count("101,770") >= 2  # the summary, before and after
    assert "history: dict_keys(['accuracy', 'loss'])" in printed
    assert (checkout / "output/hello_mnist_1_model_plot.png").read_bytes().startswith(b"\x89PNG")
    evaluated = json.loads(hello_mnist("evaluate", checkout / "output/hello_mnist_1.h5", "--json").stdout)
    assert evaluated["mistakes"] == indices
    assert evaluated["loss"] == pytest.approx(figures["evaluate"][0], rel=1e-4)


def test_lesson_2_puts_structure_and_weights_together_again(run_lesson, checkout):
    printed = run_lesson("hello_mnist_2", module=True)
    original, json_model, yaml_model = re.findall(rf"^evaluate, .*: +\[({NUMBER}, {NUMBER})\]$", printed, re.MULTILINE)
    assert original == json_model == yaml_model
    assert 0.970 < float(original.split()[1]) < 0.985
    names = ["model.json", "model.yaml", "weights.data-00000-of-00001", "weights.h5", "weights.index"]
    found = sorted(path.name for path in (checkout / "output").glob("hello_mnist_2*"))
    assert found == [f"hello_mnist_2.{name}" for name in names]


def test_lesson_3_leaves_checkpoints_logs_and_a_plot(run_lesson, checkout):
    printed = run_lesson("hello_mnist_3")
    output = checkout / "output"
    saved = [output / f"hello_mnist_3-{epoch:04d}.ckpt" for epoch in (2, 4, 6)]
    assert re.findall(r"^epoch (\d): saved (.*)$", printed, re.MULTILINE) == [
        (str(2 * place), str(path)) for place, path in enumerate(saved, start=1)
    ]
    assert sorted(output.glob("hello_mnist_3-*.index")) == [path.with_name(path.name + ".index") for path in saved]
    assert {folder.name for folder in (output / "hello_mnist_3.logs").iterdir()} == {"train", "validation", "gradients"}
    assert (output / "hello_mnist_3_history.png").read_bytes().startswith(b"\x89PNG")
    assert printed.endswith(f"tensorboard --logdir {output / 'hello_mnist_3.logs'}\n")
    # The last checkpoint holds the weights that the lesson evaluated, for this library and for Keras 2.
    final = float(re.findall(r"accuracy: ([.\d]+)", printed)[-1])
    model = models.mlp()
    formats.load_weights(model, saved[-1])
    result = evaluation.evaluate(model, *mnist.load_data()[1])
    assert result["accuracy"] == pytest.approx(final, abs=1e-4)
    read = [sys.executable, "-c", KERAS_2, *saved]
    by_keras_2 = subprocess.run(read, capture_output=True, text=True, check=True).stdout.split()[-len(saved) :]
    assert min(map(float, by_keras_2)) > 0.95
    assert float(by_keras_2[-1]) == pytest.approx(final, abs=1e-4)


@pytest.mark.parametrize("backend", ["jax", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_lesson_4_learns_from_one_hot_labels(run_lesson, backend):
    printed = run_lesson("hello_mnist_4", module=True, backend=backend)
    assert "labels: [5 0 4 1 9 2 1 3 1 4]" in printed
    assert "[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]" in printed
    _, accuracy = accuracies(printed)["evaluate"]
    assert 0.970 < accuracy < 0.985
    count, indices = differences(printed)
    assert count == len(indices) == round((1 - accuracy) * 10_000)


def test_lesson_5_takes_the_model_of_lesson_1_to_the_web_and_the_phone(run_lesson, checkout):
    output = checkout / "output"
    if not (output / "hello_mnist_1.h5").exists():
        run_lesson("hello_mnist_1", module=True)
    printed = run_lesson("hello_mnist_5")
    assert "101,770" in printed
    assert "'inputs': ['input']" in printed
    labels, by_keras, by_litert = re.findall(r"^(?:labels|Keras|LiteRT): +(\[.*\])$", printed, re.MULTILINE)
    assert by_keras == by_litert
    assert labels == "[7 2 1 0 4 1 4 9 5 9]"
    assert float(re.search(rf"probability: ({NUMBER})$", printed, re.MULTILINE)[1]) < 1e-5
    model = formats.load(output / "hello_mnist_1.h5")
    images = evaluation.to_model_inputs(model, mnist.load_data()[1][0])
    for name in ("hello_mnist_5.tfjs", "hello_mnist_5.tflite"):
        assert verify(model, output / name, images)["passed"]


def test_lesson_6_trains_by_hand_as_keras_does(run_lesson):
    printed = run_lesson("hello_mnist_6")
    by_keras, by_hand = (float(loss) for loss in re.findall(rf"^loss, .*: +({NUMBER})$", printed, re.MULTILINE))
    assert by_hand == pytest.approx(by_keras, abs=1e-5 * 1.01)
    assert float(re.search(rf"of a weight: ({NUMBER})$", printed, re.MULTILINE)[1]) < 1e-5
    assert 0.95 < float(re.search(rf"^one epoch by hand, accuracy: ({NUMBER})$", printed, re.MULTILINE)[1]) < 0.98


@pytest.mark.slow
def test_lesson_7_runs_each_of_its_settings(checkout, tmp_path):
    source = (checkout / "src/study_keras/hello_mnist_7.py").read_text()
    for number, fewer in (
        ("[:6000]", "[:200]"),
        ("[50_000:]", "[59_800:]"),
        ("(1, 2, 3)", "(1, 2)"),
        (": 12}", ": 4}"),
    ):
        assert number in source
        source = source.replace(number, fewer)
    script = tmp_path / "few.py"
    script.write_text(source)
    result = subprocess.run(
        [sys.executable, script], capture_output=True, check=False, env=reader_environment(checkout, "jax")
    )
    assert (result.returncode, result.stderr.decode()) == (0, "")
    rows = re.findall(rf": ({NUMBER}), spread: ({NUMBER})$", result.stdout.decode(), re.MULTILINE)
    assert len(rows) == 7
    assert all(0.05 < float(mean) < 1 for mean, _ in rows)


@pytest.mark.slow
def test_lesson_7_improves_step_by_step(run_lesson):
    printed = run_lesson("hello_mnist_7")
    means = [float(mean) for mean in re.findall(rf"held out: ({NUMBER}),", printed)]
    del means[3]  # batch normalization: within the spread of three seeds
    assert means == sorted(means)
    assert float(re.search(rf"test: ({NUMBER}),", printed)[1]) == pytest.approx(means[-1], abs=0.006)


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_lesson_starts_without_a_word_from_tensorflow(checkout, tmp_path, backend):
    for lesson in course.LESSONS:
        head, found, _ = lesson.read_text().partition("\nimport keras\n")
        assert found
        assert head.index("startup.hide_tensorflow_messages()") > head.index('setdefault("KERAS_BACKEND", "jax")')
    script = tmp_path / "head.py"
    first = course.LESSONS[0].read_text().partition("# Images")[0]
    script.write_text(f"{first}\nimport tensorflow\n\nkeras.ops.ones(2) + tensorflow.ones(2).numpy()\n")
    environment = reader_environment(checkout, backend)
    result = subprocess.run([sys.executable, script], capture_output=True, check=True, env=environment)
    assert result.stderr + result.stdout == b""


SLOW = {"hello_mnist_7": pytest.mark.slow}  # a minute of two cores
SHOWN = [pytest.param(lesson, marks=SLOW.get(lesson.stem, ()), id=lesson.stem) for lesson in course.LESSONS]


@pytest.mark.parametrize("lesson", SHOWN)
def test_the_course_shows_what_a_lesson_prints(run_lesson, checkout, lesson):
    if lesson.stem == "hello_mnist_5" and not (checkout / "output/hello_mnist_1.h5").exists():
        run_lesson("hello_mnist_1")
    printed = course.screen(run_lesson(lesson.stem), checkout)
    for page in course.PAGES:
        outputs = [block for block in course.blocks(page) if (block.language, block.of) == ("text", lesson.name)]
        assert outputs
        for block in outputs:
            course.check_output(block, printed)


def test_lesson_5_asks_for_lesson_1_where_it_is_missing(checkout, tmp_path):
    shutil.copytree(checkout / "src", tmp_path / "src")
    (tmp_path / "pyproject.toml").touch()
    command = [sys.executable, tmp_path / "src/study_keras/hello_mnist_5.py"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "run lesson 1 first" in result.stderr
