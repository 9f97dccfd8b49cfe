"""Teaching in the page: its files are NumPy's and Keras', and the view "Teach" does in a real browser what it says."""

import io
import json
import re
import struct
import zipfile
import zlib

import keras
import numpy as np
import pytest
from browser_checks import node, run_checks
from conftest import COMMAND, ROOT, hello_mnist

from study_keras import formats, mnist
from study_keras.data import dataset
from study_keras.serve import single_file

WORDS = ["shirt", "shoe", "bag & hat"]


def parts_of(count, classes=10, seed=0):
    """Images with a label each, a quarter of them to test on, as a dataset has them."""
    (images, labels), _ = mnist.load_data()
    order = np.flatnonzero(labels < classes)[seed : seed + count]
    train, test = order[: -(count // 4)], order[-(count // 4) :]
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}


def written(path, write=np.savez, **changed):
    write(path, **{**parts_of(24), **changed})
    return path


PACK = """
import { writeFileSync } from "node:fs";
import { packDrawings } from "./teach/save.js";
const labels = JSON.parse(process.argv[2]);
const imageOf = (n) => Uint8Array.from({ length: 784 }, (_, i) => (n * 31 + i) % 256);
const drawings = labels.map((label, n) => ({ label, image: imageOf(n) }));
writeFileSync(process.argv[1], packDrawings(drawings));
console.log(drawings.length);
"""


@pytest.mark.parametrize("labels", [[3], [0, 1], [7] * 10, [0] * 2 + [5] * 11 + [9], [0, 1, 2] * 40])
def test_numpy_reads_the_drawings_that_the_page_saves(labels, tmp_path):
    path = tmp_path / "drawings.npz"
    node(PACK, path, json.dumps(sorted(labels)))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None  # the checksums are right
    with np.load(path) as arrays:
        parts = {name: arrays[name] for name in arrays}
    assert {array.dtype.name for array in parts.values()} == {"uint8"}
    assert [parts[f"x_{part}"].shape for part in ("train", "test")] == [
        (len(parts["y_train"]), 28, 28),
        (len(parts["y_test"]), 28, 28),
    ]
    drawings = {(label, bytes(image)) for part in ("train", "test") for image, label in pairs(parts, part)}
    expected = [(np.arange(784) + 31 * n) % 256 for n in range(len(labels))]
    assert drawings == {
        (label, bytes(image.astype("u1"))) for image, label in zip(expected, sorted(labels), strict=True)
    }
    tested = np.bincount(parts["y_test"], minlength=10)
    for label, count in enumerate(np.bincount(labels, minlength=10)):
        if count > 1:
            assert 0 < tested[label] <= max(1, round(count / 5))
    dataset.load_data(path)


def pairs(parts, part):
    return zip(parts[f"x_{part}"], parts[f"y_{part}"].tolist(), strict=True)


def test_the_checksum_is_that_of_zip():
    code = """
    import { crc32 } from "./zip.js";
    const contents = [[], [0], [1, 2, 3], Array.from({ length: 1000 }, (_, i) => i % 251)];
    console.log(JSON.stringify(contents.map((bytes) => crc32(Uint8Array.from(bytes)))));
    """
    contents = (b"", b"\0", b"\1\2\3", bytes(i % 251 for i in range(1000)))
    assert node(code) == [zlib.crc32(content) for content in contents]


def test_a_drawing_is_moved_by_one_pixel_in_each_direction():
    code = """
    import { varied } from "./teach/varied.js";
    const image = new Uint8Array(784);
    image[28 * 14 + 14] = 255;
    const few = varied([{ label: 3, image }]);
    const many = varied(Array.from({ length: 900 }, () => ({ label: 3, image })));
    const placeOf = (n) => few.pixels.subarray(784 * n, 784 * n + 784).indexOf(1) - (28 * 14 + 14);
    const places = Array.from({ length: 9 }, (_, n) => placeOf(n));
    console.log(JSON.stringify({ places, labels: [...few.labels], many: many.labels.length }));
    """
    found = node(code)
    assert found["places"][0] == 0
    assert sorted(found["places"]) == [-29, -28, -27, -1, 0, 1, 27, 28, 29]
    assert found["labels"] == [3] * 9
    assert found["many"] == 1800


def layer(kind, inputs, units=10, activation="relu", *, bias=True):
    weights = [{"name": "kernel", "shape": [inputs, units]}, *([{"name": "bias", "shape": [units]}] if bias else [])]
    return {
        "name": f"{kind}_{inputs}",
        "type": kind,
        "config": {"activation": activation},
        "shape": [units],
        "weights": weights,
    }


DENSE = layer("Dense", 64, activation="softmax")
TAUGHT = {
    "a network of convolutions": (
        [layer("Conv2D", 9, 64), DENSE],
        {"names": ["Dense_64"], "before": "Conv2D_9", "activation": "linear"},
    ),
    "dense layers only": (
        [layer("Dense", 784, 64, "tanh"), DENSE],
        {"names": ["Dense_784", "Dense_64"], "before": None, "activation": "tanh"},
    ),
    "without a softmax": (
        [layer("Conv2D", 9, 64), layer("Dense", 64, activation="linear")],
        {"names": ["Dense_64"], "before": "Conv2D_9", "activation": "linear"},
    ),
    "another activation between": ([layer("Dense", 784, 64, "elu"), DENSE], None),
    "two activations between": (
        [layer("Dense", 784, 30, "relu"), layer("Dense", 30, 64, "tanh"), DENSE],
        None,
    ),
    "another activation at the end": ([layer("Dense", 784, activation="sigmoid")], None),
    "no bias": ([layer("Dense", 784, activation="softmax", bias=False)], None),
    "another layer at the end": ([DENSE, {**DENSE, "name": "s", "type": "Softmax", "weights": []}], None),
    "too many inputs": ([layer("Dense", 8193, activation="softmax")], None),
    "no layer": ([], None),
}


@pytest.mark.parametrize("kind", TAUGHT)
def test_the_dense_layers_at_the_end_are_taught(kind):
    layers, expected = TAUGHT[kind]
    code = """
    import { taughtLayers } from "./teach/learning.js";
    console.log(JSON.stringify(taughtLayers({ layers: { list: () => JSON.parse(process.argv[1]) }, classes: 10 })));
    """
    assert node(code, json.dumps(layers)) == expected


def hostile_files(folder):
    """Files that are no drawings for a network of ten classes: name -> path, and words of what the page says."""
    good = written(folder / "good.npz").read_bytes()
    at = good.rindex(b"PK\x01\x02")

    def saved(name, content):
        (folder / name).write_bytes(content)
        return folder / name

    def patched(offset, value):
        return good[: at + offset] + struct.pack("<I", value) + good[at + offset + 4 :]

    bomb = io.BytesIO()
    np.savez_compressed(
        bomb, **{**parts_of(24), "x_train": np.zeros((60_000, 28, 28), "u1"), "y_train": np.zeros(60_000, "u1")}
    )
    broken, labels = "cannot be read", np.full(18, 12, "u1")
    return {
        "nothing": (saved("a", b""), broken),
        "text": (saved("b.npz", b"no archive at all, but long enough for its end"), broken),
        "cut off": (saved("c.npz", good[:-100]), broken),
        "cut in half": (saved("d.npz", good[: len(good) // 2] + good[-22:]), broken),
        "a size of 4 GB": (saved("e.npz", patched(20, 2**32 - 1)), broken),
        "a place behind the end": (saved("f.npz", patched(42, 2**31)), broken),
        "another dtype": (written(folder / "g.npz", x_train=parts_of(24)["x_train"] / 255.0), broken),
        "labels of eight bytes": (written(folder / "h.npz", y_test=parts_of(24)["y_test"].astype("i8")), broken),
        "Fortran order": (written(folder / "i.npz", x_test=np.asfortranarray(parts_of(24)["x_test"])), broken),
        "fewer labels": (written(folder / "j.npz", y_train=np.zeros(17, "u1")), broken),
        "other images": (written(folder / "k.npz", x_train=np.zeros((18, 32, 32), "u1")), broken),
        "no test": (saved("l.npz", training_only(folder)), broken),
        "pickled objects": (written(folder / "m.npz", y_test=np.array([{}] * 6, object)), broken),
        "a bomb": (saved("n.npz", bomb.getvalue()), broken),
        "too many": (
            written(folder / "o.npz", x_train=np.zeros((1000, 28, 28), "u1"), y_train=np.zeros(1000, "u1")),
            "1,006 drawings",
        ),
        "label 12": (written(folder / "p.npz", y_train=labels), "label 12"),
        "too large": (saved("q.npz", good + bytes(20_000_000)), "too large"),
    }


def training_only(folder):
    np.savez(folder / "training.npz", **{name: part for name, part in parts_of(24).items() if "train" in name})
    return (folder / "training.npz").read_bytes()


@pytest.fixture(scope="module")
def shipped():
    return formats.load(ROOT / "src/study_keras/shipped/digits.tfjs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("teach")


@pytest.fixture(scope="module")
def hostile(folder):
    return hostile_files(folder)


@pytest.fixture(scope="module")
def seen(folder, shipped, hostile):
    """A function: what came of one of the checks in check_teach.mjs."""
    models = {
        "digits": (shipped, None),
        "words": (keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), *dense(3, "softmax")]), WORDS),
        "other": (keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), *dense(10, "sigmoid")]), None),
    }
    pages = {
        name: str(single_file.write_page(model, folder / f"{name}.html", classes=classes, prove=False))
        for name, (model, classes) in models.items()
    }
    few = np.arange(12, dtype="u1") % 3
    files = {
        "stored": written(folder / "stored.npz"),
        "compressed": written(folder / "compressed.npz", np.savez_compressed),
        "few": written(folder / "few.npz", y_train=np.tile(few, 2)[:18], y_test=few[:6]),
    }
    mnist.load_data()[1][0][:50].tofile(folder / "images")
    spec = {
        "folder": str(folder),
        "pages": pages,
        "server": [str(COMMAND), "serve", "--port", "0"],
        "images": str(folder / "images"),
        "files": {name: str(path) for name, path in files.items()},
        "hostile": {name: str(path) for name, (path, _) in hostile.items()},
    }
    return run_checks("check_teach.mjs", spec, folder)


def dense(units, activation):
    return keras.layers.Dense(20, "relu"), keras.layers.Dense(units, activation)


def accuracies(said):
    return [float(share) for share in re.findall(r"(\d+\.\d) %", said)]


def test_a_hand_that_is_read_wrong_is_read_right_after_a_lesson(seen):
    teaches = seen("teaches")
    assert teaches["before"][0] != "7"
    assert teaches["before"][1] == "7"
    assert teaches["after"] == ["7", "7", "7", "7", "7", "1", "4"]  # none of these was in the lesson
    assert teaches["read"][:2] == ["7", "4"]  # in the view "Read", too
    assert teaches["read"][2] != "7"  # after Undo
    assert teaches["taught"].startswith("Taught. 10 of 10 of your drawings")
    before, after = accuracies(teaches["taught"])
    assert before > 99
    assert after >= before - 1
    assert teaches["table"]
    assert teaches["changed"]


def test_a_lesson_needs_ten_drawings_and_says_so(seen):
    needs = seen("teaches")["needs"]
    assert [enabled for enabled, _ in needs] == [False, False, True]
    assert needs[0][1] == "A lesson needs at least 10 drawings: label 10 more."
    assert needs[1][1] == "A lesson needs at least 10 drawings: label 1 more."
    assert needs[2][1] == ""


def test_undo_and_cancel_leave_the_original_weights_bit_for_bit(seen):
    teaches = seen("teaches")
    assert teaches["same"]
    assert teaches["cancelled"].startswith("Cancelled")
    assert teaches["undo"]
    assert teaches["undone"].startswith("Undone")
    assert teaches["again"] != ["7"]  # as taught; which other digit it is differs, since the hand shakes


def test_the_page_stays_smooth_while_it_teaches(seen):
    frames = sorted(seen("teaches")["smooth"])
    assert len(frames) > 30
    assert frames[len(frames) // 2] < 50  # milliseconds, also on a busy machine


def test_the_drawings_stay_until_they_are_removed(seen):
    keeps = seen("keeps")
    assert keeps["before"] == keeps["after"]
    assert sum(counts(keeps["before"])) == 24
    assert sum(counts(keeps["one"])) == 23
    assert keeps["said"] == "Removed. You have 23 drawings."
    assert keeps["asked"] == "Remove all 23 drawings?"
    assert keeps["kept"] == keeps["one"]
    assert keeps["none"] == keeps["damaged"] == keeps["broken"] == []
    assert not keeps["note"]


def counts(kinds):
    return [int(kind.rpartition(" ")[2]) for kind in kinds]


def test_without_storage_the_drawings_last_until_the_page_is_closed(seen):
    assert sum(counts(seen("blocked")["kinds"])) == 24
    assert seen("blocked")["note"]


def test_hostile_files_are_refused_in_a_sentence_and_change_nothing(seen, hostile):
    found = seen("files")["hostile"]
    assert found.keys() == hostile.keys()
    for name, (said, kinds) in found.items():
        assert hostile[name][1] in said, (name, said)
        assert counts(kinds) == [1], name


def test_the_page_reads_what_numpy_writes_and_its_own_files(seen):
    stored, compressed, one = seen("files")["opened"]
    assert stored == compressed
    assert stored[1:] == ["24 drawings added. You have 24 drawings.", ""]
    assert one[1] == "1 drawing added. You have 1 drawing."
    assert seen("files")["twice"][1] == "0 drawings added. You have 25 drawings."


def test_numpy_reads_the_same_drawings(seen, folder):
    seen("files")
    saved = [dataset.load_data(folder / name) for name in ("all.npz", "stored.npz", "one.npz")]
    everything, stored, one = ({bytes(image) for part in parts for image in part[0]} for parts in saved)
    assert everything == stored | one


def test_hello_mnist_trains_on_the_drawings(seen, folder, tmp_path):
    seen("files")
    done = hello_mnist("train", "--data", folder / "all.npz", "--epochs", 1, "--output", tmp_path, "--json")
    assert done.returncode == 0, done.stderr


def test_a_network_whose_classes_have_names_is_taught_all_its_dense_layers(seen):
    words = seen("words")
    assert words["labels"] == WORDS
    assert counts(words["kinds"]) == [8, 8, 9]
    assert words["about"].startswith("Trains all layers, ")
    assert not words["keys"]
    assert words["taught"].startswith("Taught. ")
    assert words["row"] == "500 images of MNIST, answered as before"


def test_a_network_that_cannot_be_taught_says_why_and_shows_no_controls(seen):
    assert seen("other")["about"].startswith("This network cannot be taught: ")
    assert not seen("other")["controls"]
    assert seen("served")["lite"]["about"].startswith("Only TensorFlow.js models")
    assert sum(counts(seen("served")["lite"]["kinds"])) == 24  # the drawings are not the model's


def test_the_saved_network_gives_the_page_s_own_probabilities_in_keras(seen, folder, tmp_path):
    served = seen("served")
    assert "1,000 test images" in served["tests"]
    done = hello_mnist("convert", folder / "served.tfjs", tmp_path / "mine.keras", "--json")
    assert done.returncode == 0, done.stderr
    (_, _), (images, _) = mnist.load_data()
    expected = formats.load(tmp_path / "mine.keras").predict(images[:50] / 255.0, verbose=0)
    found = np.reshape(served["probabilities"], (50, 10))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_lesson_changes_only_the_last_layer(seen, folder, shipped):
    seen("served")
    taught = formats.load(folder / "served.tfjs")
    for before, after in zip(shipped.layers, taught.layers, strict=True):
        same = all(np.array_equal(*pair) for pair in zip(before.get_weights(), after.get_weights(), strict=True))
        assert same == (before.name != "dense"), before.name


def test_a_phone_teaches_in_both_languages(seen):
    phone = seen("phone")
    assert phone["said"].startswith("训练完成。你的 25 个样本中有")
    for language in ("chinese", "english"):
        assert phone[language]["overflow"] <= 0
        assert phone[language]["small"] == 0
    assert phone["chinese"]["text"][:4] == ["你的样本", "共 25 个。点按某个样本可将它移除。", "开始教", "教网络"]
    assert all(re.search("[一-鿿]", text) for text in phone["chinese"]["text"])
    assert not any(re.search("[一-鿿]", text) for text in phone["english"]["text"])


def test_the_keyboard_alone_draws_labels_teaches_and_undoes(seen):
    keyboard = seen("keyboard")
    assert keyboard["needs"] == [False, "A lesson needs at least 10 drawings: label 1 more."]
    assert keyboard["focus"] == "Remove drawing 1 of 1"
    assert keyboard["said"].startswith("Taught. 10 of 10 ")
    assert keyboard["undone"] == "lesson-save"
    assert counts(keyboard["kinds"]) == [10]


def test_axe_finds_no_barrier_in_the_teaching(seen):
    assert seen("axe") == {f"{scheme} {state}": [] for scheme in ("light", "dark") for state in ("taught", "asked")} | {
        "new": []
    }


def test_no_request_left_the_page_and_no_error_reached_the_console(seen):
    assert seen("errors") == []
    own = ("file:", "blob:", "about:blank", seen("served")["url"])
    assert [url for url in seen("requests") if not url.startswith(own)] == []
