"""The command ``verify``."""

from contextlib import nullcontext
from pathlib import Path

import click

from study_keras.cli.options import EXISTING, JSON, PATH
from study_keras.cli.shared import import_keras, load_full_model, verify_artifacts


@click.command()
@click.argument("model", type=EXISTING)
@click.argument("artifacts", metavar="ARTIFACT...", nargs=-1, required=True, type=PATH)
@click.option(
    "--data",
    type=EXISTING,
    metavar="PATH",
    help="An .npy file of inputs; an .npz file of inputs by name, or of x_test and y_test; or a dataset of digits.",
)
@click.option(
    "--everywhere",
    is_flag=True,
    help="Run an .onnx also in onnxruntime-web, the runtime of browsers, and a _numpy.py also in JAX.",
)
@click.option(
    "--run-code",
    is_flag=True,
    help="Also run a .py, .c or .pt2 ARTIFACT that is not what this version writes for MODEL: it can do anything.",
)
@JSON
def verify(
    *, model: Path, artifacts: tuple[Path, ...], data: Path | None, everywhere: bool, run_code: bool, as_json: bool
) -> None:
    """Compare exported files with their model, each in its runtime.

    Runs MODEL in Keras and each ARTIFACT in its own runtime on the same inputs: those of --data; by default MNIST's
    test images for a network that takes them, otherwise random inputs of the model's shapes and dtypes, as many as fit
    in a minute. A difference above the threshold, or a broken ARTIFACT, is exit code 1.

    Example: hello-mnist verify output/hello_mnist.keras output/hello_mnist.tfjs output/hello_mnist.tflite
    """
    import_keras()
    from study_keras.report.examples import load_test_examples
    from study_keras.runtimes.program import allow_code

    loaded = load_full_model(model)
    inputs, labels = load_test_examples(loaded, data)
    with allow_code() if run_code else nullcontext():
        passed = verify_artifacts(loaded, artifacts, inputs, labels, as_json=as_json, everywhere=everywhere)
    if not passed:
        raise click.exceptions.Exit(1)
