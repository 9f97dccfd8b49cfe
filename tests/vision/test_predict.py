"""`hello-mnist predict`: what it says to people and to programs, and what it does with bad pictures."""

import io
import json
import subprocess
import sys
import types

import numpy as np
import photos
import pytest
from PIL import Image
from scenes import enlarge, line_of
from strokes import blobs

from study_keras import mnist
from study_keras.cli import main
from study_keras.data.dataset import scale
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_image
from study_keras.vision.recognize import detect


@pytest.fixture(scope="module")
def network():
    """The shipped one for single digits."""
    return load_network()


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


@pytest.fixture
def pictures(tmp_path, test_set):
    """The paths of a number (7210), a digit (1) and a dash."""
    made = {
        "number.png": photos.encoded(line_of(test_set[0][:4], np.random.default_rng(7))),
        "one.jpg": photos.encoded(1 - 0.8 * enlarge(test_set[0][2], 4), "JPEG"),
        "dash.bmp": photos.encoded(blobs()["dash"], "BMP"),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in made]


def test_it_answers_people_in_a_line_for_each_picture(pictures, capsys):
    assert main(["predict", *map(str, pictures)]) == 0
    number, one, dash = capsys.readouterr().out.splitlines()
    assert number.startswith(f"{pictures[0]}: 7210 (")
    assert number.count("%") == 4
    assert one.startswith(f"{pictures[1]}: 1 (")
    assert dash == f"{pictures[2]}: no digit"


def test_it_marks_an_uncertain_digit_with_a_question_mark(tmp_path, network, test_set, capsys):
    rows = network(scale(test_set[0]))
    best = rows.max(axis=1)
    (doubtful,) = np.flatnonzero(best == best[best > 0.5].min())
    path = tmp_path / "doubtful.png"
    path.write_bytes(photos.encoded(test_set[0][doubtful] / 255))
    assert main(["predict", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: {rows[doubtful].argmax()}? ({100 * best[doubtful]:.1f} %)\n"


def test_json_is_an_object_for_one_picture_and_an_array_for_several(pictures, capsys):
    assert main(["predict", "--json", str(pictures[0])]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"image", "text", "digits", "unread", "turned"}
    assert (answer["image"], answer["text"]) == (str(pictures[0]), "7210")
    assert (answer["unread"], answer["turned"]) == ([], 0)
    for digit, expected in zip(answer["digits"], "7210", strict=True):
        assert set(digit) == {"digit", "name", "probability", "probabilities", "box", "certain"}
        assert (digit["digit"], digit["name"]) == (int(expected), expected)
        assert digit["certain"] is True
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=0.01)
        assert len(digit["box"]) == 4
    assert main(["predict", "--json", *map(str, pictures)]) == 0
    assert [answer["text"] for answer in json.loads(capsys.readouterr().out)] == ["7210", "1", ""]


def test_a_bad_picture_does_not_keep_the_others_from_being_read(pictures, tmp_path, capsys):
    text, blank = tmp_path / "text.png", tmp_path / "blank.png"
    text.write_text("this is no picture")
    blank.write_bytes(photos.encoded(np.full((50, 50), 0.7)))
    arguments = [pictures[1], text, tmp_path / "missing.png", blank, pictures[0]]
    assert main(["predict", "--json", *map(str, arguments)]) == 1
    shown = capsys.readouterr()
    assert [answer["text"] for answer in json.loads(shown.out)] == ["1", "7210"]
    errors = shown.err.splitlines()
    for error, path, reason in zip(
        errors, arguments[1:4], ("expected a picture", "No such file", "one colour"), strict=True
    ):
        assert error.startswith(f"hello-mnist: {path}: ")
        assert reason in error


def test_it_reads_standard_input(pictures, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(pictures[0].read_bytes())))
    assert main(["predict", "-", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["image"], answer["text"]) == ("-", "7210")


def test_show_writes_every_stage(pictures, tmp_path, network):
    folder = tmp_path / "deep" / "shown"
    assert main(["predict", *map(str, pictures), "--show", str(folder)]) == 0
    digits = {f"1_number_digit_{number}.png" for number in range(1, 5)} | {"2_one_digit_1.png"}
    names = ("1_number", "2_one", "3_dash")
    stages = {f"{name}_{stage}.png" for name in names for stage in ("grey", "contrast", "answer")}
    assert {path.name for path in folder.iterdir()} == digits | stages
    candidates = detect(pictures[0], network).candidates
    for number, candidate in enumerate(candidates, 1):
        np.testing.assert_allclose(read_image(folder / f"1_number_digit_{number}.png"), candidate.image, atol=0.001)
    answer = np.asarray(Image.open(folder / "1_number_answer.png")).astype(int)
    grey = np.asarray(Image.open(folder / "1_number_grey.png").convert("RGB")).astype(int)
    marked = np.abs(answer - grey).sum(axis=2) > 0
    left, top, right, bottom = (round(side) for side in candidates[0].box)
    assert marked[top - 2 : top + 1, left:right].all(axis=1).any()
    assert not marked[(top + bottom) // 2, left + 3 : right - 3].any()


def test_it_loads_no_framework_and_nothing_to_draw_with(pictures):
    code = f"import sys; from study_keras.cli import main; main(['predict', {str(pictures[0])!r}]); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer, modules = result.stdout.splitlines()
    assert ": 7210 (" in answer
    assert result.stderr == ""  # LiteRT's own announcements too
    heavy = {"keras", "jax", "tensorflow", "matplotlib", "onnxruntime", "rich", "scipy", "h5py", "fastapi"}
    assert not heavy & set(modules.split())
