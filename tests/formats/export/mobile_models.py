"""Models with dynamic or fixed batch sizes, exported to ONNX and LiteRT and run. Usage: mobile_models.py FOLDER

It prints, for each target and model, how far the answers are from Keras', for batches of three and of one, or why the
export was refused; and whether exports with several inputs, batch sizes and quantizations answer as Keras does.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()

from keras import Input, Model, Sequential, layers, ops

from study_keras import formats
from study_keras.formats import inference
from study_keras.formats.keras_internals import as_float32
from study_keras.formats.verify import verify

EQUAL, REFUSED = {}, {}


def chain(name, shape, *parts, dtype="float32"):
    EQUAL[name] = lambda: Sequential([Input(shape, dtype=dtype), *(part() for part in parts)])


def of(name, function, *shapes, dtype="float32", table=EQUAL):
    def build():
        inputs = [Input(shape, dtype=dtype) for shape in shapes]
        return Model(inputs if len(inputs) > 1 else inputs[0], function(*inputs))

    table[name] = build


def for_any_number():
    """Models without loops: one of each way to say it."""
    chain("gelu", (7, 4), lambda: layers.Conv1D(5, 3, activation="gelu"), lambda: layers.Dense(3, activation="celu"))
    chain("any size", (None, None, 3), lambda: layers.Conv2D(4, 3, strides=2), layers.GlobalMaxPooling2D)
    lookup = {"vocabulary": [4, 2, 1], "mask_token": 0, "num_oov_indices": 2}
    chain("lookup", (5,), lambda: layers.IntegerLookup(**lookup), lambda: layers.Embedding(9, 3, mask_zero=True),
          layers.GlobalAveragePooling1D, dtype="int64")  # fmt: skip


def recurrent():
    policy = "mixed_float16"
    chain(policy, (6, 3), lambda: layers.Conv1D(4, 2, dtype=policy), lambda: layers.GRU(3, dtype=policy))
    chain("LSTM", (None, 3), lambda: layers.LSTM(4, return_sequences=True), lambda: layers.LSTM(3, activation="gelu"))
    of("GRU with states", lambda x: list(layers.GRU(4, return_state=True, go_backwards=True)(x)), (6, 3))
    chain("masked both ways", (6, 3), layers.Masking,
          lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)), lambda: layers.SimpleRNN(2))  # fmt: skip
    chain("zeros for the mask", (6, 3), layers.Masking,
          lambda: layers.RNN(layers.LSTMCell(3), return_sequences=True, zero_output_for_mask=True))  # fmt: skip
    chain("ConvLSTM", (4, 6, 6, 2), lambda: layers.ConvLSTM2D(3, 3, return_sequences=True, padding="same"))
    chain("each step", (3, 5, 2), lambda: layers.TimeDistributed(layers.LSTM(3)))
    chain("each of any steps", (None, 8, 2), lambda: layers.TimeDistributed(layers.Conv1D(3, 3)))


class Own(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3))

    def call(self, x):
        return ops.softmax(ops.matmul(x, self.kernel))


class Subclassed(Model):
    def __init__(self):
        super().__init__()
        self.parts = [layers.GRU(4), layers.Dropout(0.5), layers.Dense(3, activation="gelu")]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


def own():
    chain("own code", (4,), Own, lambda: layers.Lambda(lambda x: x * 2 + 1))

    def subclassed():
        model = Subclassed()
        model(np.zeros((2, 5, 3), "float32"))
        return model

    def named():
        b, a = Input((4,), name="b"), Input((4,), name="a")
        return Model({"b": b, "a": a}, {"z": layers.Dense(2, name="last")(b), "y": layers.Add(name="sum")([a, b])})

    EQUAL["subclassed"], EQUAL["named"] = subclassed, named


def refused():
    REFUSED["stateful"] = lambda: Sequential([Input(batch_shape=(2, 5, 3)), layers.GRU(3, stateful=True, name="kept")])
    REFUSED["strings"] = lambda: Sequential([Input((2,), dtype="string"), layers.StringLookup(vocabulary=["a"])])
    of(
        "random",
        layers.Lambda(lambda y: y + keras.random.normal((4,), seed=1), name="noise"),
        (4,),
        table=REFUSED,
    )
    of("inverse", layers.Lambda(ops.inv, name="inverting"), (3, 3), table=REFUSED)

    def float8():
        model = Sequential([Input((16,)), layers.Dense(16, name="tiny")])
        model.layers[0].quantize("float8")
        return model

    REFUSED["float8"] = float8


def inputs_of(model, count):
    random, arrays = np.random.default_rng(1), []
    for spec in keras.tree.flatten(inference.input_specs(model)):
        shape = (count, *(size or 6 for size in spec.shape[1:]))
        whole = "int" in spec.dtype
        array = random.integers(0, 5, shape) if whole else random.normal(0, 1.5, shape)
        if not whole and len(shape) == 3:
            array[0, 2:4] = 0  # for masks
        arrays.append(array.astype(spec.dtype))
    return arrays


def answers(model, arrays):
    with as_float32(model):
        outputs = model(keras.tree.pack_sequence_as(inference.input_specs(model), arrays), training=False)
    return dict(zip(inference.output_names(model), map(np.asarray, keras.tree.flatten(outputs)), strict=True))


def run_onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    outputs = [item.name for item in session.get_outputs()]
    return lambda given: dict(zip(outputs, session.run(None, given), strict=True)), None


def run_litert(path):
    from ai_edge_litert.interpreter import Interpreter

    signature, one = Interpreter(str(path)).get_signature_runner("serving_default"), formats.litert_batch(path)

    def run(given):
        if one is None:
            return signature(**given)
        rows = range(len(next(iter(given.values()))))
        parts = [signature(**{name: array[row : row + 1] for name, array in given.items()}) for row in rows]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return run, one


def far(expected, found):
    if set(expected) != set(found):
        return f"gives {sorted(found)} instead of {sorted(expected)}"
    for name, array in expected.items():
        if array.shape != found[name].shape or array.dtype.kind != found[name].dtype.kind:
            return f"gives {found[name].dtype}{found[name].shape} instead of {array.dtype}{array.shape}"
    pairs = [(array.astype("float64"), found[name]) for name, array in expected.items()]
    return max(float(np.abs(array - other).max() / (np.abs(array).max() + 1e-30)) for array, other in pairs)


def shapes(folder):
    """Several inputs and outputs, in an order that is not the alphabet's, and convolutions: whether each is equal."""
    left, right = Input((4,), name="left"), Input((3,), name="a_right")
    joined = layers.Concatenate()([left, right])
    two = Model([left, right], [layers.Dense(2, "softmax", name="z")(joined), layers.Dense(2, name="c")(joined)])
    conv = Sequential(
        [
            Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    found = []
    for model in (two, conv):
        arrays = [np.random.default_rng(0).random((70, *item.shape[1:]), "float32") for item in model.inputs]
        for batch in (None, 1, 32):
            for quantize in (None, "float16"):
                path = formats.export_litert(model, folder / "small.tflite", quantize, batch=batch)
                found.append(verify(model, path, arrays)["passed"])
        path = formats.export_litert(model, folder / "small.tflite", "int8", arrays)
        found.append(verify(model, path, arrays)["max_abs_diff"] < 0.05)
        found.append(verify(model, formats.export_onnx(model, folder / "small.onnx"), arrays)["passed"])
    return found


def run_models(target, folder):
    export = formats.export_onnx if target == "onnx" else formats.export_litert
    path = folder / ("model.onnx" if target == "onnx" else "model.tflite")
    found = {}
    for name, build in {**EQUAL, **REFUSED}.items():
        keras.utils.set_random_seed(0)
        model = build()
        try:
            export(model, path)
        except ValueError as error:
            found[name] = {"refused": str(error), "left": [file.name for file in folder.iterdir()]}
            continue
        run, one = (run_onnx if target == "onnx" else run_litert)(path)
        batches = [dict(zip(inference.input_names(model), inputs_of(model, count), strict=True)) for count in (3, 1)]
        worst = [far(answers(model, list(given.values())), run(given)) for given in batches]
        found[name] = {"far": worst, "batch": one}
        path.unlink()
    return found


def main(folder):
    for fill in (for_any_number, recurrent, own, refused):
        fill()
    found = {target: run_models(target, folder) for target in ("onnx", "litert")}
    print(json.dumps({**found, "shapes": shapes(folder)}))


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    main(Path(sys.argv[1]))
