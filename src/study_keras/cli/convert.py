"""The command ``convert``."""

from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, DATA, JSON, PATH
from study_keras.cli.shared import display_path, print_json, say
from study_keras.startup import import_keras


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
@DATA
@JSON
def convert(*, source: Path, target: Path, no_proof: bool, data: Path | None, as_json: bool, **options: Any) -> None:
    """Convert a model to the format that TARGET's suffix names.

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
    int8 is calibrated on 500 training images of --data.

    Example: hello-mnist convert output/hello_mnist.keras model.yaml
    """
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
    from study_keras.data import dataset as mnist_data
    from study_keras.formats import convert as formats_convert
    from study_keras.report import evaluation
    from study_keras.train import metadata

    def calibration_inputs(model: Any) -> Any:
        return evaluation.to_model_inputs(model, mnist_data.load_data(data)[0][0][:CALIBRATION])

    metadata.load_metadata(source)  # refuses what it cannot read before the work
    result = formats_convert.convert(source, target, images=calibration_inputs, **options)
    if "structure" not in result["lost"] and "weights" not in result["lost"]:
        metadata.copy_metadata(source, target)
    return result


def _print(source: Path, target: Path, result: dict[str, Any]) -> None:
    from study_keras.formats.proof.prove import Proof

    say(f"{display_path(source)} -> {display_path(target)}")
    if result.get("note"):
        say(f"{target.name} is {result['note']}")
    if result["proof"]:
        say(f"proof: {Proof(**result['proof'])}")
    if result["lost"]:
        say(f"lost, since {target.name} cannot store it: {', '.join(result['lost'])}")
