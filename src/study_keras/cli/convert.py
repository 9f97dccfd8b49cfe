"""The command ``convert``."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, EXISTING, JSON, PATH
from study_keras.cli.shared import display_path, import_keras, print_json, say


@click.command()
@click.argument("source", type=PATH)
@click.argument("target", type=PATH)
@click.option("--weights", type=PATH, metavar="FILE", help="Weights to load into SOURCE first.")
@click.option(
    "--quantize",
    metavar="NAME",
    help="Store smaller numbers: float16, uint16 or uint8 in .tfjs and .html; float16, dynamic or int8 in .tflite; "
    "int8 in .c.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help="Fixed batch size in .tflite (default: dynamic); 1 makes the smallest file.",
)
@click.option(
    "--kind",
    type=click.Choice(["layers", "graph"]),
    help="Content of a .tfjs: layers (can be trained further) or a graph.  [default: layers if TF.js has them]",
)
@click.option("--opset", type=click.IntRange(1), metavar="N", help="ONNX opset version of an .onnx file.")
@click.option("--no-proof", is_flag=True, help="Do not run TARGET in its runtime before it is written.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Write every format that the model can take to the folder TARGET, with a README.md of code for each platform.",
)
@click.option(
    "--data",
    type=EXISTING,
    metavar="PATH",
    help="Typical inputs, which int8 is calibrated on: a dataset of digits, or an .npy or .npz file of the model's "
    "inputs by name.  [default: MNIST, if the model takes digits]",
)
@JSON
def convert(
    *, source: Path, target: Path, no_proof: bool, every: bool, data: Path | None, as_json: bool, **options: Any
) -> None:
    """Convert a model to the format that TARGET's suffix names, or with --all to every format.

    \b
    .keras, .h5     a whole model
    .json, .yaml    its structure
    .weights.h5     its weights
    .safetensors    its weights, in PyTorch's layouts
    .ckpt           its weights, as a TensorFlow checkpoint
    .savedmodel     a folder for inference in TensorFlow
    .tfjs           a folder for TensorFlow.js
    .tflite         a file for LiteRT, on phones
    .onnx           a file for ONNX runtimes
    .xml            a file for OpenVINO, with its weights in a .bin file
    .c              a program in plain C, and its header
    .micro.c        a C array for TensorFlow Lite for Microcontrollers
    _numpy.py       a program for NumPy and JAX to read, with its weights as .npz
    _torch.py       a program for PyTorch to read, with its weights as .safetensors
    .pt2            a file of torch.export for PyTorch, which loads it without Keras
    .html           a page to draw digits on, with the model inside

    The content of SOURCE decides its format; Keras 2 files are read too, and the .tfjs files that the page saves. A
    TARGET with a runtime of its own is run there on random inputs, and is only written if it answers as Keras does.
    int8 is calibrated on 500 examples of --data.

    --all prints for each format its proof, or why the model cannot take it, which is no failure; it replaces only a
    folder that it wrote itself.

    Example: hello-mnist convert output/hello_mnist.keras model.yaml

    Example: hello-mnist convert output/hello_mnist.keras everywhere --all
    """
    if every:
        return _convert_to_all(source, target, data, prove=not no_proof, as_json=as_json, **options)
    for name, suffix in (("batch", ".tflite"), ("kind", ".tfjs"), ("opset", ".onnx")):
        if options[name] and target.suffix != suffix:
            raise click.UsageError(f"--{name} is only for {suffix} files; received {target.name}")
    keras = import_keras()
    from study_keras.formats import detect_target

    page = target.suffix == ".html"
    if not page and detect_target(target).needs == "tensorflow" and keras.backend.backend() != "tensorflow":
        say(f"exporting {target.name} in a TensorFlow subprocess, about 10 s ...", err=True)
    options = {name: value for name, value in options.items() if value}
    result = (_convert_to_page if page else _convert)(source, target, data, prove=not no_proof, **options)
    if as_json:
        return print_json(result)
    return _print(source, target, result)


def _convert_to_page(source: Path, target: Path, _: Path | None, **options: Any) -> dict[str, Any]:
    from study_keras.serve.single_file import convert_page

    return convert_page(source, target, **options)


def _convert(source: Path, target: Path, data: Path | None, **options: Any) -> dict[str, Any]:
    from study_keras.formats import convert as formats_convert
    from study_keras.report.examples import load_calibration_inputs
    from study_keras.train import metadata

    metadata.load_metadata(source)  # refuses what it cannot read before the work
    images = partial(load_calibration_inputs, path=data, count=CALIBRATION)
    result = formats_convert.convert(source, target, images=images, **options)
    if "structure" not in result["lost"] and "weights" not in result["lost"]:
        metadata.copy_metadata(source, target)
    return result


def _convert_to_all(
    source: Path, target: Path, data: Path | None, *, prove: bool, as_json: bool, weights: Path | None, **options: Any
) -> None:
    if given := [f"--{name}" for name, value in options.items() if value]:
        raise click.UsageError(f"{given[0]} is for one TARGET; --all writes every variant")
    import_keras()
    from study_keras.formats.everywhere.folder import convert_all
    from study_keras.report import evaluation
    from study_keras.report.examples import load_calibration_inputs
    from study_keras.train import metadata

    def images(model: Any) -> Any:
        if data is None and not evaluation.takes_digits(model):
            return None
        return load_calibration_inputs(model, data, CALIBRATION)

    metadata.load_metadata(source)  # refuses what it cannot read before the work
    say(f"writing every format{' and running each file' * prove}, about 30 s ...", err=True)
    beside = partial(metadata.copy_metadata, source)
    result = convert_all(source, target, weights, images, prove=prove, beside=beside)
    if as_json:
        return print_json(result)
    from rich.console import Console

    Console().print(_formats_table(result["formats"]))
    for row in result["formats"]:
        if not row["files"]:
            say(f"not written: {row['file']}: {row['reason']}" + f"; run: {row['install']}" * bool(row["install"]))
    return say(f"{display_path(source)} -> {display_path(target)}/README.md has the first lines of code")


def _formats_table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="the same answers in every format", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.caption, table.caption_justify = (
        "the largest difference, relative to the largest number of the answer",
        "left",
    )
    table.add_column("file", overflow="fold")
    table.add_column("kB", justify="right", no_wrap=True)
    for name in ("runtime", "largest"):
        table.add_column(name, overflow="fold")
    for row in filter(lambda row: row["files"], rows):
        runtimes = [proof["runtime"] for proof in row["proofs"]] or ["not run"]
        differences = [proof["missing"] or f"{proof['difference']:.1e}" for proof in row["proofs"]]
        cells = (row["file"], f"{row['bytes'] / 1000:,.0f}", "\n".join(runtimes), "\n".join(differences))
        table.add_row(*map(Text, cells))  # rich takes a string for markup
    return table


def _print(source: Path, target: Path, result: dict[str, Any]) -> None:
    from study_keras.formats.proof.prove import Proof

    say(f"{display_path(source)} -> {display_path(target)}")
    if result.get("note"):
        say(f"{target.name} is {result['note']}")
    if result["proof"]:
        say(f"proof: {Proof(**result['proof'])}")
    if result["lost"]:
        say(f"lost, since {target.name} cannot store it: {', '.join(result['lost'])}")
