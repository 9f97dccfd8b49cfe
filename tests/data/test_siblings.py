"""MNIST's siblings: their classes have names, and whatever shows an answer shows those."""

import asyncio
import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest
from PIL import Image
from test_data import named, transposed, write_idx

from study_keras import mnist
from study_keras.cli import main
from study_keras.data import class_names
from study_keras.serve.model_store import load_models
from study_keras.serve.workers import WorkerPool
from study_keras.train import metadata
from study_keras.vision import classifier, marks, normalize, recognize
from study_keras.vision.detection import Candidate, Detection, to_dict, to_text

LETTERS = list("abcdefghijklmnopqrstuvwxyz")
KANA = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
WORDS = [f"thing {letter}" for letter in "ABCDEFGHIJ"]


@pytest.fixture
def words(digits, tmp_path):
    """A folder with a data set whose classes have names of several letters."""
    folder = write_idx(tmp_path / "words", named(digits), gzip.compress, ".gz")
    (folder / "classes.txt").write_text("\n".join(WORDS) + "\n\n")
    return folder


EMNIST = {"letters": (LETTERS, 26), "balanced": ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 47)}
EMNIST |= {"byclass": ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 62), "digits": (None, 10)}


@pytest.mark.parametrize("name", EMNIST)
def test_emnist_is_known_by_the_names_of_its_files(digits, tmp_path, name):
    expected, count = EMNIST[name]
    folder = write_idx(tmp_path / "gzip", transposed(digits, 1), gzip.compress, ".gz", f"emnist-{name}-")
    write_idx(folder, named(digits), prefix="kmnist-")
    file = folder / f"emnist-{name}-t10k-images-idx3-ubyte.gz"
    assert class_names.find_class_names(file, count) == (list(expected) if expected else None)
    assert class_names.find_class_names(folder / "kmnist-train-labels-idx1-ubyte", 10) == KANA


def test_fashion_is_known_by_the_sum_of_its_labels_or_by_what_its_folder_is_called(tmp_path, monkeypatch):
    labels = gzip.compress(b"\0\0\x08\x01\0\0\0\x05" + bytes([9, 0, 0, 3, 0]), mtime=0)
    plain, telling = tmp_path / "set", tmp_path / "my fashion"
    for folder in (plain, telling):
        folder.mkdir()
        (folder / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    assert class_names.find_class_names(plain, 10) is None
    assert class_names.find_class_names(telling, 10)[9] == "Ankle boot"
    assert class_names.find_class_names(telling / "train-labels-idx1-ubyte.gz", 10)[9] == "Ankle boot"
    assert class_names.find_class_names(telling, 11) is None  # so it is another set
    monkeypatch.setitem(class_names.LABELS, hashlib.md5(labels).hexdigest(), class_names.FASHION)
    assert class_names.find_class_names(plain, 10)[0] == "T-shirt/top"


def test_a_file_of_names_goes_before_all_else(digits, words, tmp_path):
    assert class_names.find_class_names(words, 10) == WORDS
    letters = write_idx(tmp_path / "letters", transposed(digits, 1), prefix="emnist-letters-")
    (letters / "emnist-letters-classes.txt").write_text("\n".join(map(str, range(26))))
    assert class_names.find_class_names(letters / "emnist-letters-train-labels-idx1-ubyte", 26)[25] == "25"
    (tmp_path / "set.classes.txt").write_bytes(b"\xef\xbb\xbfeven\r\nodd\r\n")
    assert class_names.find_class_names(tmp_path / "set.npz", 2) == ["even", "odd"]
    assert class_names.find_class_names(None, 10) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n", "has 2 names but the data has 10 classes"),
        (b"a\n\nb\n" * 9, "line 2 is empty"),
        (b"\xff" * 9, "UTF-8"),
        (b"a\nb\n" + b"a\n" * 9, "line 3 and line 1 have the same name, 'a'"),
        (b"a\nb\x1b[2J\n" * 9, r"line 2 contains the character \x1b"),
        ("a\nb\u2028c\n".encode() * 9, r"line 2 contains the character \u2028"),
        (b"a\n" + b"b" * 1001, "line 2 has 1,001 characters, more than 1,000"),
        (b"".join(b"%d\n" % number for number in range(10_001)), "classes are 10,001 names"),
        (b"a" * 5_000_000, "expected at most 4,194,304"),
    ],
)
def test_a_wrong_file_of_names_is_refused_in_one_line(words, tmp_path, capsys, content, message):
    (words / "classes.txt").write_bytes(content)
    assert main(["train", "--data", str(words), "--output", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr().err
    assert f"{words / 'classes.txt'}: " in shown
    assert message in shown
    assert len(shown.splitlines()) == 1


def test_the_names_go_from_the_data_to_the_model_its_copies_and_every_answer(words, tmp_path, capsys):
    model = tmp_path / "out" / "hello_mnist.keras"
    options = ["--data", str(words), "--output", str(model.parent)]
    assert main(["train", *options, "--epochs", "8", "--seed", "1"]) == 0
    assert metadata.load_class_names(model) == WORDS

    picture = tmp_path / "seven.png"
    Image.fromarray(mnist.load_data()[1][0][0]).save(picture)
    capsys.readouterr()
    assert main(["predict", str(picture), "--model", str(model), "--show", str(tmp_path / "stages")]) == 0
    assert re.fullmatch(rf"{picture}: thing H\?? \(\d+.\d %\)\n", capsys.readouterr().out)
    assert main(["predict", str(picture), "--model", str(model), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["text"], answer["digits"][0]["digit"], answer["digits"][0]["name"]) == ("thing H", 7, "thing H")

    assert main(["report", str(model), *options]) == 0
    assert "not shown" not in (model.parent / "hello_mnist_report.html").read_text().lower()

    for target in ("copy.h5", "copy.tfjs"):
        assert main(["convert", str(model), str(tmp_path / target)]) == 0
        assert metadata.load_class_names(tmp_path / target) == WORDS
        (tmp_path / "copy.json").unlink()
    (tmp_path / "copy.json").write_text("mine")
    assert main(["convert", str(model), str(tmp_path / "copy.h5")]) == 0
    assert (tmp_path / "copy.json").read_text() == "mine"
    assert main(["convert", str(model), str(tmp_path / "structure.json")]) == 0
    assert metadata.load_class_names(tmp_path / "structure.json") is None

    assert main(["convert", str(model), str(tmp_path / "page.html")]) == 0
    shelf = load_models([model], 1, tmp_path)
    assert [offer.get("classes") for offer in shelf.offers] == [WORDS, None, None]
    pool = WorkerPool(shelf.networks, 0, 60, shelf.classes)
    for name, text in (("hello_mnist", "thing H"), ("digits", "7")):
        assert asyncio.run(pool.recognize(name, picture.read_bytes()))["text"] == text
    pool.close()

    (inside,) = re.findall(
        r'<script id="model" type="application/json">(.*?)</script>', (tmp_path / "page.html").read_text()
    )
    entry = json.loads(inside)
    assert entry["classes"] == WORDS
    assert base64.b64decode(entry["weights"])


def test_names_of_several_letters_have_spaces_between_them():
    rows = np.eye(10, dtype="float32")[[7, 2, 1]]
    found = [
        Candidate((10 * at, 0, 10 * at + 8, 20), np.zeros((28, 28), "float32"), row, 0) for at, row in enumerate(rows)
    ]
    texts = {}
    for names in (LETTERS[:10], KANA):
        detection = Detection(np.zeros((20, 30)), 1.0, found, names)
        texts[to_dict(detection)["text"]] = to_text(detection)
    assert list(texts) == ["hcb", "ya su ki"]
    assert texts["ya su ki"] == ["ya su ki (100.0 %, 100.0 %, 100.0 %)"]


def test_digits_are_found_for_any_network_without_names(digits):
    images = np.pad(np.concatenate(list(digits[1][0][:3]), axis=1), 20) / 255  # 7, 2, 1 beside each other
    grey = (1 - images).astype("float32")
    network, finder = classifier.load_network(), marks.load_finder()
    assert recognize.recognize(grey, network, finder=finder)["text"] == "721"
    more = classifier.Network(lambda given: np.pad(network(given), ((0, 0), (2, 0))))
    twelve = recognize.recognize(grey, more, finder=finder)
    assert (twelve["text"], twelve["digits"][0]["name"]) == ("9 4 3", "9")


def test_a_picture_of_another_set_reaches_its_network_as_it_is_and_a_digit_prepared(digits, tmp_path):
    shoe = np.zeros((28, 28), np.uint8)
    shoe[4:26, 1:27] = 90 + np.arange(26)  # wider than a digit of MNIST, and nowhere quite white
    seen = []

    def run(images):
        seen.append(images[0])
        return np.eye(10, dtype="float32")[[9]]

    def read(pixels, names):
        Image.fromarray(pixels).save(tmp_path / "picture.png")
        answer = recognize.recognize(tmp_path / "picture.png", classifier.Network(run), names)
        return answer["text"], np.round(255 * seen[-1]), answer["digits"][0]["box"]

    large = np.kron(shoe, np.ones((3, 3), np.uint8))
    for pixels, box in ((shoe, [0, 0, 28, 28]), (large, [0, 0, 84, 84]), (large[12:72], [0, 0, 84, 60])):
        text, image, found = read(pixels, class_names.FASHION)
        assert text == "Ankle boot"
        np.testing.assert_array_equal(image[5:24], shoe[5:24])
        assert 0 <= found[0] < found[2] <= box[2]
        assert 0 <= found[1] < found[3] <= box[3]
    digit = 255 - np.kron(digits[1][0][0], np.ones((4, 4), np.uint8))
    text, image, _ = read(digit, None)
    assert text == "9"
    assert normalize.is_mnist(image.astype("float32") / 255)
