"""The page that recognizes a drawn digit: its built files, and the page as one file with a model inside."""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from study_keras import files, formats
from study_keras.formats.convert import load_source
from study_keras.formats.proof.prove import Proof
from study_keras.page import FOLDER
from study_keras.plain_text import to_json
from study_keras.runtimes.tfjs import find_node, install_command
from study_keras.serve.training_images import pack_sample
from study_keras.train.metadata import load_class_names
from study_keras.vision.classifier import SHAPES

DIST = FOLDER / "dist"
MODEL, IMAGES = "<!-- model -->", "<!-- images -->"  # in dist/one_file.html


def build() -> Path:
    """Return the folder with all static files of the page; build it if it is missing.

    Raises:
        FileNotFoundError: it is missing, and Node or its packages are not installed.
        ValueError: the build failed.
    """
    if (DIST / "index.html").is_file():
        return DIST
    node = find_node()
    if not (FOLDER / "node_modules" / "esbuild").is_dir():
        raise FileNotFoundError(f"the page is not built, and its packages are not installed; run: {install_command()}")
    done = subprocess.run([node, str(FOLDER / "build.mjs")], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise ValueError(f"the page cannot be built: {done.stderr.strip()[-500:]}")
    return DIST


def write_page(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    name: str | None = None,
    classes: list[str] | None = None,
    *,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write one HTML file that recognizes drawn digits with ``model``, without any other file.

    It opens from the disk of a computer or phone; it contains TensorFlow.js, the weights, and images to train on.

    Args:
        model: maps ``(n, 28, 28)``, ``(n, 28, 28, 1)`` or ``(n, 784)`` to ``(n, classes)``.
        path: ends in ``.html``.
        quantize: as in ``export_tfjs``.
        name: the model's name on the page; by default the file's.
        classes: the names of the model's classes; by default their numbers.
        prove: as in ``export_tfjs``.

    Returns:
        The path.

    Raises:
        ValueError: the model has other shapes, or TF.js does not reproduce its outputs.
        FileNotFoundError: as ``build``.
    """
    path = Path(path)
    if path.suffix != ".html":
        raise ValueError(f"{path}: expected a name that ends in .html")
    _check_shapes(model)
    page = (build() / "one_file.html").read_text(encoding="utf-8")
    entry = {"name": name or path.stem, "format": "tfjs", **_embedded(model, quantize, prove)}
    entry |= {"classes": classes} if classes else {}
    text = to_json(entry, separators=(",", ":")).replace("<", "\\u003c")  # without </script>
    images = base64.b64encode(pack_sample()).decode("ascii")
    with files.atomic_write(path) as temporary:
        temporary.write_text(page.replace(IMAGES, images).replace(MODEL, text), encoding="utf-8")
    return path


def convert_page(
    source: str | Path,
    target: str | Path,
    weights: str | Path | None = None,
    quantize: str | None = None,
    *,
    prove: bool = True,
) -> dict[str, Any]:
    """Convert the model at ``source`` to a page; arguments and result as in ``formats.convert.convert``."""
    model, held = load_source(source, target, weights)
    proofs: list[Proof] = []
    write_page(
        model, target, quantize, Path(source).stem, load_class_names(source), prove=proofs.append if prove else False
    )
    lost = sorted(held - {"structure", "weights"})
    return {
        "source": str(source),
        "target": str(target),
        "from": formats.detect(source).name,
        "to": "page",
        "lost": lost,
        "proof": asdict(proofs[0]) if proofs else None,
    }


def _check_shapes(model: keras.Model) -> None:
    takes, gives = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if not isinstance(takes, tuple) or takes[1:] not in SHAPES:
        raise ValueError(f"the model takes {takes}; the page draws pictures of (None, 28, 28) or (None, 28, 28, 1)")
    if not isinstance(gives, tuple) or len(gives) != 2:
        raise ValueError(f"the model gives {gives}; the page shows (None, classes)")


def _embedded(model: keras.Model, quantize: str | None, prove: bool | Callable[[Proof], None]) -> dict[str, Any]:
    """Return the TF.js export for the page: model.json, the weights in base64, and the size of both."""
    with files.temporary_folder() as temporary:
        folder = formats.export_tfjs(model, temporary / "page.tfjs", quantize, prove=prove)
        text = (folder / "model.json").read_text(encoding="utf-8")
        content = json.loads(text)
        paths = [path for group in content["weightsManifest"] for path in group["paths"]]
        weights = b"".join((folder / path).read_bytes() for path in paths)
    return {
        "bytes": len(text.encode()) + len(weights),
        "json": content,
        "weights": base64.b64encode(weights).decode("ascii"),
    }
