"""The models that the server knows: a network for each thread, and files for the page to run by itself."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from study_keras import formats
from study_keras.plain_text import one_line, printable
from study_keras.runtimes import tfjs_folder
from study_keras.serve.static_files import File, read_file, read_tfjs
from study_keras.startup import import_keras
from study_keras.train.metadata import load_class_names
from study_keras.vision.classifier import SHIPPED, Network, load_network

IN_THE_PAGE = (".tflite", ".onnx")  # files that the page runs as they are


class Shelf(NamedTuple):
    """``networks``: name -> a copy for each thread, the default first; ``offers``: what ``GET /models`` says;
    ``files``: path in the address -> file; ``classes``: name -> what its classes are called, None for digits."""

    networks: dict[str, list[Network]]
    offers: list[dict[str, Any]]
    files: dict[str, File]
    classes: dict[str, list[str] | None]


def load_models(paths: Sequence[Path], workers: int, temporary: Path) -> Shelf:
    """Load the models at ``paths`` and the shipped one.

    Args:
        paths: any model that ``load_network`` takes; the first is the default.
        workers: how many copies of each network.
        temporary: a folder for what the page needs in another format.

    Raises:
        ValueError: a model cannot be read.
    """
    shelf = Shelf({}, [], {}, {})
    chosen = {_name(path, paths[:index]): path for index, path in enumerate(paths)}
    for name, path in [*chosen.items(), ("digits", SHIPPED)]:
        shelf.classes[name] = load_class_names(path)
        shelf.networks[name] = _load_copies(path, workers)
        copies = (
            [path, path.with_suffix(".tfjs")]
            if path == SHIPPED
            else [_for_page(path, temporary / f"{len(shelf.networks)}.tfjs")]
        )
        for copy in copies:
            if copy is not None and copy.exists():
                _offer(name, copy, shelf, shipped=path == SHIPPED)
    return shelf


def _load_copies(path: Path, count: int) -> list[Network]:
    """Load a network for each worker; of a TF.js model they share one, since its Node process takes turns by itself."""
    chosen = None if path == SHIPPED else path  # only without a path it is known as the shipped one
    first = load_network(chosen)
    if formats.detect(path).runtime == "tfjs":
        return [first] * count
    return [first, *(load_network(chosen) for _ in range(count - 1))]


def _name(path: Path, earlier: Sequence[Path]) -> str:
    """Return the name of a model: its file's, without the suffix, and numbered where another has it."""
    stem = _stem(path)
    same = [_stem(other) for other in [SHIPPED, *earlier]].count(stem)
    return f"{stem}-{same + 1}" if same else stem


def _stem(path: Path) -> str:
    return printable(path.resolve().name.split(".")[0]) or "model"


def _for_page(path: Path, copy: Path) -> Path | None:
    """Return the model in a format that the page can run, converted to ``copy`` if needed; None if it cannot be."""
    if path.suffix in IN_THE_PAGE:
        return path
    if formats.detect(path).runtime == "tfjs":
        return path
    import_keras()
    try:
        model = formats.load(path)
        return formats.export_tfjs(model, copy) if hasattr(model, "layers") else None
    except ValueError as error:
        sys.stderr.write(one_line(f"{path.name}: available in /predict, but not in the page: {error}") + "\n")
        return None


def _offer(name: str, path: Path, shelf: Shelf, *, shipped: bool) -> None:
    """Add a model for the page: its line and its files."""
    if path.suffix in IN_THE_PAGE:
        kind, first = path.suffix[1:], f"/models/{name}{path.suffix}"
        added = {first: read_file(path)}
    else:
        kind, first = "tfjs", f"/models/{name}.tfjs/model.json"
        with tfjs_folder.opened(path) as folder:
            added = {f"/models/{name}.tfjs/{file}": content for file, content in read_tfjs(folder).items()}
    shelf.files.update(added)
    more: dict[str, Any] = {"classes": shelf.classes[name]} if shelf.classes[name] else {}
    size = sum(len(file.content) for file in added.values())
    shelf.offers.append({"name": name, "format": kind, "bytes": size, "url": quote(first), "shipped": shipped, **more})
