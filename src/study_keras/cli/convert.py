"""The command ``convert``."""

from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, DATA, JSON
from study_keras.cli.shared import near, print_json
from study_keras.startup import import_keras


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights to load into SOURCE first.")
@click.option(
    "--quantize",
    metavar="NAME",
    help="Store smaller numbers: float16, uint16 or uint8 in .tfjs and .html; float16, dynamic or int8 in .tflite.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help="Fixed batch size in .tflite (default: dynamic); 1 makes the smallest file.",
)
@click.option(
    "--kind",
    "model_kind",
    type=click.Choice(["layers", "graph"]),
    help="Content of a .tfjs: layers (can be trained further) or a graph.  [default: layers if TF.js has them]",
)
@click.option("--opset", type=click.IntRange(1), metavar="N", help="ONNX opset version of an .onnx file.")
@click.option("--no-proof", is_flag=True, help="Do not run TARGET in its runtime before it is written.")
@DATA
@JSON
def convert(
    *,
    source: Path,
    target: Path,
    weights: Path | None,
    quantize: str | None,
    batch: int | None,
    model_kind: str | None,
    opset: int | None,
    no_proof: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Convert a model to the format that TARGET's suffix names.

    \b
    .keras, .h5     a whole model
    .json, .yaml    its structure
    .weights.h5     its weights
    .ckpt           its weights, as a TensorFlow checkpoint
    .savedmodel     a folder for inference in TensorFlow
    .tfjs           a folder for TensorFlow.js
    .tflite         a file for LiteRT, on phones
    .onnx           a file for ONNX runtimes
    .html           a page to draw digits on, with the model inside

    The content of SOURCE decides its format; Keras 2 files are read too. A TARGET with a runtime of its own is run
    there on random inputs, and is only written if it answers as Keras does. int8 is calibrated on 500 training images
    of --data.

    Example: hello-mnist convert output/hello_mnist.keras model.yaml
    """
    given = (("batch", batch, ".tflite"), ("kind", model_kind, ".tfjs"), ("opset", opset, ".onnx"))
    for name, value, suffix in given:
        if value and target.suffix != suffix:
            raise click.UsageError(f"--{name} is only for {suffix} files; received {target.name}")
    options = {name: value for name, value, _ in given if value}
    keras = import_keras()
    from study_keras.data import dataset as mnist_data
    from study_keras.formats import convert as formats_convert
    from study_keras.formats import detect_target
    from study_keras.formats.proof.prove import Proof
    from study_keras.report import evaluation
    from study_keras.train import metadata

    page = target.suffix == ".html"
    if not page and detect_target(target).needs == "tensorflow" and keras.backend.backend() != "tensorflow":
        click.echo(f"exporting {target.name} in a TensorFlow subprocess, about 10 s ...", err=True)

    def typical(model: Any) -> Any:
        return evaluation.inputs(model, mnist_data.load_data(data)[0][0][:CALIBRATION])

    if page:
        from study_keras.serve.single_file import convert_page

        done = convert_page(source, target, weights, quantize, prove=not no_proof)
    else:
        done = formats_convert.convert(source, target, weights, quantize, typical, prove=not no_proof, **options)
        if "structure" not in done["lost"] and "weights" not in done["lost"]:
            metadata.carry_record(source, target)
    if as_json:
        return print_json(done)
    click.echo(f"{near(source)} -> {near(target)}")
    if done.get("note"):
        click.echo(f"{target.name} is {done['note']}")
    if done["proof"]:
        click.echo(f"proof: {Proof(**done['proof'])}")
    if done["lost"]:
        click.echo(f"{target.name} cannot hold, and so has lost: {', '.join(done['lost'])}")
    return None
