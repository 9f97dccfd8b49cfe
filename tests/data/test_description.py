"""What a data set is: counts, duplicates and contradictions, as a table, a picture and JSON."""

import json

import numpy as np
import pytest
from PIL import Image

from study_keras import mnist
from study_keras.cli import main
from study_keras.data import statistics
from study_keras.data.dataset import load_data


def test_mnist_is_what_it_is_known_to_be():
    found = statistics.describe_data(mnist.load_data())
    assert (found["training_images"], found["test_images"], found["shape"]) == (60_000, 10_000, [28, 28])
    # Source: the mean and deviation that everybody normalizes MNIST by.
    assert (found["ink"]["mean"], found["ink"]["deviation"]) == pytest.approx((0.1307, 0.3081), abs=5e-5)
    assert found["classes"][1] == {"label": 1, "name": "1", "training": 6742, "test": 1135}
    assert found["balance"] == 5421 / 6742
    assert found["duplicates"] == {"training": 0, "test": 0, "in_both": 0}
    assert (found["conflicts"], found["ink"]["blank"]) == (0, 0)


@pytest.fixture
def flawed(digits, tmp_path):
    """Shards in which images occur twice, in both parts, with other labels, or are blank."""
    (x, y), (x_test, y_test) = ((images.copy(), labels.copy()) for images, labels in digits)
    x[[10, 11, 12]] = x[0]  # three copies
    y[[10, 11, 12]] = y[0], y[0] + 1, y[0] + 1  # two of them contradict it
    x[[20, 21]] = 0
    y[[20, 21]] = 3
    x_test[[5, 6]] = x[30]
    y_test[[5, 6]] = y[30], (y[30] + 1) % 10
    for number in range(2):
        half = slice(number * 300, number * 300 + 300)
        np.save(tmp_path / f"x_train-{number}.npy", x[half])
        np.save(tmp_path / f"y_train-{number}.npy", y[half])
    np.save(tmp_path / "x_test.npy", x_test)
    np.save(tmp_path / "y_test.npy", y_test)
    (tmp_path / "classes.txt").write_text("\n".join(f"class [b]{label}" for label in range(11)))
    return tmp_path


def test_copies_contradictions_and_blanks_are_counted_in_pieces_of_any_size(flawed, monkeypatch):
    dataset = load_data(flawed)
    found = statistics.describe_data(dataset)
    assert found["duplicates"] == {"training": 3 + 1, "test": 1, "in_both": 2}
    assert found["conflicts"] == 2
    assert found["ink"]["blank"] == 2
    monkeypatch.setattr(statistics, "CHUNK_ROWS", 77)
    assert statistics.describe_data(dataset) == found


def test_the_command_prints_tables_and_draws_a_row_of_each_class(flawed, tmp_path, capsys):
    picture = tmp_path / "new" / "sheet.png"
    assert main(["data", str(flawed), "--output", str(picture)]) == 0
    shown = capsys.readouterr().out
    for text in ("600", "200", "28 x 28 uint8", "4 in training, 1 in test", "class [b]7", "class [b]10", str(picture)):
        assert text in shown
    with Image.open(picture) as sheet:
        assert min(sheet.size) > 500


def test_the_command_gives_json_and_nothing_else(flawed, tmp_path, capsys):
    assert main(["data", str(flawed), "--output", str(tmp_path / "sheet.png"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["samples"]) == (str(flawed), str(tmp_path / "sheet.png"))
    assert found["classes"][10] == {"label": 10, "name": "class [b]10", "training": 0, "test": 0}
    assert found["balance"] == 0
    assert main(["data", str(flawed), "--output", str(tmp_path / "sheet.jpg")]) == 2
    assert "ends in .png" in capsys.readouterr().err
