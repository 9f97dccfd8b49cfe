"""The weights of a TF.js model: a manifest, and binary shards of at most 4 MB."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import limits

SHARD_BYTES = 4 * 1024 * 1024  # as TF.js' own tools write, so that browsers can cache them
QUANTIZE = ("float16", "uint16", "uint8")
FLOAT16_MAX = 65504.0


def check_finite(model: keras.Model) -> None:
    """Refuse a model with weights that are NaN or infinite.

    Raises:
        ValueError: names the weight.
    """
    for variable in model.variables:
        array = keras.ops.convert_to_numpy(variable.value)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(
                f"weight {variable.path!r} holds NaN or infinite values; train the model again before the export"
            )


def write_weights(folder: Path, weights: Mapping[str, Any], quantize: str | None = None) -> list[dict[str, Any]]:
    """Write the shards to ``folder``, with one array in memory at a time, and return the manifest.

    Args:
        folder: an existing folder.
        weights: name -> Keras variable or array; stored as float32, unless it is int32 or bool.
        quantize: None, or the dtype to store. uint8 and uint16 divide the range of each array into 255 or 65535 equal
            steps, so no value is off by more than half a step.

    Raises:
        ValueError: a value is too large for float16.
    """
    specs: list[dict[str, Any]] = []
    with _Shards(folder) as shards:
        for name, value in weights.items():
            array = np.asarray(value)  # a Keras variable takes no dtype
            array = array if array.dtype.name in ("int32", "bool") else array.astype("<f4", copy=False)
            spec, stored = _encode(name, array, quantize)
            specs.append(spec)
            shards.write(stored)
    return [{"paths": shards.renamed(), "weights": specs}]


class _Shards:
    """Writes bytes to numbered files of ``SHARD_BYTES`` each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self._next()

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def _next(self) -> None:
        self.paths.append(self.folder / f"shard{len(self.paths) + 1}")
        self.file, self.room = self.paths[-1].open("wb"), SHARD_BYTES

    def write(self, array: np.ndarray) -> None:
        data = memoryview(np.ascontiguousarray(array).ravel().view("u1"))  # type: ignore[arg-type]
        while data:
            if not self.room:
                self.file.close()
                self._next()
            part, data = data[: self.room], data[self.room :]
            self.room -= self.file.write(part)

    def renamed(self) -> list[str]:
        """Rename the files, now that their number is known, and return the names."""
        names = [f"group1-shard{index}of{len(self.paths)}.bin" for index in range(1, len(self.paths) + 1)]
        for path, name in zip(self.paths, names, strict=True):
            path.rename(self.folder / name)
        return names


def _encode(name: str, array: np.ndarray, quantize: str | None) -> tuple[dict[str, Any], np.ndarray]:
    spec: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
    if quantize is None or not array.ndim or not array.size or array.dtype.kind != "f" or not np.isfinite(array).all():
        return spec, array
    if quantize == "float16":
        if np.abs(array).max() > FLOAT16_MAX:
            raise ValueError(f"weight {name!r} exceeds float16's {FLOAT16_MAX:.0f}; use quantize=None or 'uint16'")
        return {**spec, "quantization": {"dtype": "float16", "original_dtype": "float32"}}, array.astype("<f2")
    low, high = float(array.min()), float(array.max())
    steps = 255 if quantize == "uint8" else 65535
    scale = (high - low) / steps or 1.0  # any scale is exact for an array of one value
    stored = np.round((array.astype("float64") - low) / scale).astype("u1" if quantize == "uint8" else "<u2")
    quantization = {"dtype": quantize, "min": low, "scale": scale, "original_dtype": "float32"}
    return {**spec, "quantization": quantization}, stored


def read_weights(folder: Path, manifest: Any) -> dict[str, np.ndarray]:
    """Read the weights that a manifest describes, as float32, int32 or bool arrays.

    Args:
        folder: of the shards.
        manifest: as ``tfjs_folder.read_model_json`` checked it.

    Raises:
        ValueError: the manifest or a shard is missing, broken, too short or too long.
    """
    weights: dict[str, np.ndarray] = {}
    for group in manifest:
        data = b"".join(limits.read_bytes(folder / name) for name in group["paths"])
        at = 0
        for spec in group["weights"]:
            array, at = _decode(spec, data, at)
            weights[spec["name"]] = array
    return weights


def _decode(spec: dict[str, Any], data: bytes, at: int) -> tuple[np.ndarray, int]:
    types = {"float32": "<f4", "int32": "<i4", "bool": "u1", "float16": "<f2", "uint16": "<u2", "uint8": "u1"}
    quantization = spec.get("quantization")
    stored = (quantization or {}).get("dtype", spec["dtype"])
    if stored not in types or spec["dtype"] not in types:
        raise ValueError(f"weight {spec['name']!r} has type {stored}; expected one of {', '.join(types)}")
    count = int(np.prod(spec["shape"]))
    end = at + count * np.dtype(types[stored]).itemsize
    array = np.frombuffer(data, types[stored], count, at).reshape(spec["shape"])
    if quantization and "scale" in quantization:
        with np.errstate(over="ignore", invalid="ignore"):  # infinite, as in TF.js
            array = array * np.float64(quantization["scale"]) + quantization["min"]
            return array.astype(types[spec["dtype"]]), end
    return array.astype(types[spec["dtype"]]), end
