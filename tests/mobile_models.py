"""Models that ONNX and LiteRT once got wrong, exported and run in their runtimes. Usage: mobile_models.py TARGET FOLDER

It prints for each model how far the answers are from Keras', for batches of three and of one, or why it was refused.
"""

import json
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, ops

from study_keras import formats
from study_keras.formats import inference
from study_keras.formats.graph.freeze import as_float32

EQUAL, REFUSED = {}, {}


def chain(name, shape, *parts, dtype="float32"):
    EQUAL[name] = lambda: Sequential([Input(shape, dtype=dtype), *(part() for part in parts)])


def of(name, function, *shapes, dtype="float32", table=EQUAL):
    def build():
        inputs = [Input(shape, dtype=dtype) for shape in shapes]
        return Model(inputs if len(inputs) > 1 else inputs[0], function(*inputs))

    table[name] = build


def operations():
    chain("gelu", (7, 4), lambda: layers.Conv1D(5, 3, activation="gelu"), lambda: layers.Dense(3, activation="celu"))
    of("small numbers", lambda x: [ops.expm1(x * 1e-4), ops.log1p(x * 1e-4), ops.sinh(x * 1e-4), ops.erf(x)], (5,))
    of("large numbers", lambda x: [ops.softplus(x * 99), ops.arcsinh(x * 99), ops.tanh(x * 99)], (5,))
    of("angles", lambda x: [ops.arctan(x), ops.arcsin(x / 9), ops.arccos(x / 9), ops.arctanh(x / 9)], (5,))
    of("arguments", lambda x: [ops.argmin(x, axis=1), ops.argmax(x, axis=-1), ops.argsort(x)], (5, 4))
    of(
        "nan that where drops",
        lambda x: [ops.nan_to_num(ops.log(ops.relu(x)), neginf=-9.0), ops.sinc(ops.relu(x))],
        (5,),
    )
    of("whole numbers", lambda x: [x // ops.cast(3, "int32"), x % ops.cast(3, "int32")], (5,), dtype="int32")
    of("one hot of nothing", lambda x: ops.one_hot(x - 2, 4), (5,), dtype="int32")
    of(
        "zeros normalized",
        lambda x, y: [layers.Dot(1, normalize=True)([x * 0, y]), layers.UnitNormalization()(x * 0)],
        (5,),
        (5,),
    )
    of("twice leaky", lambda x: layers.LeakyReLU(0.2)(layers.LeakyReLU(0.1)(x)), (5,))
    of("twice the larger", lambda x: ops.maximum(ops.maximum(x, 0.1 * x), 0.2 * ops.maximum(x, 0.1 * x)), (5,))
    of("rolled", lambda x: ops.roll(x, 2, axis=1), (5, 4))
    of("updated", lambda x: ops.slice_update(x, (0, 1, 0), x[:, :2, :1] * 3), (5, 4))


def preprocessing():
    chain("far mean", (5,), lambda: layers.Normalization(axis=None, mean=54321.0, variance=9.0))
    chain(
        "far means", (2, 3), lambda: layers.Normalization(mean=[1e4, 2e5, 3.0], variance=[1.0, 2.0, 9.0], invert=True)
    )
    chain("bins", (5,), lambda: layers.Discretization([-0.5, 0.0, 0.7], output_mode="one_hot"), lambda: layers.Dense(2))
    lookup = {"vocabulary": [4, 2, 1], "mask_token": 0, "num_oov_indices": 2}
    chain("lookup", (5,), lambda: layers.IntegerLookup(**lookup), lambda: layers.Embedding(9, 3, mask_zero=True),
          layers.GlobalAveragePooling1D, dtype="int64")  # fmt: skip
    chain(
        "lookup counted", (5,), lambda: layers.IntegerLookup(vocabulary=[4, 2, 1], output_mode="count"), dtype="int32"
    )
    chain("augmented", (8, 9, 3), lambda: layers.RandomCrop(5, 6), lambda: layers.RandomRotation(0.3),
          lambda: layers.GaussianNoise(0.5), lambda: layers.Conv2D(2, 3))  # fmt: skip
    chain("bicubic", (8, 9, 3), lambda: layers.Resizing(5, 11, interpolation="bicubic"))


def convolutions():
    first = {"data_format": "channels_first"}
    chain("groups", (7, 6), lambda: layers.Conv1D(6, 3, groups=3), lambda: layers.Conv1D(4, 2, groups=2, strides=2))
    chain("groups of a volume", (4, 5, 5, 4), lambda: layers.Conv3D(4, 2, groups=2, dilation_rate=2))
    chain("kernel below the stride", (5, 3), lambda: layers.Conv1DTranspose(4, 2, strides=3, padding="same"))
    chain("padded output", (3, 4, 3, 2), lambda: layers.Conv3DTranspose(3, 2, strides=3, output_padding=2))
    chain("dilated", (5, 5, 3), lambda: layers.Conv2DTranspose(4, 3, dilation_rate=2))
    chain("first", (4, 9), lambda: layers.Conv1D(6, 3, strides=2, padding="same", **first), layers.ReLU)
    chain("first of images", (3, 8, 8), lambda: layers.Conv2D(4, 3, strides=2, padding="same", **first),
          lambda: layers.BatchNormalization(axis=1), lambda: layers.MaxPooling2D(**first))  # fmt: skip
    chain("volumes", (5, 6, 6, 2), lambda: layers.AveragePooling3D(2, padding="same"), lambda: layers.MaxPooling3D(2))
    chain("any size", (None, None, 3), lambda: layers.Conv2D(4, 3, strides=2), layers.GlobalMaxPooling2D)


def attention():
    def block(x):
        y = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True) + x
        return layers.Dense(4)(layers.Dense(8, activation="gelu")(layers.LayerNormalization()(y))) + y

    of("transformer of any length", block, (None, 4))

    def tied(x):
        embedding = layers.Embedding(7, 4)
        return ops.matmul(layers.Dense(4)(embedding(x)), ops.transpose(embedding.embeddings))

    of("tied embeddings", tied, (5,), dtype="int32")


def policies():
    def lora():
        model = Sequential([Input((6,)), layers.Dense(4, activation="gelu")])
        model.layers[0].enable_lora(2)
        return model

    def quantized():
        model = Sequential([Input((5, 1100)), layers.Dense(8, activation="relu"), layers.Dense(3)])
        for layer in model.layers:  # Keras warns that an input layer has no weights
            layer.quantize("int8")
        return model

    EQUAL["lora"], EQUAL["int8 of Keras"] = lora, quantized
    for policy in ("mixed_float16", "mixed_bfloat16"):
        chain(policy, (6, 3), lambda p=policy: layers.Conv1D(4, 2, dtype=p), lambda p=policy: layers.GRU(3, dtype=p))


def recurrent():
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


def main(target, folder):
    for fill in (operations, preprocessing, convolutions, attention, policies, recurrent, own, refused):
        fill()
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
    print(json.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    main(sys.argv[1], Path(sys.argv[2]))
