"""Which format a file is of, by its content and its name."""

from pathlib import Path
from typing import Any

from study_keras import limits, plain_text
from study_keras.formats.table import BY_NAME, FORMATS, Format


def detect(path: str | Path) -> Format:
    """Return the format of what is, or would be, at ``path``.

    The content decides: a folder is a SavedModel, one of Keras 2 with the structure in it, or a TF.js model; ``NAME``
    is a checkpoint if there is a ``NAME.index``; an ``.h5`` without a structure contains only weights; a ``.json`` with
    a topology stands for the TF.js folder that it lies in; a file ``NAME.tfjs`` is an
    archive of such a folder. Then the suffix; a name without one is a SavedModel's.

    Raises:
        ValueError: it is none of these formats.
    """
    path = Path(path)
    if path.is_dir() and (path / "saved_model.pb").is_file():
        from study_keras.formats.keras2 import metadata

        return BY_NAME["keras2_saved_model" if metadata.is_model(path) else "saved_model"]
    if path.is_dir() and (path / "model.json").is_file():
        return _tfjs_format(_json_object(path / "model.json"))
    if not path.exists() and Path(f"{path}.index").is_file():
        return BY_NAME["tf_checkpoint"]
    found = _by_suffix(path)
    if found.name == "tfjs" and path.is_file():
        return _tfjs_format(_json_object(path, archived=True))
    if found.name == "h5" and path.is_file():
        return BY_NAME[_detect_h5(path)]
    if found.name == "json" and path.is_file():
        content = _json_object(path)
        return _tfjs_format(content) if {"modelTopology", "weightsManifest"} <= content.keys() else found
    return found


def detect_target(path: str | Path) -> Format:
    """Return the format that ``save`` writes at ``path``. What is there, and is replaced, may be of another format.

    Raises:
        ValueError: it is none of these formats.
    """
    found = next((item for item in FORMATS if Path(path).name.endswith(item.suffixes)), None) or detect(path)
    return {"keras2_saved_model": BY_NAME["saved_model"], "tfjs_graph": BY_NAME["tfjs"]}.get(found.name, found)


def _by_suffix(path: Path) -> Format:
    for item in FORMATS:
        if path.name.endswith(item.suffixes):
            return item
    if path.suffix == "":
        return BY_NAME["saved_model"]
    known = ", ".join(suffix for item in FORMATS for suffix in item.suffixes)
    raise ValueError(f"{path}: expected a name that ends in {known}, or a SavedModel folder")


def _tfjs_format(content: dict[str, Any]) -> Format:
    return BY_NAME["tfjs_graph" if content.get("format") == "graph-model" else "tfjs"]


def _json_object(path: Path, *, archived: bool = False) -> dict[str, Any]:
    try:
        if archived:
            from study_keras.runtimes import tfjs_folder

            content = tfjs_folder.read_archived_json(path)
        else:
            content = plain_text.parse_json(limits.read_bytes(path, limits.MAX_JSON_BYTES))
    except (OSError, ValueError):
        return {}  # the reader reports what is wrong
    return content if isinstance(content, dict) else {}


def _detect_h5(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path) as file:
            return "h5" if "model_config" in file.attrs or not len(file) else "weights_h5"
    except Exception:  # h5py raises errors of many classes
        return "h5"  # the reader reports what is wrong
