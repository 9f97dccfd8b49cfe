"""Weights alone as ``.safetensors``, which PyTorch, candle and many other programs read, and no reader runs code of."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import ml_dtypes
import numpy as np

from study_keras import files, limits, plain_text
from study_keras.formats.saving import weights
from study_keras.formats.saving.torch_layout import Entry, entries

KEY = "study_keras"  # of the metadata
# Every dtype that Keras' weights have, by its name in the file.
DTYPES: dict[str, Any] = {
    **{"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "BOOL": np.bool_},
    **{f"{letter}{8 * size}": np.dtype(f"{letter.lower()}{size}") for letter in "IU" for size in (1, 2, 4, 8)},
}


def save_safetensors(model: keras.Model, path: str | Path) -> Path:
    """Write the weights of ``model`` to ``path``, and return the path.

    Layers that PyTorch has too get its names and layouts, after the layer's name in Keras with ``_`` for what is no
    identifier: ``dense.weight`` (out, in), ``conv2d.weight`` (out, in / groups, rows, columns), ``conv1d.weight``
    (out, in, steps), ``depthwise_conv2d.weight`` (in * multiplier, 1, rows, columns), a separable one as
    ``separable_conv2d_depthwise.weight`` and ``separable_conv2d_pointwise.weight``, each with ``.bias`` (out,);
    ``batch_normalization.weight``, ``.bias``, ``.running_mean`` and ``.running_var`` (channels,);
    ``layer_normalization.weight`` and ``.bias``; ``embedding.weight`` (words, out). A normalization without scale or
    shift gets ones or zeros. A layer of a nested model has that one's name in front: ``encoder_dense.weight``. Weights
    of other layers keep Keras' names and layouts: ``lstm.lstm_cell.kernel``. A ``Dense`` after a ``Flatten`` has its
    inputs in Keras' order: rows, columns, channels.

    The metadata has under ``study_keras`` the names in the order of the layers, each with Keras' path, as JSON.

    Raises:
        ValueError: ``path`` does not end in ``.safetensors``, the model has not been built, or has weights that the
            format lacks.
        FileNotFoundError: the package ``safetensors`` is not installed.
        OSError: the file cannot be written.
    """
    path = files.check_suffix(path, ".safetensors")
    return files.write(path, to_safetensors(model))


def to_safetensors(model: keras.Model, as_float32: bool = False) -> bytes:
    """Return the content of the file; see ``save_safetensors``.

    Args:
        as_float32: whether weights of other dtypes are written as float32.
    """
    found = entries(model)
    arrays = {item.name: _array(item) for item in found}
    if as_float32:
        arrays = {name: array.astype("float32") for name, array in arrays.items()}
    if wrong := [name for name, array in arrays.items() if array.dtype not in map(np.dtype, DTYPES.values())]:
        raise ValueError(f"the weight {wrong[0]} is {arrays[wrong[0]].dtype}; .safetensors has {', '.join(DTYPES)}")
    places = json.dumps({item.name: item.path for item in found if item.variable is not None})
    return bytes(_package().numpy.save(arrays, {"format": "pt", KEY: places}))


@limits.reader
def load_weights_safetensors(model: keras.Model, path: str | Path) -> None:
    """Load the weights of a ``.safetensors`` file into ``model``, or change nothing if they do not fit.

    They are matched by name; where the layers have other names, by their order in our metadata.

    Raises:
        ValueError: the file is missing, broken or too large, or its weights do not fit; the message names the first
            difference.
        FileNotFoundError: the package ``safetensors`` is not installed.
    """
    arrays, order = read_safetensors(path)
    expected = entries(model)
    own = [item for item in expected if item.variable is not None]
    by_name = {item.name for item in own} <= arrays.keys()
    names = [item.name for item in own]
    if not by_name and order and len(order) == len(own):
        names = order
    matches = []
    for item, name in zip(own, names, strict=True):
        value = arrays.pop(name, None)
        weights.check(item.layer, name, item.shape, None if value is None else value.shape)
        assert value is not None
        back = item.layout.back(value, tuple(item.variable.shape))
        matches.append(weights.Match(item.layer, name, item.variable, back))
    _check_rest(model, arrays, [item for item in expected if item.variable is None], by_name)
    weights.assign(model, matches)


@limits.reader
def list_safetensors(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the arrays in a ``.safetensors`` file.

    Raises:
        ValueError, FileNotFoundError: as ``load_weights_safetensors``.
    """
    return [(name, array.shape) for name, array in read_safetensors(path)[0].items()]


def read_safetensors(path: str | Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the arrays of a file by name, and the names in the order of our metadata, empty without it.

    Raises:
        ValueError: the file is missing, broken or too large.
        FileNotFoundError: the package ``safetensors`` is not installed.
    """
    try:
        content = limits.read_bytes(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    order = _check_header(content, path)
    limits.take(2 * len(content), str(path))  # the package copies each array, and the model has them again
    package = _package()
    try:
        parts = package.deserialize(content)
    except package.SafetensorError as error:
        raise ValueError(f"{path}: cannot be read as safetensors: {error}") from error
    arrays = {name: np.frombuffer(item["data"], DTYPES[item["dtype"]]).reshape(item["shape"]) for name, item in parts}
    return arrays, order if set(order) <= arrays.keys() else []


def _array(entry: Entry) -> np.ndarray:
    if entry.variable is None:
        return np.full(entry.shape, entry.constant, "float32")
    return np.ascontiguousarray(entry.layout.forth(weights.numpy(entry.variable)))


def _check_header(content: bytes, path: str | Path) -> list[str]:
    """Refuse a header that the package would accept but that says something else than it seems to.

    Returns:
        The names in the order of our metadata.
    """
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > len(content) - 8:
        raise ValueError(f"{path}: has {len(content):,} bytes, less than its header says; use another copy of the file")
    if size > limits.MAX_JSON_BYTES:
        raise ValueError(f"{path}: its header has {size:,} bytes; expected at most {limits.MAX_JSON_BYTES:,}")
    try:
        header = json.loads(plain_text.decode(content[8 : 8 + size]), object_pairs_hook=_without_twins)
        plain_text.parse_json(content[8 : 8 + size])  # not nested too deep
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: its header is broken: {error}") from error
    for name, item in header.items() if isinstance(header, dict) else ():
        dtype = item.get("dtype") if isinstance(item, dict) else None
        if name != "__metadata__" and (not isinstance(dtype, str) or dtype not in DTYPES):
            raise ValueError(f"{path}: {name} is of the dtype {dtype!r:.100}; expected one of {', '.join(DTYPES)}")
    return _order(header)


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


def _order(header: Any) -> list[str]:
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(KEY) if isinstance(metadata, dict) else None
    try:
        places = plain_text.parse_json(text) if isinstance(text, str) else {}
    except ValueError:
        return []  # another program's entry
    return list(places) if isinstance(places, dict) else []


def _check_rest(model: Any, rest: dict[str, np.ndarray], constants: Sequence[Entry], by_name: bool) -> None:
    """Refuse arrays that the model does not have, but for a scale of ones and a shift of zeros."""
    known = {item.name: item.constant for item in constants}
    for name, array in rest.items():
        if name.endswith(".num_batches_tracked"):  # PyTorch counts them, and no answer depends on it
            continue
        number = known.get(name) if by_name else {"weight": 1.0, "bias": 0.0}.get(name.rpartition(".")[2])
        if number is None or array.ndim != 1 or (array != number).any():
            raise ValueError(f"the file has the weight {name} of {array.shape}, which the model {model.name} lacks")


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise FileNotFoundError(
            "the package safetensors is not installed; run: pip install 'hello-mnist[safetensors]'"
        ) from error
    return safetensors
