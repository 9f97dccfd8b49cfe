"""keras.ops and Python's operators on tensors."""

import numpy as np
from keras import ops

from models.building import IMAGE, SERIES, VECTOR, Build, of

CHANNELS = np.array([0.5, -1.0, 2.0, 3.0], "float32")
MATRIX = np.random.default_rng(5).normal(size=(4, 3)).astype("float32")
SQUARE = np.random.default_rng(6).normal(size=(4, 4)).astype("float32")


def positive(x):
    return ops.abs(x) + 0.1


def inside(x):
    return ops.tanh(x) * 0.9


ONE = {
    "x + 1": lambda x: x + 1, "1 - x": lambda x: 1 - x, "x * constant": lambda x: x * CHANNELS,
    "constant - x": lambda x: ops.subtract(CHANNELS, x), "x / 3": lambda x: x / 3, "3 / x": lambda x: 3 / positive(x),
    "-x": lambda x: -x, "x ** 3": lambda x: x**3, "x ** 0.5": lambda x: positive(x) ** 0.5, "2 ** x": lambda x: 2 ** inside(x),
    "x ** -1": lambda x: positive(x) ** -1, "x // 2": lambda x: x // 2, "x % 3": lambda x: x % 3, "abs(x)": abs,
    "square": ops.square, "abs": ops.abs, "exp": lambda x: ops.exp(inside(x)), "expm1": lambda x: ops.expm1(inside(x)),
    "exp2": lambda x: ops.exp2(inside(x)), "log": lambda x: ops.log(positive(x)), "log1p": lambda x: ops.log1p(positive(x)),
    "log2": lambda x: ops.log2(positive(x)), "log10": lambda x: ops.log10(positive(x)), "sqrt": lambda x: ops.sqrt(positive(x)),
    "rsqrt": lambda x: ops.rsqrt(positive(x)), "reciprocal": lambda x: ops.reciprocal(positive(x)), "cbrt": ops.cbrt,
    "sin": ops.sin, "cos": ops.cos, "tan": lambda x: ops.tan(inside(x)), "arcsin": lambda x: ops.arcsin(inside(x)),
    "arccos": lambda x: ops.arccos(inside(x)), "arctan": ops.arctan, "sinh": lambda x: ops.sinh(inside(x)),
    "cosh": lambda x: ops.cosh(inside(x)), "arcsinh": ops.arcsinh, "arccosh": lambda x: ops.arccosh(positive(x) + 1),
    "arctanh": lambda x: ops.arctanh(inside(x)), "erf": ops.erf, "erfinv": lambda x: ops.erfinv(inside(x)),
    "sign": ops.sign, "floor": ops.floor, "ceil": ops.ceil, "round": ops.round, "trunc": ops.trunc,
    "round to 2": lambda x: ops.round(x, 2), "maximum 0.5": lambda x: ops.maximum(x, 0.5),
    "minimum 0.5": lambda x: ops.minimum(x, 0.5), "maximum -1e6": lambda x: ops.maximum(x, -1e6),
    "minimum 1e6": lambda x: ops.minimum(x, 1e6), "maximum 3e7": lambda x: ops.maximum(x, 3e7),
    "clip": lambda x: ops.clip(x, -0.5, 1.0), "clip large": lambda x: ops.clip(x, -1e6, 1e6),
    "clip one side": lambda x: ops.clip(x, 0, 1e9), "clip infinite": lambda x: ops.clip(x, -np.inf, 2.0),
    "clip by arrays": lambda x: ops.clip(x, -np.abs(CHANNELS), np.abs(CHANNELS)),
    "relu": ops.relu, "gelu approximate": ops.gelu, "gelu": lambda x: ops.gelu(x, approximate=False),
    "softmax": ops.softmax, "softmax axis 1": lambda x: ops.softmax(x, axis=1), "log softmax": ops.log_softmax,
    "log softmax axis 1": lambda x: ops.log_softmax(x, axis=1), "elu": lambda x: ops.elu(x, 0.3), "leaky": ops.leaky_relu,
    "silu": ops.silu, "hard sigmoid": ops.hard_sigmoid, "sigmoid": ops.sigmoid, "tanh": ops.tanh, "relu6": ops.relu6,
    "log sigmoid": ops.log_sigmoid, "hard tanh": ops.hard_tanh, "softplus": ops.softplus, "selu": ops.selu,
    "celu": lambda x: ops.celu(x, 0.7), "glu": ops.glu, "threshold": lambda x: ops.threshold(x, 0.3, -1.0),
    "soft shrink": ops.soft_shrink, "sparsemax": ops.sparsemax,
    "reshape": lambda x: ops.reshape(x, (-1, 14, 2)), "reshape the batch": lambda x: ops.reshape(x, (-1, 2)),
    "ravel": ops.ravel, "transpose": lambda x: ops.transpose(x, (0, 2, 1)), "swap": lambda x: ops.swapaxes(x, 1, 2),
    "transpose the batch": lambda x: ops.transpose(x, (1, 0, 2)), "moveaxis": lambda x: ops.moveaxis(x, 1, -1),
    "expand": lambda x: ops.expand_dims(x, 2), "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "mean": lambda x: ops.mean(x, axis=1), "mean of all": lambda x: ops.mean(x, axis=(1, 2), keepdims=True),
    "mean with the batch": ops.mean, "sum": lambda x: ops.sum(x, axis=-1), "sum of two axes": lambda x: ops.sum(x, axis=(1, 2)),
    "max": lambda x: ops.max(x, axis=2, keepdims=True), "min": lambda x: ops.min(x, axis=1), "max of all": ops.max,
    "prod": lambda x: ops.prod(inside(x), axis=1), "std": lambda x: ops.std(x, axis=1), "var": lambda x: ops.var(x, axis=-1),
    "all": lambda x: ops.all(x > -2, axis=1), "any": lambda x: ops.any(x > 2, axis=2), "ptp": lambda x: ops.ptp(x, axis=1),
    "median": lambda x: ops.median(x, axis=1), "quantile": lambda x: ops.quantile(x, 0.3, axis=1),
    "moments": lambda x: list(ops.moments(x, axes=[1])), "average": lambda x: ops.average(x, axis=2, weights=np.abs(CHANNELS)),
    "count nonzero": lambda x: ops.count_nonzero(ops.relu(x), axis=1), "logsumexp": lambda x: ops.logsumexp(x, axis=-1),
    "logsumexp of two axes": lambda x: ops.logsumexp(x, axis=(1, 2), keepdims=True), "norm": lambda x: ops.norm(x, axis=-1),
    "norm 1": lambda x: ops.norm(x, ord=1, axis=1), "norm inf": lambda x: ops.norm(x, ord=np.inf, axis=2, keepdims=True),
    "norm of matrices": lambda x: ops.norm(x, axis=(1, 2)), "normalize": lambda x: ops.normalize(x, axis=1),
    "argmax": lambda x: ops.argmax(x, axis=-1), "argmin": lambda x: ops.argmin(x, axis=1),
    "argmax kept": lambda x: ops.argmax(x, axis=1, keepdims=True), "argmax as float": lambda x: ops.cast(ops.argmax(x, axis=-1), "float32") * 2,
    "argsort": lambda x: ops.argsort(x, axis=1), "sort": lambda x: ops.sort(x, axis=-1), "sort axis 1": lambda x: ops.sort(x, axis=1),
    "top_k": lambda x: list(ops.top_k(x, 2)), "top_k values": lambda x: ops.top_k(x, 3)[0],
    "in_top_k": lambda x: ops.in_top_k(ops.argmax(x[:, 0], axis=-1), x[:, 1], 2),
    "cumsum": lambda x: ops.cumsum(x, axis=1), "cumprod": lambda x: ops.cumprod(inside(x), axis=2), "diff": lambda x: ops.diff(x, axis=1),
    "one_hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 4), "one_hot of all": lambda x: ops.one_hot(ops.cast(x, "int32"), 6),
    "multi_hot": lambda x: ops.multi_hot(ops.argmax(x, axis=-1), 4), "where": lambda x: ops.where(x > 0, x, x * 0.1),
    "where constants": lambda x: ops.where(x > 0, 1.0, -2.0), "where by broadcasting": lambda x: ops.where(x[:, :, :1] > 0, x, CHANNELS),
    "select": lambda x: ops.select([x > 1, x < -1], [x, -x], 0.5), "take": lambda x: ops.take(x, [0, 2, 2], axis=-1),
    "take of a table": lambda x: ops.take(MATRIX, ops.argmax(x, axis=-1), axis=0), "take axis 1": lambda x: ops.take(x, 3, axis=1),
    "take along": lambda x: ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1), "first": lambda x: x[:, 0], "last": lambda x: x[:, -1],
    "slices": lambda x: x[:, 1:6:2, ::-1], "ellipsis": lambda x: x[..., -1], "new axis": lambda x: x[:, None, :, 0],
    "every second": lambda x: x[:, ::2], "backwards": lambda x: x[:, ::-1], "a tail": lambda x: x[:, -3:, 1:],
    "slice": lambda x: ops.slice(x, (0, 2, 1), (1, 3, 2)), "slice_update": lambda x: ops.slice_update(x, (0, 2, 1), ops.ones((1, 3, 2))),
    "matmul": lambda x: ops.matmul(x, MATRIX), "x @ constant": lambda x: x @ MATRIX, "constant @ x": lambda x: ops.matmul(MATRIX.T, ops.transpose(x, (0, 2, 1))),
    "matmul of itself": lambda x: x @ ops.transpose(x, (0, 2, 1)), "dot": lambda x: ops.dot(x, MATRIX), "tensordot": lambda x: ops.tensordot(x, MATRIX, axes=1),
    "einsum": lambda x: ops.einsum("bij,jk->bik", x, MATRIX), "einsum of itself": lambda x: ops.einsum("bij,bkj->bik", x, x),
    "einsum diagonal": lambda x: ops.einsum("bij,bij->bi", x, x), "einsum of heads": lambda x: ops.einsum("bqhd,bkhd->bhqk", *[ops.reshape(x, (-1, 7, 2, 2))] * 2),
    "outer": lambda x: ops.einsum("bi,bj->bij", x[:, 0], x[:, 1]), "cross": lambda x: ops.cross(x[..., :3], x[..., 1:]),
    "stack": lambda x: ops.stack([x, x * 2], axis=1), "concatenate": lambda x: ops.concatenate([x, -x], axis=1),
    "split": lambda x: ops.split(x, 2, axis=-1), "split unevenly": lambda x: ops.split(x, [2, 5], axis=1), "unstack": lambda x: ops.unstack(x, axis=2),
    "flip": lambda x: ops.flip(x, axis=1), "flip two axes": lambda x: ops.flip(x, axis=(1, 2)), "roll": lambda x: ops.roll(x, 2, axis=1), "roll two axes": lambda x: ops.roll(x, (1, -1), axis=(1, 2)),
    "rot90": lambda x: ops.rot90(x, axes=(1, 2)), "repeat": lambda x: ops.repeat(x, 2, axis=1), "repeat unevenly": lambda x: ops.repeat(x, [1, 2, 0, 3], axis=2), "tile": lambda x: ops.tile(x, (1, 2, 3)),
    "broadcast": lambda x: ops.broadcast_to(CHANNELS, (1, 7, 4)) * x,
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1))), "pad by 3": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=3.0),
    "pad reflect": lambda x: ops.pad(x, ((0, 0), (2, 1), (1, 1)), mode="reflect"), "pad symmetric": lambda x: ops.pad(x, ((0, 0), (2, 1), (1, 1)), mode="symmetric"),
    "tril": ops.tril, "triu": lambda x: ops.triu(x, k=1), "diagonal": lambda x: ops.diagonal(x, axis1=1, axis2=2), "trace": lambda x: ops.trace(x, axis1=1, axis2=2),
    "cast": lambda x: ops.cast(x, "int32"), "cast to bool": lambda x: ops.cast(ops.relu(x), "bool"), "cast and back": lambda x: ops.cast(ops.cast(x, "int32"), "float32") / 2,
    "cast to uint8": lambda x: ops.cast(ops.clip(ops.abs(x), 0, 255), "uint8"), "cast to float16": lambda x: ops.cast(ops.cast(inside(x), "float16"), "float32"),
    "x > 0": lambda x: x > 0, "x == floor": lambda x: ops.equal(ops.round(x), x), "logical": lambda x: ops.logical_or(x > 1, ops.logical_not(x < -1)),
    "logical xor": lambda x: ops.logical_xor(x > 0, x > 1), "isnan": lambda x: ops.isnan(ops.log(x)), "isfinite": lambda x: ops.isfinite(1 / ops.relu(x)),
    "nan_to_num": lambda x: ops.nan_to_num(ops.log(x), nan=-1.0, neginf=-9.0), "stop_gradient": lambda x: ops.stop_gradient(x) + 1, "identity": lambda x: ops.copy(x),
    "searchsorted": lambda x: ops.searchsorted(np.array([-1.0, 0.0, 2.0], "float32"), ops.ravel(x)), "digitize": lambda x: ops.digitize(x, np.array([-1.0, 0.0, 2.0], "float32")),
    "logaddexp": lambda x: ops.logaddexp(x, 0.5), "hypot": lambda x: ops.hypot(x, ops.ones_like(x) * 2), "heaviside": lambda x: ops.heaviside(x, ops.full_like(x, 0.5)), "sinc": lambda x: ops.sinc(inside(x)),
    "divide_no_nan": lambda x: ops.divide_no_nan(x, ops.relu(x)), "arctan2": lambda x: ops.arctan2(x, positive(x)), "fmod": lambda x: ops.fmod(x, 2.0),
    "segment_sum": lambda x: ops.segment_sum(ops.transpose(x, (1, 0, 2)), np.array([0, 0, 1, 1, 2, 2, 2]), num_segments=3), "bincount": lambda x: ops.bincount(ops.argmax(x, axis=-1), minlength=4),
    "layer_normalization": lambda x: ops.layer_normalization(x, CHANNELS, CHANNELS, axis=-1), "rms_normalization": lambda x: ops.rms_normalization(x, CHANNELS),
    "cdist": lambda x: ops.cdist(x, x), "meshgrid": lambda x: ops.meshgrid(ops.ravel(x[:, 0, 0]), np.arange(3.0, dtype="float32")),
    "solve": lambda x: ops.solve(np.eye(4, dtype="float32") * 3 + SQUARE.T @ SQUARE, x[0, :4]), "vectorize": lambda x: ops.vectorized_map(lambda row: row * 2 + ops.sum(row), x),
    "arange": lambda x: x + ops.cast(ops.arange(4), "float32"), "linspace": lambda x: x * ops.linspace(-1.0, 1.0, 4), "shape": lambda x: x / ops.shape(x)[1],
    "zeros_like": lambda x: ops.zeros_like(x) - x, "full_like": lambda x: ops.full_like(x, 3.0) * x, "eye": lambda x: x @ ops.eye(4), "std of all": ops.std,
    "saturate_cast": lambda x: ops.saturate_cast(x * 50, "uint8"), "amax": lambda x: ops.amax(x, axis=(1, 2)),
}  # fmt: skip
TWO = {
    "x + y": lambda x, y: x + y, "x - y": lambda x, y: x - y, "x * y": lambda x, y: x * y, "x / y": lambda x, y: x / (positive(y)),
    "x ** y": lambda x, y: positive(x) ** inside(y), "maximum": ops.maximum, "minimum": ops.minimum, "x > y": lambda x, y: x > y, "x == y": lambda x, y: ops.equal(ops.round(x), ops.round(y)),
    "where x y": lambda x, y: ops.where(x > y, x, y), "x // y": lambda x, y: x // positive(y), "mod y": lambda x, y: ops.mod(x, positive(y)),
}  # fmt: skip
IMAGES = {
    "image resize": lambda x: ops.image.resize(x, (5, 12)), "image resize nearest": lambda x: ops.image.resize(x, (12, 5), interpolation="nearest"), "image resize bicubic": lambda x: ops.image.resize(x, (12, 5), interpolation="bicubic"),
    "image crop": lambda x: ops.image.crop_images(x, 1, 2, 1, 2), "image pad": lambda x: ops.image.pad_images(x, 1, 2, 1, 2), "image to grey": ops.image.rgb_to_grayscale, "image to hsv": lambda x: ops.image.rgb_to_hsv(ops.clip(x, 0.0, 1.0)),
    "image from hsv": lambda x: ops.image.hsv_to_rgb(ops.sigmoid(x)), "image patches": lambda x: ops.image.extract_patches(x, (2, 3)), "image affine": lambda x: ops.image.affine_transform(x, np.array([[0.9, 0.1, 0.5, -0.1, 0.9, 0.3, 0, 0]], "float32")),
    "image affine, reflected": lambda x: ops.image.affine_transform(x, np.array([1.3, -0.2, 1.5, 0.1, 0.8, 0.3, 0.01, 0.02], "float32"), fill_mode="reflect"),
    "image affine, nearest": lambda x: ops.image.affine_transform(x, np.array([0, 1, 0.4, -1, 0, 4.6, 0, 0], "float32"), interpolation="nearest", fill_value=0.5),
    "image blur": lambda x: ops.image.gaussian_blur(x), "depth_to_space": lambda x: ops.depth_to_space(ops.concatenate([x, x, x, x], axis=-1), 2), "space_to_depth": lambda x: ops.space_to_depth(x[:, :, :8], 2),
    "conv": lambda x: ops.conv(x, np.ones((2, 2, 3, 4), "float32") * 0.3, strides=2, padding="same"), "max_pool": lambda x: ops.max_pool(x, 2, strides=1), "average_pool": lambda x: ops.average_pool(x, 2, padding="same"),
    "depthwise_conv": lambda x: ops.depthwise_conv(x, np.arange(12, dtype="float32").reshape(2, 2, 3, 1) / 9), "map_coordinates": lambda x: ops.image.map_coordinates(x[0, :, :, 0], np.array([[0.5, 1.5], [2.0, 3.3]], "float32"), order=1),
}  # fmt: skip
SIGNALS = {
    "stft": lambda x: list(ops.stft(x, 8, 4, 8)), "rfft": lambda x: list(ops.rfft(x)), "extract_sequences": lambda x: ops.extract_sequences(x, 8, 4), "fft": lambda x: list(ops.fft((x, ops.zeros_like(x)))),
    "irfft": lambda x: ops.irfft(ops.rfft(x)), "istft": lambda x: ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8, length=32),
}  # fmt: skip
MODELS: dict[str, Build] = {f"op {name}": of(function, SERIES) for name, function in ONE.items()}
MODELS |= {f"op {name}": of(function, SERIES, SERIES) for name, function in TWO.items()}
MODELS |= {f"op {name}": of(function, IMAGE) for name, function in IMAGES.items()}
MODELS |= {f"op {name}": of(function, (32,)) for name, function in SIGNALS.items()}
MODELS |= {
    "op x - y that broadcasts": of(lambda x, y: x - y, SERIES, (1, 4)),
    "op x + y of two ranks": of(lambda x, y: x + y[:, None], (4, 4), (4,)),
    "op x[:, ::2] of 16,000": of(lambda x: x[:, ::2], (16000,)),
    "op x[:, ::2] of 16,000 in two channels": of(lambda x: x[:, 1::2, :], (16000, 2)),
    "op x[:, ::-1] of 16,000": of(lambda x: x[:, ::-1], (16000,)),
    "op x[:, 100:-100:3] of any length": of(lambda x: x[:, 2:-1:3], (None, 2)),
    "op mean of any size": of(lambda x: ops.mean(x, axis=(1, 2)), (None, None, 3)),
    "op argmax of a vector": of(lambda x: ops.argmax(x, axis=-1), VECTOR),
    "op cumsum any length": of(lambda x: ops.cumsum(x, axis=1), (None, 4)),
    "op flip any length": of(lambda x: ops.flip(x, axis=1), (None, 4)),
    "op softmax over any length": of(lambda x: ops.softmax(x, axis=1), (None, 4)),
}
