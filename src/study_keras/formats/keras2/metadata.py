"""Reads the structure that Keras 2 wrote to a SavedModel folder: JSON inside of protobuf messages.

Since TensorFlow 2.5 it is in ``keras_metadata.pb``, before that in the object graph of ``saved_model.pb``. The messages
are parsed here, so that ``formats.kind`` neither imports TensorFlow nor parses the graph.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from study_keras import limits, plain_text

_METADATA = "keras_metadata.pb"


def is_model(folder: Path) -> bool:
    """Return whether a folder contains a Sequential or functional model of Keras 2; also if its metadata is broken."""
    try:
        return model_config(read(folder)) is not None
    except ValueError:
        return (folder / _METADATA).is_file()  # loading it raises the error


def read(folder: Path) -> dict[str, Any]:
    """Return the metadata of the root object, an empty dict if that is not of Keras.

    Raises:
        ValueError: the messages or the JSON in them are broken.
    """
    name = _METADATA if (folder / _METADATA).is_file() else "saved_model.pb"
    try:
        data = memoryview(limits.read_bytes(folder / name))
        identifier, text = _of_keras_metadata(data) if name == _METADATA else _of_object_graph(data)
        if not identifier.startswith("_tf_keras_"):
            return {}
        found = _plain(plain_text.parse_json(text))
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, IndexError, RecursionError) as error:
        raise ValueError(f"{name} is broken, use another copy of the folder: {error}") from error
    return {**found, "identifier": identifier} if isinstance(found, dict) else {}


def model_config(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """Return the ``class_name`` and ``config`` of the model, or None for a custom class, which has none.

    A functional model of a custom class is treated as a plain one; the caller must compare their outputs.
    """
    given = metadata.get("model_config")
    config = (given if isinstance(given, dict) else metadata).get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list) or not all(isinstance(layer, dict) and "class_name" in layer for layer in layers):
        return None
    if isinstance(config, dict) and "input_layers" in config:
        return {"class_name": "Functional", "config": config}
    sequential = metadata.get("identifier") == "_tf_keras_sequential" or metadata.get("class_name") == "Sequential"
    return {"class_name": "Sequential", "config": config} if sequential else None


def _of_keras_metadata(data: memoryview) -> tuple[str, str]:
    """Return identifier and JSON of the root in a ``SavedMetadata`` message."""
    for node in (value for number, value in _fields(data) if number == 1):
        found = dict(_fields(node))
        if not found.get(2) and _text(found.get(3)) == "root":  # node_id, node_path; a 0 is left out
            return _text(found.get(4)), _text(found.get(5))
    raise ValueError("it names no root")


def _of_object_graph(data: memoryview) -> tuple[str, str]:
    """Return identifier and JSON of the first object in a ``SavedModel`` message."""
    for number in (2, 7, 1, 4):  # meta_graphs, object_graph_def, nodes, user_object: the first of each
        data = next((value for found, value in _fields(data) if found == number), memoryview(b""))
    found = dict(_fields(data))
    return _text(found.get(1)), _text(found.get(3))


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a message: an int, or the bytes of a text or of a message."""
    if not isinstance(data, memoryview):
        raise ValueError("a number stands where a message is expected")
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        size, at = _varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}.get(tag & 7, len(data)), at)
        if at + size > len(data):
            raise ValueError(f"it ends at byte {len(data)} of {at + size}")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number at ``at``, seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (data[at + shift // 7] & 127) << shift
        if data[at + shift // 7] < 128:
            return value, at + shift // 7 + 1
    raise ValueError("a number has no end")


def _text(value: Any) -> str:
    return str(value, "utf-8") if isinstance(value, memoryview) else ""


def _plain(value: Any) -> Any:
    """Return JSON of Keras 2 with its representations of tuples and shapes as lists."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
        return _plain(value["items"])
    return {name: _plain(item) for name, item in value.items()}
