"""Each published vulnerability in how Keras loads models: the file that shows it, on each road that could read it."""

import io
import json
import re
import socket
import tarfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import yaml
from PIL import Image

from study_keras import formats
from study_keras.cli import main
from study_keras.data import dataset

SECRET = "words that only this computer has"
URL = "http://127.0.0.1:9/words.txt"  # an address, so that no name is looked up
WEIGHTS = "model.weights.h5"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def outside(tmp_path, monkeypatch):
    """Work in a folder beside a secret file; fail if the test writes outside of its folder, or opens a socket."""
    calls = []

    def connect(self, address):
        calls.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    (tmp_path / "secret.txt").write_text(SECRET + "\n")
    work = tmp_path / "a" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    yield work
    assert calls == []
    assert sorted(tmp_path.rglob("*")) == sorted([tmp_path / "a", tmp_path / "secret.txt", work, *work.rglob("*")])
    assert not list(work.rglob("marker*")), "code from a file ran"


# --- what the files describe: each function returns a layer, or several


def layer(class_name, module="keras.layers", **config):
    """Return the description of a layer in Keras 3's form."""
    described = {"name": "attack", **config}
    return {"module": module, "class_name": class_name, "config": described, "registered_name": None}


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def code():
    """Return a Lambda layer whose function, when it is called, writes the file ``marker``."""
    made = keras.layers.Lambda(lambda x: [open("marker", "w").close(), x][1], name="attack")  # noqa: PTH123
    return layer("Lambda", **made.get_config())


def code_of_keras_2():
    """Return the same as Keras 2 wrote it: the marshalled function, its defaults and its closure."""
    packed = code()["config"]["function"]["config"]
    written = [packed["code"], packed["defaults"], packed["closure"]]
    return layer("Lambda", function=written, function_type="lambda", arguments={})


def called(module, name, *arguments, **settings):
    """Return a function in the place of a layer, which Keras called with the arguments of its node."""
    node = {"args": list(arguments), "kwargs": settings}
    return {**function(module, name), "name": "attack", "inbound_nodes": [node]}


def call_in_lambda(module, name, **arguments):
    return layer("Lambda", function=function(module, name), arguments=arguments)


LAYERS = {
    # CVE-2024-3660: a Lambda layer has code in the file.
    "CVE-2024-3660 code": code,
    "CVE-2024-3660 code of Keras 2": code_of_keras_2,
    # CVE-2025-1550: any function of any module, called with arguments in the file.
    "CVE-2025-1550 node": lambda: called("os", "system", "touch marker"),
    "CVE-2025-1550 class": lambda: layer("Popen", "subprocess", args=["touch", "marker"]),
    "CVE-2025-1550 activation": lambda: layer("Activation", activation=function("os", "system")),
    "CVE-2025-1550 registered": lambda: {**layer("Popen", "subprocess"), "registered_name": "Dense"},
    # CVE-2025-8747: the same with functions of Keras itself, such as one that downloads a file.
    "CVE-2025-8747 node": lambda: called("keras.utils", "get_file", "marker", origin=URL, cache_dir="."),
    "CVE-2025-8747 lambda": lambda: call_in_lambda("keras.utils", "get_file", origin=URL, cache_dir="."),
    "CVE-2025-8747 activation": lambda: layer("Activation", activation=function("keras.utils", "get_file")),
    "CVE-2025-8747 class": lambda: layer("get_file", "keras.utils", fname="marker", origin=URL),
    # CVE-2025-9905: the safe mode does not hold for .h5 files.
    "CVE-2025-9905 code": code,
    # CVE-2025-9906: the file itself calls the function that ends the safe mode.
    "CVE-2025-9906 node": lambda: [called("keras.config", "enable_unsafe_deserialization"), code()],
    "CVE-2025-9906 lambda": lambda: [call_in_lambda("keras.config", "enable_unsafe_deserialization"), code()],
    # CVE-2025-12058: a vocabulary is the path or address of a file.
    "CVE-2025-12058 path": lambda: layer("StringLookup", vocabulary="../../secret.txt"),
    "CVE-2025-12058 integers": lambda: layer("IntegerLookup", vocabulary="../../secret.txt"),
    "CVE-2025-12058 text": lambda: layer("TextVectorization", vocabulary="../../secret.txt"),
    "CVE-2025-12058 address": lambda: layer("StringLookup", vocabulary=URL),
    "CVE-2025-12058 inside": lambda: layer(
        "TimeDistributed", layer=layer("StringLookup", vocabulary="../../secret.txt")
    ),
    # CVE-2026-12479: the name of a layer leads to a folder elsewhere, for the files that belong to the layer.
    "CVE-2026-12479 name": lambda: layer("StringLookup", name="../../marker", vocabulary=["a"]),
    # CVE-2026-1462: TFSMLayer runs a SavedModel somewhere else.
    "CVE-2026-1462 folder": lambda: layer("TFSMLayer", filepath="../../secret.txt", call_endpoint="serve"),
    "CVE-2026-1462 private name": lambda: layer(
        "TFSMLayer", "keras.src.export.tfsm_layer", filepath="../../secret.txt"
    ),
    # CVE-2026-12481: the safe mode is off where a layer creates a layer inside it.
    "CVE-2026-12481 inside": lambda: layer("TimeDistributed", layer=code()),
    "CVE-2026-12481 Keras 2 inside": lambda: layer("TimeDistributed", layer=code_of_keras_2()),
    "CVE-2026-12481 two inside": lambda: layer("TimeDistributed", layer=layer("TimeDistributed", layer=code())),
}
REFUSED = r"could run code|not a class of Keras|is not in Keras|vocabulary in the file|cannot contain character"


def structure(attack):
    """Return a Sequential model with the layers of an advisory."""
    found = LAYERS[attack]()
    entry = layer("InputLayer", batch_shape=[None, 1], dtype="float32", name="input")
    layers = [entry, *(found if isinstance(found, list) else [found])]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": layers}}


# --- the roads: each function writes a structure to a file


def harmless():
    """Return a model of the same kind, whose weights the files have."""
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="attack")], name="model")


def replace_entries(path, changed):
    """Write the archive at ``path`` again with other contents of some entries."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | changed).items():
            archive.writestr(name, content)


def write_keras(path, config):
    formats.save_keras(harmless(), path)
    replace_entries(path, {"config.json": json.dumps(config).encode()})


def write_h5(path, config):
    harmless().save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)


def write_h5_of_keras_2(path, config):
    write_h5(path, config)
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "2.15.0"


def write_tfjs(path, config):
    path.mkdir()
    content = {"format": "layers-model", "modelTopology": {"model_config": config}, "weightsManifest": []}
    (path / "model.json").write_text(json.dumps(content))


def write_saved_model(path, config):
    """Write a SavedModel folder of Keras 2, whose structure is JSON in protobuf messages."""

    def field(number, content):
        size = len(content)
        return bytes([number << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + content

    text = json.dumps({**config, "keras_version": "2.15.0"}).encode()
    node = field(3, b"root") + field(4, b"_tf_keras_sequential") + field(5, text)
    (path / "variables").mkdir(parents=True)
    formats.save_tf_checkpoint(harmless(), path / "variables" / "variables")
    (path / "saved_model.pb").touch()
    (path / "keras_metadata.pb").write_bytes(field(1, node))


ROADS = {
    "model.keras": write_keras,
    "model.h5": write_h5,
    "keras2.h5": write_h5_of_keras_2,
    "model.json": lambda path, config: path.write_text(json.dumps(config)),
    "model.yaml": lambda path, config: path.write_text(yaml.safe_dump(config)),
    "model.tfjs": write_tfjs,
    "saved_model": write_saved_model,
}


def refused(read, path, message):
    """Read a file, and check that it is refused in one line that names it and shows nothing of the secret."""
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    assert SECRET not in text
    assert len(text) < 1000


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("attack", LAYERS)
def test_a_structure_is_refused(attack, road, outside):
    ROADS[road](outside / road, structure(attack))
    refused(formats.load, outside / road, REFUSED)


# --- the arrays: each function adds what an advisory is about to an HDF5 file


def external(file):
    file.create_dataset("more", (len(SECRET),), "u1", external=[("../../secret.txt", 0, len(SECRET))])


def external_as_weight(file):
    """Let a weight of the model itself read the other file."""
    weight = next(name for name, item in arrays(file) if item.shape == (1, 1))
    del file[weight]
    file.create_dataset(weight, (1, 1), "f4", external=[("../../secret.txt", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("../../secret.txt", "data", (4,))
    file.create_virtual_dataset("more", layout)


def huge_weight(file):
    weight = next(name for name, item in arrays(file) if item.shape == (1, 1))
    del file[weight]
    file.create_dataset(weight, (2**40, 2**20), "f4", chunks=(1024, 1))


def arrays(file):
    found = []
    file.visititems(lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None)
    return found


ARRAYS = {
    # CVE-2026-0897: a dataset declares more memory than any computer has.
    "CVE-2026-0897 more": (lambda file: file.create_dataset("more", (2**50,), "f4"), "stores only 0"),
    "CVE-2026-0897 weight": (huge_weight, "stores only 0"),
    # CVE-2026-1669: a dataset reads its data from another file.
    "CVE-2026-1669 external": (external, "from another file"),
    "CVE-2026-1669 external weight": (external_as_weight, "from another file"),
    "CVE-2026-1669 virtual": (virtual, "from another file"),
    "CVE-2026-1669 link": (
        lambda file: file.__setitem__("more", h5py.ExternalLink("../../secret.txt", "/")),
        "is a link",
    ),
}


def write_arrays(path, attack):
    """Save a model, and change its HDF5 file, or the one in its archive."""
    change = ARRAYS[attack][0]
    harmless().save_weights(path) if path.name.endswith(".weights.h5") else harmless().save(path)
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            change(file)
        return
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(weights, "r+") as file:
        change(file)
    replace_entries(path, {WEIGHTS: weights.getvalue()})


@pytest.mark.parametrize("road", ["model.keras", "model.h5", "model.weights.h5"])
@pytest.mark.parametrize("attack", ARRAYS)
def test_arrays_are_refused(attack, road, outside):
    write_arrays(outside / road, attack)
    model = harmless()
    before = model.get_weights()
    refused(lambda path: formats.load_weights(model, path), outside / road, ARRAYS[attack][1])
    for array, former in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, former)
    if not road.endswith(".weights.h5"):
        refused(formats.load, outside / road, ARRAYS[attack][1])


# --- the archives: each function writes one with an entry that leads outside


def zip_with(path, name, content=b"x", mode=0o100644):
    """Add an entry to the archive at ``path``, of a model or of a dataset."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, content)


def zip_through_link(path):
    zip_with(path, "assets", b"../..", 0o120777)
    zip_with(path, "assets/marker")


def tar(path):
    """Replace the archive by a TAR, through whose link an entry would be written outside."""
    link, entry = tarfile.TarInfo("folder"), tarfile.TarInfo("folder/marker")
    link.type, link.linkname = tarfile.SYMTYPE, "../.."
    with tarfile.open(path, "w") as archive:
        archive.addfile(link)
        archive.addfile(entry, io.BytesIO())


ARCHIVES = {
    # CVE-2025-12060: keras.utils.get_file unpacks a TAR whose links and paths lead outside.
    "CVE-2025-12060 link": (tar, "ZIP archive|not a dataset"),
    # GHSA-hqp4-2352-xf5r: paths were compared with the current folder, not with that to unpack in.
    "GHSA-hqp4-2352-xf5r path": (lambda path: zip_with(path, "../../marker"), "outside the archive"),
    "GHSA-hqp4-2352-xf5r long path": (lambda path: zip_with(path, "assets/../../marker"), "outside the archive"),
    "GHSA-hqp4-2352-xf5r absolute": (lambda path: zip_with(path, str(path.with_name("marker"))), "outside the archive"),
    "GHSA-hqp4-2352-xf5r link": (zip_through_link, "symbolic link"),
}


@pytest.mark.parametrize("attack", ARCHIVES)
def test_an_archive_is_refused(attack, outside):
    write, message = ARCHIVES[attack]
    model = formats.save_keras(harmless(), outside / "model.keras")
    write(model)
    refused(formats.load, model, message)
    refused(lambda path: formats.load_weights(harmless(), path), model, message)
    np.savez(outside / "data.npz", **{name: [0] for name in ("x_train", "y_train", "x_test", "y_test")})
    write(outside / "data.npz")
    refused(dataset.load_data, outside / "data.npz", message)


def test_nothing_here_downloads_or_unpacks():
    """CVE-2025-12060 and CVE-2025-8747 need functions that this project does not call."""
    for source in (ROOT / "src").rglob("*.py"):
        for word in ("get_file(", "extractall(", "extract_archive(", "unpack_archive(", "tarfile", "urlretrieve"):
            assert word not in source.read_text(), source


# --- the command


def write_archive(path, attack):
    formats.save_keras(harmless(), path)
    ARCHIVES[attack][0](path)


COMMANDS = {
    **{attack: (lambda path, attack: write_keras(path, structure(attack)), REFUSED) for attack in LAYERS},
    **{attack: (write_arrays, message) for attack, (_, message) in ARRAYS.items()},
    **{attack: (write_archive, message) for attack, (_, message) in ARCHIVES.items()},
}


@pytest.mark.parametrize("attack", COMMANDS)
def test_the_command_prints_one_line(attack, outside, capsys):
    write, message = COMMANDS[attack]
    write(outside / "model.keras", attack)
    Image.new("L", (28, 28), 255).save("picture.png")
    assert main(["predict", "--model", "model.keras", "picture.png"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "model.keras" in printed.err
    assert re.search(message, printed.err)
    assert "Traceback" not in printed.err
    assert SECRET not in printed.err


# --- the files are what their advisories say


def test_the_files_would_do_what_their_advisories_say(outside):
    """Without the checks, and without Keras' own, the code runs and the other files are read."""
    write_keras(outside / "code.keras", structure("CVE-2024-3660 code"))
    keras.saving.load_model("code.keras", safe_mode=False)
    assert Path("marker").is_file()
    Path("marker").unlink()
    write_keras(outside / "words.keras", structure("CVE-2025-12058 path"))
    words = keras.saving.load_model("words.keras", safe_mode=False).layers[0].get_vocabulary()
    assert SECRET in words
    write_arrays(outside / "model.weights.h5", "CVE-2026-1669 external")
    with h5py.File("model.weights.h5") as file:
        assert bytes(file["more"][()]).decode() == SECRET
