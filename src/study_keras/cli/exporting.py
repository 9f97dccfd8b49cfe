"""The verbs that take a model elsewhere: ``convert``, ``verify`` and ``show``."""

from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, DATA, JSON
from study_keras.cli.shared import model_or_function, near, print_json, verify_artifacts
from study_keras.startup import import_keras


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights to put into SOURCE first.")
@click.option(
    "--quantize",
    metavar="NAME",
    help="Store smaller numbers: float16, uint16, uint8 in .tfjs and .html; float16, dynamic, int8 in .tflite.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help="Images at once in .tflite, instead of as many as the app likes; 1 makes the smallest file.",
)
@click.option(
    "--kind",
    "model_kind",
    type=click.Choice(["layers", "graph"]),
    help="What a .tfjs holds: layers, which can be trained on, or the graph.  [default: layers where they say it]",
)
@click.option("--opset", type=click.IntRange(1), metavar="N", help="The version of ONNX' operations in .onnx.")
@click.option("--no-proof", is_flag=True, help="Do not run TARGET in its own runtime before it gets its name.")
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
    """Write the model SOURCE as TARGET, in the format that TARGET's suffix names.

    .keras and .h5 are whole models; .json and .yaml structures; .weights.h5 and .ckpt (a TensorFlow
    checkpoint, NAME.index and NAME.data-*) weights; .savedmodel a folder for inference, .onnx a file for it;
    .tfjs is a folder for TensorFlow.js, .tflite a file for phones, .html a page to draw digits on, with the model and
    all else inside. What SOURCE is, is seen from its content;
    files of Keras 2 are read too. int8 is fitted to 500 training images of --data. What has a runtime of its own is
    run there on random inputs, and gets its name only if it answers as Keras does.

    Example: hello-mnist convert output/hello_mnist.keras model.yaml
    """
    given = (("batch", batch, ".tflite"), ("kind", model_kind, ".tfjs"), ("opset", opset, ".onnx"))
    for name, value, suffix in given:
        if value and target.suffix != suffix:
            raise click.UsageError(f"--{name} is for {suffix} alone, which {target.name} is not")
    options = {name: value for name, value, _ in given if value}
    keras = import_keras()
    from study_keras.data import dataset as mnist_data
    from study_keras.formats import convert as formats_convert
    from study_keras.formats import kind_to_write
    from study_keras.formats.proof import Proof
    from study_keras.report import evaluation
    from study_keras.train import records

    page = target.suffix == ".html"
    if not page and kind_to_write(target) in ("litert", "onnx") and keras.backend.backend() != "tensorflow":
        click.echo(f"writing {target.name} takes a process with TensorFlow, some 10 seconds ...", err=True)

    def typical(model: Any) -> Any:
        return evaluation.inputs(model, mnist_data.load_data(data)[0][0][:CALIBRATION])

    if page:
        from study_keras.serve.single_file import convert_page

        done = convert_page(source, target, weights, quantize, prove=not no_proof)
    else:
        done = formats_convert.convert(source, target, weights, quantize, typical, prove=not no_proof, **options)
        if "structure" not in done["lost"] and "weights" not in done["lost"]:
            records.carry_record(source, target)
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


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("artifacts", metavar="ARTIFACT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="An .npy of inputs; an .npz of them by name, or of x_test and y_test; or digits as for the other verbs.",
)
@JSON
def verify(model: Path, artifacts: tuple[Path, ...], data: Path | None, as_json: bool) -> None:
    """Run each ARTIFACT in its real runtime, and compare its answers with MODEL's.

    Both are run on --data; without it a network for digits on MNIST's test images, any other on random inputs of its
    own shapes and dtypes, as many as take a minute. A difference over the threshold, or a broken ARTIFACT, is exit
    code 1.

    Example: hello-mnist verify output/hello_mnist.keras output/hello_mnist.tfjs output/hello_mnist.tflite
    """
    import_keras()
    from study_keras.report.examples import load_test_examples

    loaded = model_or_function(model)
    inputs, labels = load_test_examples(loaded, data)
    if not verify_artifacts(loaded, artifacts, inputs, labels, as_json=as_json):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
def show(model: Path) -> None:
    """Show what is in MODEL: a model, a structure, weights or a SavedModel, of Keras 3 or Keras 2.

    Example: hello-mnist show output/hello_mnist.keras
    """
    import_keras()
    from rich.console import Console
    from rich.table import Table

    from study_keras import formats
    from study_keras.formats.convert import stored_weights

    console = Console()
    if "structure" in formats.KEEPS[formats.kind(model)]:
        return formats.load(model).summary(print_fn=lambda text: console.print(text, highlight=False))
    table = Table("weight", "shape", title=str(model), title_justify="left")
    for name, shape in stored_weights(model):
        table.add_row(name, str(shape))
    return console.print(table)
