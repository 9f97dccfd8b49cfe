"""The folder of a TF.js model: its ``model.json``, and its shards, checked before they are read."""

from pathlib import Path
from typing import Any

from study_keras import limits, plain_text

# Bytes of one value as it is stored. Texts have no fixed size.
ITEM_BYTES = {"float32": 4, "int32": 4, "bool": 1, "float16": 2, "uint16": 2, "uint8": 1, "complex64": 8, "string": 0}


def read_model_json(folder: Path) -> dict[str, Any]:
    """Read the ``model.json`` in ``folder``, and check its manifest of weights against the shards.

    Returns:
        An object with ``modelTopology``, and ``weightsManifest`` as TF.js documents it.

    Raises:
        ValueError: a file is missing or broken, or the shards have another size than the manifest says.
    """
    try:
        content = plain_text.parse_json(limits.read_bytes(folder / "model.json", limits.MAX_JSON_BYTES))
    except OSError as error:
        raise ValueError(f"{folder}: expected a folder with model.json: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{folder}/model.json is broken: {error}") from error
    if not isinstance(content, dict) or not {"modelTopology", "weightsManifest"} <= content.keys():
        raise ValueError(f"{folder}/model.json is not a TF.js model: it lacks modelTopology or weightsManifest")
    try:
        for group in _objects(content["weightsManifest"], "weightsManifest"):
            _check_group(folder, group)
    except ValueError as error:
        raise ValueError(f"{folder}/model.json is broken: {error}") from error
    return content


def _check_group(folder: Path, group: dict[str, Any]) -> None:
    """Check one group of weights, whose shards are one after another."""
    paths = group.get("paths")
    if not isinstance(paths, list) or not all(isinstance(name, str) for name in paths):
        raise ValueError(f"paths is {paths!r:.100}; expected a list of file names")
    if len(set(paths)) != len(paths):
        raise ValueError("it names the same shard twice")
    stored = sum(_shard_size(folder, name) for name in paths)
    weights = _objects(group.get("weights"), "weights")
    sizes = [_weight_bytes(spec) for spec in weights]
    texts = any(spec.get("dtype") == "string" for spec in weights)
    if sum(sizes) > stored or (sum(sizes) < stored and not texts):
        raise ValueError(f"its weights have {sum(sizes):,} bytes, but the shards {stored:,}")


def _weight_bytes(spec: dict[str, Any]) -> int:
    """Return how many bytes of the shards one weight takes."""
    name, quantization = spec.get("name"), spec.get("quantization", {})
    if not isinstance(name, str):
        raise ValueError(f"a weight has the name {name!r:.100}; expected text")
    if not isinstance(quantization, dict):
        raise ValueError(f"weight {name!r}: quantization is {quantization!r:.100}; expected an object")
    for key in ("min", "scale"):
        value = quantization.get(key, 0)
        if not isinstance(value, int | float) or not abs(value) < 2**128:  # also NaN
            raise ValueError(f"weight {name!r}: quantization.{key} is {value!r:.100}; expected a number")
    if ("min" in quantization) != ("scale" in quantization):
        raise ValueError(f"weight {name!r}: quantization has min or scale; expected both or none")
    dtype = spec.get("dtype")
    sizes = [_item_bytes(name, found) for found in (dtype, quantization.get("dtype", dtype))]
    limits.take(limits.byte_count(spec.get("shape"), sizes[0]), f"weight {name!r}")
    return limits.byte_count(spec.get("shape"), sizes[1])


def _item_bytes(name: str, dtype: Any) -> int:
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ValueError(f"weight {name!r} has type {dtype!r:.100}; expected one of {', '.join(ITEM_BYTES)}")
    return ITEM_BYTES[dtype]


def _shard_size(folder: Path, name: str) -> int:
    if Path(name).name != name or not name:  # which could be outside of the folder
        raise ValueError(f"shard {name!r} is not a plain file name")
    try:
        return limits.check_file(folder / name)
    except OSError as error:
        raise ValueError(f"cannot read the shard {name}: {error.strerror}") from error


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{name} is {value!r:.100}; expected a list of objects")
    return value
