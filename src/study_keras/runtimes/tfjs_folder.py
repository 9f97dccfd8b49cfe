"""The folder of a TF.js model: its ``model.json``, and its shards, checked before they are read.

The page saves both in one archive, ``NAME.tfjs``, which is unpacked to such a folder for as long as it is read.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from study_keras import limits, plain_text, zip_archive
from study_keras.files import temporary_folder

# Bytes of one value as it is stored. Texts have no fixed size.
ITEM_BYTES = {"float32": 4, "int32": 4, "bool": 1, "float16": 2, "uint16": 2, "uint8": 1, "complex64": 8, "string": 0}


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """Yield the folder of the TF.js model at ``path``; that of an archive is temporary.

    Within the block, a ValueError about a temporary folder names the archive instead.

    Args:
        path: the folder, its ``model.json``, or an archive of it.

    Raises:
        OSError: the archive cannot be read.
        ValueError: it is no such archive, is broken or too large.
    """
    path = Path(path)
    if path.name == "model.json":
        yield path.parent
    elif path.is_dir() or not path.exists():
        yield path
    else:
        with temporary_folder() as folder:
            try:
                _unpack(path, folder)
                yield folder
            except ValueError as error:
                text = str(error).replace(str(folder), str(path))
                raise ValueError(text if str(path) in text else f"{path}: {text}") from error


def read_archived_json(path: Path) -> Any:
    """Return what the ``model.json`` in an archive contains.

    Raises:
        OSError: the archive cannot be read.
        ValueError: it is no such archive; the message does not name it.
    """
    with zip_archive.open_zip(path) as archive:
        return _read_json(archive)


def _read_json(archive: zipfile.ZipFile) -> Any:
    entry = _entry(archive, "model.json")
    if entry.file_size > limits.MAX_JSON_BYTES:
        raise ValueError(f"model.json has {entry.file_size:,} bytes; expected at most {limits.MAX_JSON_BYTES:,}")
    return plain_text.parse_json(zip_archive.read_entry(archive, entry))


def _unpack(path: Path, folder: Path) -> None:
    """Unpack ``model.json`` and the shards that it names.

    The shards get names of their own, since two names of the archive may be one to a file system, or none.
    """
    with zip_archive.open_zip(path) as archive:
        content = _checked(_read_json(archive))
        renamed: dict[str, str] = {}
        for group in _groups(content):
            for name in group["paths"]:
                if name not in renamed:
                    renamed[name] = f"shard{len(renamed) + 1}.bin"
                    shard = zip_archive.read_entry(archive, _entry(archive, name))
                    (folder / renamed[name]).write_bytes(shard)
            group["paths"] = [renamed[name] for name in group["paths"]]
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        return archive.getinfo(name)
    except KeyError:
        raise ValueError(f"the archive has no {plain_text.shorten(name)}; expected model.json and its shards") from None


def read_model_json(folder: Path) -> dict[str, Any]:
    """Read the ``model.json`` in ``folder``, and check its manifest of weights against the shards.

    Returns:
        An object with ``modelTopology``, and ``weightsManifest`` as TF.js documents it.

    Raises:
        ValueError: a file is missing or broken, or the shards have another size than the manifest says.
    """
    try:
        content = plain_text.parse_json(limits.read_bytes(folder / "model.json", limits.MAX_JSON_BYTES))
        _checked(content)
        for group in _groups(content):
            _check_group(folder, group)
    except OSError as error:
        raise ValueError(f"{folder}: expected a folder with model.json: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{folder}/model.json is broken: {error}") from error
    return content


def _checked(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or not {"modelTopology", "weightsManifest"} <= content.keys():
        raise ValueError("not a TF.js model: it lacks modelTopology or weightsManifest")
    return content


def _groups(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of weights, each with its list of shards."""
    groups = _objects(content["weightsManifest"], "weightsManifest")
    for group in groups:
        paths = group.get("paths")
        if not isinstance(paths, list) or not all(isinstance(name, str) for name in paths):
            raise ValueError(f"paths is {paths!r:.100}; expected a list of file names")
        if len(set(paths)) != len(paths):
            raise ValueError("it names the same shard twice")
    return groups


def _check_group(folder: Path, group: dict[str, Any]) -> None:
    """Check one group of weights, whose shards are one after another."""
    stored = sum(_shard_size(folder, name) for name in group["paths"])
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
