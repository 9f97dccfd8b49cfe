"""A model in every format, each proven in its runtime, as one folder that is written completely or not at all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from study_keras import files, formats, limits, plain_text
from study_keras.formats import inference
from study_keras.formats.convert import load_source
from study_keras.formats.everywhere import readme
from study_keras.formats.everywhere.interface import interface_of
from study_keras.formats.everywhere.rows import Row
from study_keras.formats.everywhere.variants import VARIANTS, Variant, Wish, exporter, files_of, needs_tensorflow
from study_keras.formats.export.tensorflow_process import export_each, refusal
from study_keras.formats.proof.artifact import open_artifact
from study_keras.formats.proof.prove import Proof, prove, prove_export
from study_keras.formats.table import BY_NAME
from study_keras.formats.written import c_text
from study_keras.runtimes import installed

RECORD = "hello-mnist.json"  # what was written; a hyphen is in no other name here

WITHOUT_INPUTS = "int8 is calibrated on typical inputs of the model; give some hundred with --data"


def convert_all(
    source: str | Path,
    target: str | Path,
    weights: str | Path | None = None,
    images: Callable[[Any], Any] | None = None,
    *,
    prove: bool = True,
    beside: Callable[[Path], Any] = lambda path: None,
) -> dict[str, Any]:
    """Write the model at ``source`` in every format that it can take to the folder ``target``, with a README.md.

    Args:
        source: a whole model, or a structure.
        target: a new folder, an empty one, or one that this function wrote before, which is replaced.
        weights: a file to load into the model; needed if ``source`` is a structure.
        images: returns some hundred typical inputs for the loaded model, an array for each input, which int8 is
            calibrated on; or None, for which int8 is left out.
        prove: whether each file must give Keras' outputs in its own runtime. A format whose runtime is not installed
            is left out then.
        beside: is called with the path of the ``.keras`` file, and may write files beside it.

    Returns:
        ``source``, ``target``; ``from``: the format of the source; ``formats``: the fields of a ``Row`` for each.

    Raises:
        ValueError: the source is broken, not built or without weights; ``target`` contains other files, or the source.
        OSError: the folder cannot be written. What stood there is untouched.
    """
    source, target = Path(source), Path(target)
    files.recover(Path(target).absolute())
    check_free(target, [Path(path) for path in (source, weights) if path is not None])
    found = formats.detect(source).name
    model, _ = load_source(source, target, weights)
    inference.check_built(model)
    name = _name(source)
    with files.atomic_folder(target) as folder:
        folder.mkdir()
        rows = _write(model, folder, name, images, prove)
        beside(folder / f"{name}.keras")
        described = [asdict(row) for row in rows]
        files.write(folder / "README.md", readme.text(interface_of(model, folder, name), rows))
        written = sorted(_contents(folder))
        record = {"files": [*written, RECORD], "formats": described}
        files.write(folder / RECORD, plain_text.to_json(record, indent=1) + "\n")
    return {"source": str(source), "target": str(target), "from": found, "formats": described}


def _name(source: Path) -> str:
    """Return a name for the files, which is also an identifier of every language."""
    stem = source.stem.removesuffix(".model")
    return c_text.identifier(re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_") or "model")


def check_free(target: Path, sources: Sequence[Path] = ()) -> None:
    """Refuse a folder of which the replacement would lose something that was not written here.

    Raises:
        ValueError: it is a file, contains anything else, or one of ``sources``.
    """
    if target.is_file():
        raise ValueError(f"{target}: is a file; expected a new folder")
    for source in sources:
        if source.resolve().is_relative_to(target.resolve()):
            raise ValueError(f"{target}: contains {source.name}, from which it would be written; choose another folder")
    found = _contents(target) if target.is_dir() else set()
    if others := sorted(found - _recorded(target)):
        raise ValueError(
            f"{target}: contains {others[0]}, which convert --all did not write; choose another folder, or move it away"
        )


def _contents(folder: Path) -> set[str]:
    """Return the files in a folder, without what Python compiled of the programs."""
    found = (path for path in folder.rglob("*") if path.parent.name != "__pycache__")
    return {path.relative_to(folder).as_posix() for path in found if path.is_symlink() or not path.is_dir()}


def _recorded(folder: Path) -> set[str]:
    try:
        record = plain_text.parse_json(limits.read_bytes(folder / RECORD, limits.MAX_JSON_BYTES))
        return set(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write(model: Any, folder: Path, name: str, images: Callable[[Any], Any] | None, proving: bool) -> list[Row]:
    """Write every variant to ``folder``, and return a row for each."""
    variants = [Variant(".keras"), *VARIANTS]
    rows = [Row(item.format.name, name + item.suffix, item.quantize) for item in variants]
    calibration = images(model) if images else None
    here, there = list[tuple[Row, partial[Any]]](), list[tuple[Row, partial[Any]]]()
    for row, variant in zip(rows, variants, strict=True):
        missing = next((key for key in variant.format.runtimes if not installed.version(key)), None)
        if missing and proving:
            row.reason = f"{installed.RUNTIMES[missing].name} is not installed"
            row.install = installed.install_command(missing)
        elif variant.quantize == "int8" and calibration is None:
            row.reason = WITHOUT_INPUTS
        else:
            job = exporter(folder / row.file, variant, calibration, row.proofs.append if proving else False)
            (there if needs_tensorflow(variant, model) else here).append((row, job))
    errors = export_each(model, [job for _, job in there])
    errors += [refusal(partial(_save, model, job, row.proofs.append if proving else False)) for row, job in here]
    for (row, _), error in zip([*there, *here], errors, strict=True):
        _finish(row, folder, error)
    for row in rows:
        if proving and row.files:
            row.proofs += _elsewhere(model, folder / row.file, row.format)
    return rows


def _save(model: Any, job: partial[Any], wish: Wish) -> None:
    """Write a variant in this process; prove what its own function does not: a structure, or weights."""
    job(model)
    if "prove" not in job.keywords:
        prove_export(wish, model, job.keywords["path"])


def _finish(row: Row, folder: Path, error: Exception | None) -> None:
    """Fill in a row: what was written, or why nothing was."""
    if error is not None:
        row.reason = _words(error, folder)
        return
    paths = files_of(folder / row.file, BY_NAME[row.format])
    row.files = [path.relative_to(folder).as_posix() for path in paths]
    inside = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    row.bytes = sum(file.stat().st_size for file in inside if file.is_file())


def _words(error: Exception, folder: Path) -> str:
    """Return what an error says on one line, without the temporary folder, and without Keras' bold type."""
    return plain_text.one_line(re.sub(r"\x1b\[\d*m", "", str(error).replace(f"{folder}/", "")))


def _elsewhere(model: Any, path: Path, name: str) -> list[Proof]:
    """Run a file in the further runtimes of its format: those of browsers."""
    found = []
    for runtime in BY_NAME[name].also:
        title = installed.RUNTIMES[runtime].name
        try:
            found.append(prove(model, path, opened=open_artifact(path, model, runtime)))
        except (ValueError, FileNotFoundError) as error:
            found.append(Proof(title, missing=_words(error, path.parent)))
    return found
