"""The records beside a model and inside an unfinished training are checked as they are read, field by field."""

import json
import math
import os
import shutil
import zipfile

import pytest

from study_keras.cli import main
from study_keras.train import metadata, recipes
from study_keras.vision.classifier import SHIPPED

GOOD = {"settings": recipes.to_settings(recipes.TUTORIAL), "classes": list("ABCDEFGHIJ"), "history": {"loss": [1.0]}}


def changed(**fields):
    return json.dumps(GOOD | fields).encode()


RECORDS = {
    "no JSON": (b"{", "not JSON"),
    "empty": (b"", "not JSON"),
    "a list": (b"[]", "[] is not an object"),
    "null": (b"null", "None is not an object"),
    "no UTF-8": (b'{"settings": "\xff"}', "not UTF-8 text: byte 15 is 0xff"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), "not UTF-8"),
    "too large": (b" " * 5_000_000, "5,000,000 bytes; expected at most 4,194,304"),
    "deep": (b'{"settings": {"a":' + b"[" * 100_000, "nested deeper than 100 levels"),
    "deep but complete": (b'{"settings":' + b"[" * 150 + b"]" * 150 + b"}", "nested deeper than 100 levels"),
    "a number of 5,000 digits": (b'{"settings": {"epochs": %s}}' % (b"9" * 5000), "not JSON"),
    "settings": (changed(settings=[]), "settings is [], not an object"),
    "history": (changed(history=[1.0]), "history is [1.0], not an object"),
    "NaN": (b'{"settings": {}, "history": {"loss": [0.5, NaN]}}', "history.loss[1] is nan, not a number"),
    "a huge number": (changed(history={"loss": [10**400]}), "history.loss[0] is 1000"),
    "uneven history": (changed(history={"loss": [1.0], "accuracy": []}), "lists of different lengths"),
    "versions": (changed(versions=["3.15"]), "versions is ['3.15'], not an object"),
    "data": (changed(data={"sha256": 1}), "data.sha256 is 1, not text"),
    "a path with NUL": (changed(data_path="a\0b"), "data_path is 'a\\x00b', not a path"),
    "seconds": (changed(fit_seconds=True), "fit_seconds is True, not seconds"),
    "the command": (changed(trained_by=5), "trained_by is 5, not text"),
    "classes": (changed(classes="ABC"), "classes are 'ABC'; expected a list"),
    "no classes": (changed(classes=[]), "classes are 0 names"),
    "too many classes": (changed(classes=[str(number) for number in range(10_001)]), "classes are 10,001 names"),
    "a number as a name": (changed(classes=["a", 1]), "classes[1] is 1"),
    "an empty name": (changed(classes=["a", " "]), "classes[1] is empty"),
    "a long name": (changed(classes=["a" * 1001]), "classes[0] has 1,001 characters"),
    "a line feed": (changed(classes=["a", "b\nc"]), r"classes[1] contains the character \n"),
    "an escape": (changed(classes=["a\x1b[2J"]), r"classes[0] contains the character \x1b"),
    "a surrogate": (b'{"settings": {}, "classes": ["\\udcff"]}', r"classes[0] contains the character \udcff"),
    "a turn of the text": (changed(classes=["a\u202eb"]), r"classes[0] contains the character \u202e"),
    "a name twice": (changed(classes=["a", "b", "a"]), "classes[2] and classes[0] have the same name, 'a'"),
}


@pytest.mark.parametrize(("content", "message"), RECORDS.values(), ids=RECORDS.keys())
def test_a_wrong_record_is_one_line_with_its_file_and_field(tmp_path, capsys, content, message):
    model = shutil.copy(SHIPPED, tmp_path / "model.tflite")
    (tmp_path / "model.json").write_bytes(content)
    assert main(["predict", "none.png", "--model", str(model)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"hello-mnist: {tmp_path / 'model.json'}: ")
    assert message in line
    assert len(line) < 500
    assert line.isprintable()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(ValueError, match="a FIFO; expected a regular file"):
        metadata.load_metadata(tmp_path / "model.keras")


@pytest.mark.parametrize("names", [["日本", "naïve", "क्\u200dष", "👩\u200d🔬", "a b", "[red]", "$x$", "<b>"]])
def test_names_of_any_language_are_taken(tmp_path, names):
    content = b"\xef\xbb\xbf" + changed(classes=names)
    (tmp_path / "model.json").write_bytes(content)
    assert metadata.load_class_names(tmp_path / "model.keras") == names


def test_a_file_of_somebody_else_is_left_alone(tmp_path):
    structure = tmp_path / "model.json"
    structure.write_text('{"class_name": "Sequential", "config": {"limit": Infinity}}')
    assert metadata.load_metadata(tmp_path / "model.h5") is None
    structure.write_text("[]")
    assert metadata.load_metadata(structure) is None  # the model itself
    (tmp_path / "source.json").write_bytes(changed())
    metadata.copy_metadata(tmp_path / "source.keras", tmp_path / "model.h5")
    assert structure.read_text() == "[]"


def test_a_training_that_diverged_is_recorded_as_json_and_read_again(tmp_path):
    record = GOOD | {"history": {"loss": [0.5, math.nan, math.inf]}}
    path = metadata.save_metadata(record, tmp_path / "model.keras")
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["history"] == {"loss": [0.5, None, None]}
    first, *others = metadata.load_metadata(tmp_path / "model.keras")["history"]["loss"]
    assert first == 0.5
    assert all(map(math.isnan, others))


def broken_archives(path):
    """Write archives in which the record cannot be read, and yield what is to be said of each."""
    path.write_bytes(b"PK\3\4" + bytes(100))
    yield "not a zip file"
    for change, message in ((8, "compression"), (6, "encrypted")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(metadata.ENTRY, "{}")
        content = bytearray(path.read_bytes())
        for start in (0, content.index(b"PK\1\2") + 2):  # the local header, and that of the directory
            content[start + change] = 1 if change == 6 else 77
        path.write_bytes(content)
        yield message
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(metadata.ENTRY, b" " * 5_000_000)
    yield "5,000,000 bytes; expected at most 4,194,304"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("another.json", "{}")
    yield "no how_it_was_made.json in the archive"


def test_a_broken_archive_is_one_line(tmp_path, capsys):
    path = tmp_path / metadata.UNFINISHED
    for message in broken_archives(path):
        assert main(["train", "--resume", "--output", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{path}: not an unfinished training: " in line
        assert message in line
