"""Files that want to do harm, or are broken: each is refused with a ValueError, and none runs code."""

import json
import os
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import pytest

from study_keras import formats

CODE = "open(r'{mark}', 'w').close()"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small model in every format."""
    folder = tmp_path_factory.mktemp("good")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    for name in ("m.keras", "m.h5", "m.weights.h5", "m.json", "m.yaml", "m.ckpt", "saved"):
        formats.save(model, folder / name)
    return folder


@pytest.fixture
def mark(tmp_path):
    """A file that exists only if code from a file has run."""
    path = tmp_path / "code_has_run"
    yield path
    assert not path.exists()


def layer(class_name, config=None, **more):
    return {"module": "keras.layers", "class_name": class_name, "config": config or {}, **more}


def sequential(*layers):
    inputs = layer("InputLayer", {"batch_shape": [None, 3], "name": "in"})
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [inputs, *layers]},
    }


def dense(**config):
    return layer("Dense", {"units": 2, **config})


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAA", "defaults": None, "closure": None}}
DEEP = {"class_name": "Sequential", "config": {}}
for _ in range(300):
    DEEP = {"class_name": "Sequential", "config": {"layers": [DEEP]}}
STRUCTURES = {
    "lambda-layer": sequential(layer("Lambda", {"function": LAMBDA})),
    "lambda-layer-of-keras-2": sequential(
        {"class_name": "Lambda", "config": {"function": ["4wEAAAAA", None, None], "function_type": "lambda"}}
    ),
    "lambda-as-activation": sequential(dense(activation=LAMBDA)),
    "lambda-with-a-named-function": sequential(layer("Lambda", {"function": function("os", "system")})),
    "lambda-in-a-wrapper": sequential(layer("TimeDistributed", {"layer": layer("Lambda", {"function": LAMBDA})})),
    "class-of-os": sequential({"module": "os", "class_name": "system", "config": {"command": "true"}}),
    "class-of-subprocess": sequential({"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}}),
    "class-of-a-stranger": sequential({"module": "evil", "class_name": "Layer", "config": {}}),
    "class-without-a-module": sequential({"class_name": "Evil", "config": {}}),
    "registered-name-of-a-stranger": sequential(layer("Evil", registered_name="evil>Evil")),
    "function-of-os": sequential(dense(activation=function("os", "system"))),
    "function-of-builtins": sequential(dense(activation=function("builtins", "eval"))),
    "function-of-keras-tools": sequential(dense(activation=function("keras.utils", "get_file"))),
    "function-private-to-keras": sequential(dense(activation=function("keras.src.utils.python_utils", "func_load"))),
    "module-private-to-keras": sequential(
        {"module": "keras.src.utils.python_utils", "class_name": "func_load", "config": {}}
    ),
    "class-of-keras-tools": sequential({"module": "keras.utils", "class_name": "Progbar", "config": {"target": 1}}),
    "callback-of-keras": sequential(
        {"module": "keras.callbacks", "class_name": "CSVLogger", "config": {"filename": "x"}}
    ),
    "saved-model-layer": sequential(layer("TFSMLayer", {"filepath": "/tmp/evil"})),
    "torch-layer": sequential(layer("TorchModuleWrapper", {"module": "gASVHAAAAA=="})),
    "jax-layer": sequential(layer("JaxLayer", {"call_fn": LAMBDA})),
    "vocabulary-of-a-file": sequential(layer("StringLookup", {"vocabulary": "/etc/passwd"})),
    "typespec": sequential(dense(units={"class_name": "__typespec__", "config": [], "spec_name": "x"})),
    "a-layer-and-no-model": dense(),
    "a-list": [1, 2],
    "a-number": 3,
    "an-object-without-a-class": {"config": {}},
    "class-name-not-text": sequential({"module": "keras.layers", "class_name": ["Dense"], "config": {}}),
    "module-not-text": sequential({"module": {"a": 1}, "class_name": "Dense", "config": {"units": 1}}),
    "units-negative": sequential(dense(units=-4)),
    "units-absurd": sequential(dense(units=10**17)),
    "units-that-overflow": sequential(dense(units=2**62 + 8)),
    "shape-that-overflows": {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [layer("InputLayer", {"batch_shape": [None, 2**20, 2**20], "name": "in"}), dense()],
        },
    },
    "units-text": sequential(dense(units="many")),
    "nested-too-deep": DEEP,
    "setting-unknown": sequential(dense(evil=True)),
    "calls-of-tensorflow": {
        "class_name": "Functional",
        "config": {
            "name": "m",
            "layers": [{"class_name": "TFOpLambda", "config": {}, "name": "t", "inbound_nodes": [["a", 0, 0, {}]]}],
            "input_layers": [],
            "output_layers": [],
        },
    },
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_a_structure_is_refused_in_json_keras_and_h5(structure, good, tmp_path, mark):
    text = json.dumps(structure)
    (tmp_path / "m.json").write_text(text)
    with zipfile.ZipFile(good / "m.keras") as source, zipfile.ZipFile(tmp_path / "m.keras", "w") as target:
        target.writestr("config.json", text)
        target.writestr("model.weights.h5", source.read("model.weights.h5"))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = text
        file.create_group("model_weights").attrs["layer_names"] = []
    for name in ("m.json", "m.keras", "m.h5"):
        with pytest.raises(ValueError, match=name):
            formats.load(tmp_path / name)


COMPILES = {
    "optimizer-of-a-stranger": {"optimizer": function("os", "system"), "loss": "mse"},
    "optimizer-that-is-gone": {"optimizer": {"class_name": "TFOptimizer", "config": {}}, "loss": "mse"},
    "loss-of-a-stranger": {"optimizer": "adam", "loss": {"class_name": "Evil", "config": {}}},
    "loss-as-code": {"optimizer": "adam", "loss": LAMBDA},
    "loss-that-only-a-name-is-left-of": {"optimizer": "adam", "loss": "my_loss"},
    "metric-of-a-stranger": {"optimizer": "adam", "loss": "mse", "metrics": [function("builtins", "eval")]},
    "metric-that-only-a-name-is-left-of": {"optimizer": "adam", "loss": "mse", "metrics": ["accuracy", "my_metric"]},
    "no-object": [1, 2],
}


@pytest.mark.parametrize("settings", COMPILES.values(), ids=COMPILES.keys())
def test_what_cannot_be_compiled_stays_uncompiled_with_a_warning_and_runs_no_code(settings, good, tmp_path, mark):
    with zipfile.ZipFile(good / "m.keras") as source, zipfile.ZipFile(tmp_path / "m.keras", "w") as target:
        config = json.loads(source.read("config.json")) | {"compile_config": settings}
        target.writestr("config.json", json.dumps(config))
        target.writestr("model.weights.h5", source.read("model.weights.h5"))
    (tmp_path / "m.h5").write_bytes((good / "m.h5").read_bytes())
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file.attrs["study_keras_sha256"]
        file.attrs["training_config"] = json.dumps(settings)
    expected = formats.load(good / "m.keras")
    for name in ("m.keras", "m.h5"):
        with pytest.warns(UserWarning, match=r"the model sequential\w* is left uncompiled; .*: .+"):
            model = formats.load(tmp_path / name)
        assert not model.compiled
        np.testing.assert_array_equal(model(np.ones((1, 3))), expected(np.ones((1, 3))))
        formats.save(model, tmp_path / "again.keras")
        assert not formats.load(tmp_path / "again.keras").compiled


YAMLS = {
    "object-apply": "!!python/object/apply:os.system ['touch {mark}']",
    "object-new": "!!python/object/new:subprocess.Popen [['touch', '{mark}']]",
    "name": "!!python/name:os.system",
    "module": "!!python/module:antigravity",
    "object": "!!python/object:os.environ {{}}",
    "private-tag": "!evil {{}}",
    "binary": "a: !!binary aGVsbG8=",
    "set": "!!set {{a, b}}",
    "timestamp": "a: 2020-01-01",
    "inside-a-config": "class_name: Sequential\nconfig: !!python/object/apply:os.system ['touch {mark}']",
    "tuple-as-a-key": "!!python/tuple [1, 2]: 3",
    "alias-bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"{b}: &{b} [" + ",".join([f"*{a}"] * 9) + "]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "merge-bomb": "a: &a {{x: 1}}\nb: &b {{<<: [*a, *a, *a]}}\nc: {{<<: [*b, *b]}}",
    "alias-to-itself": "&a [*a]",
    "deep": "[" * 2000 + "]" * 2000,
    "two-documents": "a: 1\n---\nb: 2",
    "not-yaml": "a: [1, 2",
    "binary-rubbish": "\x00\x01",
    "empty": "",
}


@pytest.mark.parametrize("text", YAMLS.values(), ids=YAMLS.keys())
def test_a_yaml_is_refused(text, tmp_path, mark):
    path = tmp_path / "m.yaml"
    path.write_text(text.format(mark=mark) if "mark" in text or "{{" in text else text)
    with pytest.raises(ValueError, match=r"m\.yaml: cannot be read"):
        formats.load(path)


def zipped(**parts):
    def write(path, good):
        with zipfile.ZipFile(good / "m.keras") as source:
            members = {name: source.read(name) for name in source.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {**members, **parts}.items():
                if content is not None:
                    archive.writestr(name, content)

    return write


def doubled(path, good):
    zipped()(path, good)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")


def linked(path, good):
    zipped()(path, good)
    entry = zipfile.ZipInfo("assets/link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")


ARCHIVES = {
    "escapes-upwards": zipped(**{"../evil": b"x"}),
    "escapes-in-the-middle": zipped(**{"assets/../../evil": b"x"}),
    "absolute": zipped(**{"/tmp/evil": b"x"}),
    "backslashes": zipped(**{"assets\\..\\..\\evil": b"x"}),
    "drive": zipped(**{"C:evil": b"x"}),
    "symbolic-link": linked,
    "bomb": zipped(**{"assets/zeros": bytes(1 << 26)}),
    "same-name-twice": doubled,
    "no-config": zipped(**{"config.json": None}),
    "no-weights": zipped(**{"model.weights.h5": None}),
    "config-not-json": zipped(**{"config.json": b"{"}),
    "weights-not-hdf5": zipped(**{"model.weights.h5": b"rubbish"}),
    "weights-pickled": zipped(**{"model.weights.h5": b"\x80\x04cos\nsystem\n."}),
    "no-archive": lambda path, good: path.write_bytes(b"rubbish"),
    "empty": lambda path, good: path.write_bytes(b""),
    "a-folder": lambda path, good: path.mkdir(),
    "nothing-there": lambda path, good: None,
}


@pytest.mark.parametrize("write", ARCHIVES.values(), ids=ARCHIVES.keys())
def test_an_archive_is_refused(write, good, tmp_path):
    write(tmp_path / "m.keras", good)
    with pytest.raises(ValueError, match=r"m\.keras: cannot be read"):
        formats.load(tmp_path / "m.keras")
    assert not (tmp_path.parent / "evil").exists()


def soft(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def external(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")


def group_external(file):
    del file["layers/dense"]
    file["layers/dense"] = h5py.ExternalLink("other.h5", "/")


def virtual(file):
    layout = h5py.VirtualLayout((3, 4), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 4))
    del file["layers/dense/vars/0"]
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def stored_outside(file):
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (3, 4), "f4", external=[("/etc/passwd", 0, 48)])


def replaced(value, **options):
    def change(file):
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", data=value, **options)

    return change


def huge(file):
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip")


def loop(file):
    file["layers/dense/again"] = file["layers"]


def missing(file):
    del file["layers/dense"]


def more(file):
    file["layers/dense_2/vars/0"] = np.zeros((2, 2), "f4")


HDF5 = {
    "soft-link": soft,
    "external-link": external,
    "external-link-for-a-group": group_external,
    "virtual-dataset": virtual,
    "numbers-in-another-file": stored_outside,
    "another-shape": replaced(np.zeros((4, 3), "f4")),
    "text-for-numbers": replaced(np.array([b"a"] * 12).reshape(3, 4)),
    "objects-for-numbers": replaced(np.array(["x"] * 3, dtype=object), dtype=h5py.string_dtype()),
    "shape-bomb": huge,
    "loop-of-groups": loop,
    "a-layer-less": missing,
    "a-layer-more": more,
}


@pytest.mark.parametrize("change", HDF5.values(), ids=HDF5.keys())
def test_weights_are_refused_and_the_model_is_as_before(change, good, tmp_path):
    path = tmp_path / "m.weights.h5"
    path.write_bytes((good / "m.weights.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        del file.attrs["study_keras_sha256"]
        change(file)
    model = formats.load(good / "m.keras")
    before = [np.array(variable.value) for variable in model.variables]
    with pytest.raises(ValueError, match=r"m\.weights\.h5: "):
        formats.load_weights(model, path)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.value, value)


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.ckpt", "m.h5"])
def test_weights_of_another_model_are_refused_with_the_layer_and_both_shapes(name, good):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(5, name="last")])
    before = [np.array(variable.value) for variable in other.variables]
    with pytest.raises(ValueError, match=r"layer last: expected .*\(4, 5\), found the shape \(4, 2\)"):
        formats.load_weights(other, good / name)
    for variable, value in zip(other.variables, before, strict=True):
        np.testing.assert_array_equal(variable.value, value)


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped"])
def test_a_broken_checkpoint_is_refused(part, damage, good, tmp_path):
    for name in ("index", "data-00000-of-00001"):
        content = bytearray((good / f"m.ckpt.{name}").read_bytes())
        if name == part:
            content[len(content) // 2] ^= 8 if damage == "flipped" else 0
            content = content[: {"empty": 0, "cut": len(content) // 2}.get(damage, len(content))]
        if (name, damage) != (part, "missing"):
            (tmp_path / f"m.ckpt.{name}").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.ckpt"):
        formats.load_weights(formats.load(good / "m.json"), tmp_path / "m.ckpt")


def test_an_operation_that_writes_files_is_refused_in_a_saved_model(tmp_path, mark):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def serve(values):
        tf.io.write_file(str(mark), "x")
        return values

    module = tf.Module()
    module.serve = serve
    tf.saved_model.save(module, str(tmp_path / "evil"))
    with pytest.raises(ValueError, match="WriteFile reaches out of the model"):
        formats.load(tmp_path / "evil")


def test_what_is_asked_for_by_name_in_python_is_allowed(tmp_path):
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    model = keras.Sequential([keras.Input((3,)), Twice()])
    for name in ("m.keras", "m.json", "m.yaml", "m.h5"):
        formats.save(model, tmp_path / name)
        with pytest.raises(ValueError, match="custom_objects"):
            formats.load(tmp_path / name)
        loaded = formats.load(tmp_path / name, custom_objects={"Twice": Twice})
        np.testing.assert_allclose(loaded(np.ones((1, 3))), 2 * np.ones((1, 3)))
