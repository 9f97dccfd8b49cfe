"""Names from outside, at every exit: shown on one line, and never markup, a formula or an escape sequence."""

import json
import math
import os
import shutil
import unicodedata
from html.parser import HTMLParser
from io import StringIO

import keras
import numpy as np
import pytest
from conftest import hello_mnist
from PIL import Image
from rich.console import Console

from study_keras import mnist, plain_text
from study_keras.cli import main
from study_keras.report import evaluation, model_plots, plots, terminal
from study_keras.report.html import write_report
from study_keras.serve import middleware, single_file
from study_keras.train import callbacks
from study_keras.vision import classifier, debug_images, recognize

NAMES = {
    "markup": "a[bold]b",
    "an end of markup": "a[/x]b",
    "an end of all markup": "[/]",
    "a link": "[link=http://example.org]b[/link]",
    "an emoji code": ":smile:",
    "a clear screen": "a\x1b[2Jb",
    "a window title": "a\x1b]0;b\x07c",
    "an escape of one character": "a\x9b2Jb",
    "a line feed": "a\nPOST /forged 200",
    "a carriage return": "a\rb",
    "a backspace": "a\b\bb",
    "a vertical tab": "a\x0bb",
    "a next line": "a\x85b",
    "a line separator": "a\u2028b",
    "a right-to-left override": "a\u202egnp.exe",
    "an isolate": "a\u2066b",
    "an invisible space": "a\u200bb",
    "invisible tags": "a\U000e0041\U000e007f",
    "a byte that is no UTF-8": "a\udcffb",
    "half a character": "a\ud83db",
    "a formula": "$\\frac{$",
    "a formula that ends": "$x^2$",
    "a backslash": "\\n\\x1b\\",
    "an element": "<img src=x onerror=alert(1)>",
    "the end of a script": "</script><script>alert(1)</script>",
    "the end of an attribute": "\" onload='alert(1)",
    "a comment": "<!--",
    "an entity": "&lt;",
    "fields": "{0}{x}{{",
    "a percent sign": "%s%n",
    "a cell of a spreadsheet": '=1+1,"b"',
    "only spaces at the ends": "  a  ",
}
each_name = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())


def is_plain(text):
    """Whether a text is free of characters that move the cursor, turn the text, are invisible or no characters."""
    kinds = {unicodedata.category(one) for one in text.replace("\n", "") if one not in "\u200c\u200d"}
    return not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def escaped(name):
    """What a name is shown as, said in another way than the package does."""
    return "".join(one if is_plain(one) and one != "\n" else repr(one)[1:-1] for one in name)


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    path = tmp_path_factory.mktemp("seven") / "seven.png"
    Image.fromarray(mnist.load_data()[1][0][0]).save(path)
    return path


@each_name
def test_a_name_is_shown_on_one_line(name):
    shown = plain_text.printable(name)
    assert shown == escaped(name)
    assert is_plain(shown)
    assert "\n" not in shown


@each_name
def test_a_file_is_read_and_refused_by_its_name(tmp_path, seven, capfd, name):
    path = tmp_path / (name.replace("/", "") + ".png")
    if "\ud83d" in name:
        assert main(["predict", str(path)]) == 1  # a name that no file can have
        return
    shutil.copy(seven, path)
    assert main(["predict", str(path)]) == 0
    assert capfd.readouterr().out.startswith(f"{tmp_path}/{escaped(path.name)}: 7")
    assert main(["predict", str(path), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["image"] == str(path)
    path.write_bytes(b"no picture")
    assert main(["predict", str(path)]) == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert is_plain(said)
    assert said.startswith("hello-mnist: ")


def test_a_terminal_that_knows_only_ascii_is_no_error(tmp_path, seven):
    path = shutil.copy(seven, os.fsencode(tmp_path) + b"/\xffna\xc3\xafve\x1b[2J.png")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for encoding in ("ascii", "latin-1", "utf-8"):
        done = hello_mnist(
            "predict", os.fsdecode(path), env={**environment, "PYTHONIOENCODING": encoding}, encoding="latin-1"
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert is_plain(done.stdout.encode("latin-1").decode(encoding if encoding != "ascii" else "utf-8"))
        assert r"\udcff" in done.stdout


def layers(*names):
    """A model with layers of these names, without / as Keras does not take it."""
    first, second = (name.replace("/", "") for name in names)
    network = [
        keras.Input((28, 28)),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(12, name=first),
        keras.layers.Dense(10, name=second, activation="softmax"),
    ]
    return keras.Sequential(network, name=first)


@each_name
def test_the_layers_of_a_model_are_listed(tmp_path, capsys, name):
    model, out = layers(name, f"{name}2"), StringIO()
    (tmp_path / "model.json").write_text(model.to_json())
    assert main(["show", str(tmp_path / "model.json")]) == 0
    assert is_plain(capsys.readouterr().out)
    terminal.print_summary(model, Console(file=out, width=200, force_terminal=True, color_system=None))
    assert is_plain(out.getvalue())
    if is_plain(name) and name != ":smile:":  # of the others rich, which Keras calls, leaves out a part
        assert name.replace("/", "") in out.getvalue()


@each_name
def test_tables_and_progress_show_names(name):
    out = StringIO()
    console = Console(file=out, width=300, color_system=None)
    row = {"number": 0, "parameters": 1, "seconds": 1.0, "accuracy": 1.0, "spread": 0.0}
    console.print(terminal.history_table({name: [1.0, math.nan]}))
    console.print(terminal.verify_table([{"artifact": "a.onnx", "error": f"no file: {name}."}]))
    console.print(terminal.comparison_table([row], [{"activation": name}], 1))
    progress = terminal.TrainingProgress(console, 1)
    progress.set_params({"steps": 1, "epochs": 1})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(0, {name: 1.0})
    progress.on_epoch_end(0, {name: 1.0})
    console.print(progress.bar.get_renderable())
    progress.on_train_end()
    shown = out.getvalue()
    assert is_plain(shown)
    assert shown.count(escaped(name).strip()) >= 4


def test_pictures_show_names_as_they_are(tmp_path, digits, seven):
    images, labels = digits[1]
    names = [*NAMES.values(), "x" * 1000]
    network = classifier.load_network()
    probabilities = np.pad(evaluation.predict(network, images), ((0, 0), (0, len(names) - 10)))
    wrong = np.roll(probabilities[:, ::-1], labels[0], axis=1)
    confusion = plots.confusion(labels, wrong, names)
    for figure in (
        confusion,
        plots.mistakes(images, labels, wrong, names),
        plots.accuracy_per_class(np.arange(len(names)), np.eye(len(names)), names),
        plots.samples(images[:10], np.arange(10), names[-10:]),
        model_plots.activations(layers("first", "second"), images[0], names[-10:]),
        model_plots.first_weights(layers("$\\frac{$\x1b\udcff", "second")),
    ):
        assert plots.png(figure).startswith(b"\x89PNG")
    shown = [label.get_text() for label in confusion.axes[0].get_xticklabels()]
    assert [text[:25] for text in shown] == [escaped(name)[:25] for name in names]
    for name in names:
        found = recognize.detect(seven, network, [name] * 10)
        debug_images.save_debug_images(found, tmp_path, "digit")


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.add((tag, *(key for key, _ in attributes)))

    def handle_data(self, data):
        self.text += data


def report_of(folder, digits, name):
    command = {"name": name, "command": f"hello-mnist report {name}", "trained_by": name, "versions": {name: name}}
    metadata = {**command, "settings": {name: name}, "history": {"loss": [1.0], name: [math.nan]}, "classes": [name]}
    result = {"images": 200, "loss": 1.0, "accuracy": 0.5, "mistakes": [1], "probabilities": None}
    path = write_report(folder / "report.html", layers(name, f"{name}2"), digits, result, metadata)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def no_pictures(monkeypatch):
    """The pictures have a test of their own."""

    def refuse(*_):
        raise ValueError(*NAMES.values())

    for name in ("mistakes", "confusion", "accuracy_per_class", "samples"):
        monkeypatch.setattr(plots, name, refuse)
    for name in ("first_weights", "activations"):
        monkeypatch.setattr(model_plots, name, refuse)
    monkeypatch.setattr(plots, "png", lambda figure: b"")


@pytest.mark.usefixtures("no_pictures")
def test_the_report_shows_names_as_text(tmp_path, digits):
    expected = Elements(report_of(tmp_path, digits, "plain")).found
    for name in NAMES.values():
        page = report_of(tmp_path, digits, name)
        parsed = Elements(page)
        assert parsed.found == expected
        assert is_plain(page)
        assert parsed.text.count(escaped(name)) >= 8


@each_name
def test_the_page_holds_names_as_data(tmp_path, monkeypatch, name):
    monkeypatch.setattr(single_file, "_embedded", lambda *_: {"bytes": 1})
    model = layers("first", "second")
    path = single_file.write_page(model, tmp_path / "page.html", name=name, classes=[name] * 10)
    with_name = path.read_text(encoding="utf-8")
    plain = single_file.write_page(model, path, name="plain", classes=["plain"] * 10).read_text(encoding="utf-8")
    before, _, after = plain.partition('{"name":"plain"')
    assert with_name.startswith(before)
    entry = with_name.removeprefix(before).removesuffix(after[after.index("</script>") :])
    assert json.loads(entry) == {"name": name, "format": "tfjs", "bytes": 1, "classes": [name] * 10}
    assert "<" not in entry


@each_name
def test_the_log_of_the_server_is_a_line_each(capsys, name):
    middleware.log("GET", f"/{name}", 200, 0.001, 5)
    said = capsys.readouterr().err
    assert said == f"GET /{escaped(name)} 200 1.0 ms 5 bytes\n"


def test_numbers_that_json_lacks_become_null(capsys):
    value = {"a": [math.nan, (math.inf, -math.inf)], "b": {"c": 1.5, "d": None, "e": "NaN"}}
    text = plain_text.to_json(value)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": [None, [None, None]],
        "b": {"c": 1.5, "d": None, "e": "NaN"},
    }


def test_a_folder_may_be_called_as_a_field(tmp_path):
    folder = tmp_path / "{0}{x}"
    folder.mkdir()
    saving = callbacks.SaveEvery(folder / "at{epoch:04d}.weights.h5")
    saving.set_model(layers("first", "second"))
    saving.on_epoch_end(6)
    assert [path.name for path in folder.iterdir()] == ["at0007.weights.h5"]
