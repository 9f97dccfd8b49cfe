"""The command ``hello-mnist``: thin verbs over the rooms of this package.

Heavy imports stand inside the verbs, so that ``--help`` answers at once.
"""

import difflib
import json
import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from study_keras.startup import import_keras


class Units(click.ParamType[Any]):
    """``512,128``: the widths of the hidden layers."""

    name = "N[,N…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            units = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            units = (0,)
        if min(units) < 1:
            self.fail(
                f"received {value!r}, expected whole numbers of at least 1, such as 128 or 512,128",
                param,
                ctx,
            )
        return units


OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to write.  [default: output]"
)
DATA = click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="An .npz as Keras writes it, or a folder of four IDX files, plain or .gz.  [default: MNIST]",
)
# What the tutorial trains with; the options of `train` have the same defaults.
DEFAULTS: dict[str, Any] = {
    "units": (128,),
    "activation": "relu",
    "dropout": 0.2,
    "optimizer": "adam",
    "one_hot": False,
    "epochs": 5,
    "batch_size": 32,
    "validation": 0.0,
    "seed": None,
}
CALIBRATION = 500  # training images that int8 is fitted to
JSON = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, and nothing else.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hello-mnist")
def cli() -> None:
    """From the smallest Keras network on MNIST to a model that runs anywhere.

    KERAS_BACKEND chooses the engine: jax (the default) or tensorflow.
    """


@cli.command()
@OUTPUT
def run(output: Path | None) -> None:
    """Do the main job: train the tutorial's network, test it, report on it, take it to every format and prove each.

    Example: hello-mnist run
    """
    import_keras()
    from rich.console import Console

    from study_keras.mnist import artifacts, data, evaluation, pictures, report, terminal

    console = Console()
    folder = _output(output)
    dataset = data.load_data()
    model, path, record, result = _train(dataset, DEFAULTS, folder)
    model.summary(print_fn=lambda text: console.print(text, highlight=False))
    console.print(terminal.history_table(record["history"]))
    console.print(_result_table(result))

    images, labels = dataset[1]
    probabilities = result["probabilities"]
    picture = pictures.save(pictures.mistakes(images, labels, probabilities), folder / "hello_mnist_mistakes.png")
    worst = pictures.mistakes_by_confidence(labels, probabilities)[:8]
    captions = [f"{labels[index]} read as {probabilities[index].argmax()}" for index in worst]
    if drawn := terminal.digits(images[worst], captions, console):
        console.print(drawn)
    made = {**record, "name": path.name, "command": _typed()}
    page = report.write_report(folder / "hello_mnist_report.html", model, dataset, result, made)
    click.echo("writing the model for the web, phones and the rest, and running each there ...", err=True)
    typical = evaluation.inputs(model, dataset[0][0][:CALIBRATION])
    passed = _verify(model, artifacts.save_all(model, path, typical), dataset[1], leave_out=True)
    command = _command()
    drawing = _drawing_page(model, folder)
    click.echo(f"""The model:          {_near(path)}
Its worst mistakes: {_near(picture)}
All about it:       {_near(page)}
Draw for it:        {_near(drawing) if drawing else "(the page needs Node: see above)"}
Try next:           {command} serve     (the page in a browser, with photos and a better network)
                    {command} train --units 512 --activation sigmoid --validation 0.1
                    {command} evaluate {_near(path)}
                    {command} --help""")
    if not passed:
        raise click.exceptions.Exit(1)


@cli.command()
@click.option("--units", type=Units(), default="128", show_default=True, help="Widths of the hidden layers.")
@click.option("--activation", default="relu", show_default=True, metavar="NAME", help="Of the hidden layers.")
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="Fraction of a hidden layer's outputs dropped in training.",
)
@click.option("--optimizer", default="adam", show_default=True, metavar="NAME", help="A Keras optimizer.")
@click.option("--one-hot", is_flag=True, help="Train with one-hot labels and categorical cross-entropy.")
@click.option("--epochs", type=click.IntRange(1), default=5, show_default=True, help="Passes over the images.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Images a step.")
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Fraction of the training images held out and measured each epoch.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="The same seed gives the same weights, bit for bit.")
@click.option("--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Write logs for TensorBoard.")
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="N", help="Save the weights every N epochs.")
@click.option("--resume", is_flag=True, help="Go on with the interrupted training in the output folder.")
@DATA
@OUTPUT
@JSON
@click.pass_context
def train(
    context: click.Context,
    /,
    *,
    tensorboard: Path | None,
    checkpoint_every: int | None,
    resume: bool,
    data: Path | None,
    output: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network of your own shape, test it, and save it as DIR/hello_mnist.keras.

    Killed at any moment, it goes on with --resume and ends with the weights of an uninterrupted run.

    Example: hello-mnist train --units 512,128 --dropout 0.3 --validation 0.1 --epochs 10
    """
    keras = import_keras()
    _check_name(settings["activation"], "--activation", keras.activations)
    _check_name(settings["optimizer"], "--optimizer", keras.optimizers)
    from study_keras.mnist import callbacks, models, runs
    from study_keras.mnist import data as mnist_data

    folder = _output(output)
    unfinished = None
    if resume:
        unfinished = runs.load_unfinished(folder)
        former = unfinished[1]
        data = data or (Path(former["data_path"]) if former["data_path"] else None)
        given = {name for name in settings if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
        settings = {**former["settings"], **{name: settings[name] for name in given}}
        done = len(former["history"].get("loss", ()))
        click.echo(f"resuming after epoch {done} of {settings['epochs']}", err=True)
    dataset = mnist_data.load_data(data)
    more: list[Any] = []
    if checkpoint_every:
        more.append(callbacks.SaveEvery(folder / "hello_mnist-{epoch:04d}.weights.h5", checkpoint_every))
    if tensorboard:
        more.append(keras.callbacks.TensorBoard(_output(tensorboard), histogram_freq=1, write_images=True))
        sample, labels = (part[:1000] for part in dataset[0])
        if settings["one_hot"]:
            labels = models.one_hot(labels, mnist_data.class_count(dataset))
        more.append(callbacks.LogGradients(tensorboard, mnist_data.scale(sample), labels))
    started = time.perf_counter()
    model, path, record, result = _train(dataset, settings, folder, unfinished=unfinished, data=data, callbacks=more)
    if as_json:
        figures = {"model": str(path), "parameters": model.count_params(), "seconds": time.perf_counter() - started}
        return _print_json({**figures, **record, **result})
    from rich.console import Console

    from study_keras.mnist import terminal

    console = Console()
    console.print(terminal.history_table(record["history"]))
    console.print(_result_table(result))
    click.echo(f"The model: {_near(path)}")
    return None


@cli.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@DATA
@OUTPUT
def report(model: Path, data: Path | None, output: Path | None) -> None:
    """Write one HTML file with all about MODEL: its table, training, test, mistakes and pictures.

    Example: hello-mnist report output/hello_mnist.keras
    """
    import_keras()
    from study_keras.mnist import data as mnist_data
    from study_keras.mnist import evaluation, runs
    from study_keras.mnist.report import write_report

    folder = _output(output)
    dataset = mnist_data.load_data(data)
    loaded = _whole_model(model)
    made = {**(runs.load_record(model) or {}), "name": model.name, "command": _typed()}
    with _named(model):
        result = evaluation.evaluate(loaded, *dataset[1])
        page = write_report(folder / f"{model.stem}_report.html", loaded, dataset, result, made)
    click.echo(f"The report: {_near(page)}")


@cli.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@DATA
@JSON
def evaluate(model: Path, data: Path | None, as_json: bool) -> None:
    """Measure MODEL on the test images.

    Example: hello-mnist evaluate output/hello_mnist.keras
    """
    import_keras()
    from study_keras.mnist import data as mnist_data
    from study_keras.mnist import evaluation

    (_, _), (images, labels) = mnist_data.load_data(data)
    loaded = _whole_model(model)
    with _named(model):
        result = evaluation.evaluate(loaded, images, labels)
    if as_json:
        return _print_json({"model": str(model), **result})
    from rich.console import Console

    Console().print(_result_table(result))
    return None


@cli.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights to put into SOURCE first.")
@click.option(
    "--quantize",
    metavar="NAME",
    help="Store smaller numbers: float16, uint16, uint8 in .tfjs and .html; float16, dynamic, int8 in .tflite.",
)
@DATA
@JSON
def convert(
    *, source: Path, target: Path, weights: Path | None, quantize: str | None, data: Path | None, as_json: bool
) -> None:
    """Write the model SOURCE as TARGET, in the format that TARGET's suffix names.

    .keras and .h5 are whole models; .json and .yaml structures; .weights.h5 and .ckpt (a TensorFlow
    checkpoint, NAME.index and NAME.data-*) weights; .savedmodel a folder for inference, .onnx a file for it;
    .tfjs is a folder for TensorFlow.js, .tflite a file for phones, .html a page to draw digits on, with the model and
    all else inside. What SOURCE is, is seen from its content;
    files of Keras 2 are read too. int8 is fitted to 500 training images of --data.

    Example: hello-mnist convert output/hello_mnist.keras model.yaml
    """
    keras = import_keras()
    from study_keras.formats import convert as formats_convert
    from study_keras.formats import kind
    from study_keras.mnist import data as mnist_data
    from study_keras.mnist import evaluation

    page = target.suffix == ".html"
    if not page and kind(target) in ("litert", "onnx") and keras.backend.backend() != "tensorflow":
        click.echo(f"writing {target.name} takes a process with TensorFlow, some 10 seconds ...", err=True)

    def typical(model: Any) -> Any:
        return evaluation.inputs(model, mnist_data.load_data(data)[0][0][:CALIBRATION])

    if page:
        from study_keras.web.page import convert_page

        done = convert_page(source, target, weights, quantize)
    else:
        done = formats_convert.convert(source, target, weights, quantize, typical)
    if as_json:
        return _print_json(done)
    click.echo(f"{_near(source)} -> {_near(target)}")
    if done["lost"]:
        click.echo(f"{target.name} cannot hold, and so has lost: {', '.join(done['lost'])}")
    return None


@cli.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("artifacts", metavar="ARTIFACT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@DATA
@JSON
def verify(model: Path, artifacts: tuple[Path, ...], data: Path | None, as_json: bool) -> None:
    """Run each ARTIFACT in its real runtime on the test images, and compare its answers with MODEL's.

    A difference over the threshold is exit code 1.

    Example: hello-mnist verify output/hello_mnist.keras output/hello_mnist.tfjs output/hello_mnist.tflite
    """
    import_keras()
    from study_keras.mnist import data as mnist_data

    if not _verify(_whole_model(model), artifacts, mnist_data.load_data(data)[1], as_json=as_json):
        raise click.exceptions.Exit(1)


@cli.command()
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


@cli.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="MODEL", help="Any model.  [default: the shipped one]"
)
@click.option("--show", type=click.Path(path_type=Path), metavar="DIR", help="Write each stage as a picture.")
@JSON
def predict(images: tuple[str, ...], model: Path | None, show: Path | None, as_json: bool) -> None:
    """Read the digits in each IMAGE: PNG, JPEG, WebP, BMP or GIF, or - for standard input.

    Several digits are read as a number, line by line. A digit that the network is not certain of has a ? behind it;
    ink that is no digit is not counted. JSON: {"image", "text", "digits": [{"digit", "probability", "probabilities",
    "box", "certain"}]}, in an array where there are several IMAGEs. A picture that cannot be read is named on stderr,
    the others are answered, and the exit code is 1.

    Example: hello-mnist predict photo.jpg --show output/photo
    """
    from study_keras import files
    from study_keras.mnist import networks, reading

    network = networks.load_network(model)
    folder = files.writable_dir(show) if show else None
    answers: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        try:
            answers.append({"image": image, **_predict(image, number, network, folder)})
        except ValueError as error:
            _complain(str(error), 1)
            continue
        if not as_json:
            for line in reading.lines_of(answers[-1]):
                click.echo(f"{image}: {line}")
    if as_json and answers:
        click.echo(json.dumps(answers if len(images) > 1 else answers[0]))
    if len(answers) < len(images):
        raise click.exceptions.Exit(1)


def _predict(image: str, number: int, network: Any, folder: Path | None) -> dict[str, Any]:
    from study_keras.mnist import reading
    from study_keras.mnist.images import read_image

    grey = read_image(sys.stdin.buffer if image == "-" else image)
    with _named(Path(image)):
        if folder:
            from study_keras.mnist import stages

            name = "stdin" if image == "-" else Path(image).stem
            stages.save_stages(grey, network, folder, f"{number}_{name}")
        return reading.read_grey(grey, network)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any free one.")
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A model besides the shipped one; may be repeated, the first is the default.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that read pictures.  [default: one a processor]")
@click.option("--queue", type=click.IntRange(0), default=64, show_default=True, help="Pictures that may wait for one.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0.01, 3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="At most for the head of a request, for its body, for its answer, and for the stop.",
)
def serve(
    *, host: str, port: int, models: tuple[Path, ...], workers: int | None, queue: int, time_limit: float
) -> None:
    """Serve the page that reads your handwriting, and POST /predict, which reads a picture.

    For this computer alone unless --host says otherwise. Ctrl-C stops it. One line on stderr for each request; no
    picture is stored. GET /openapi.json describes it all.

    Example: hello-mnist serve --port 8000
    """
    from study_keras.web import server

    if not host.startswith(server.LOOPBACK):
        who = "whoever reaches this computer over the network can use the server, and nothing is encrypted"
        click.echo(f"--host {host}: {who}", err=True)
    server.serve(host, port, models, workers=workers, queue=queue, seconds=time_limit, listening=click.echo)


def _output(folder: Path | None) -> Path:
    from study_keras import files

    return files.output_dir() if folder is None else files.writable_dir(folder)


def _train(
    dataset: Any,
    settings: dict[str, Any],
    folder: Path,
    *,
    unfinished: Any = None,
    data: Path | None = None,
    callbacks: Sequence[Any] = (),
) -> tuple[Any, Path, dict[str, Any], dict[str, Any]]:
    """Train with a progress display on stderr, save, and test; return model, path, record and result."""
    from rich.console import Console

    from study_keras.mnist import evaluation, runs, terminal

    settings = {**settings, "units": list(settings["units"])}
    if settings["seed"] is None:
        settings["seed"] = secrets.randbits(32)
    images = round(len(dataset[0][0]) * (1 - settings["validation"]))
    progress = terminal.TrainingProgress(Console(stderr=True), images)
    made = {"trained_by": _typed(), "data_path": str(data.resolve()) if data else None}
    try:
        model, path, record = runs.train_and_save(
            dataset, settings, folder, made=made, unfinished=unfinished, callbacks=[*callbacks, progress]
        )
    except KeyboardInterrupt:
        go_on = f"{_command()} train --resume --output {_near(folder)}"
        raise KeyboardInterrupt(f"stopped; what was finished is kept, go on with: {go_on}") from None
    return model, path, record, evaluation.evaluate(model, *dataset[1])


def _verify(model: Any, paths: Sequence[Path], test: Any, *, as_json: bool = False, leave_out: bool = False) -> bool:
    """Verify and print each artifact; return whether all passed. What has no runtime here may be left out."""
    from rich.console import Console

    from study_keras.formats.verify import verify as verify_artifact
    from study_keras.mnist import evaluation, terminal

    images, labels = test
    inputs = evaluation.inputs(model, images)
    results = []
    for path in paths:
        try:
            results.append(verify_artifact(model, path, inputs, labels))
        except FileNotFoundError as error:
            if not leave_out:
                raise
            click.echo(f"{path.name} is left out: {error}", err=True)
    if as_json:
        click.echo(json.dumps(results))
    else:
        Console().print(terminal.verify_table(results))
    return all(result["passed"] for result in results)


def _drawing_page(model: Any, folder: Path) -> Path | None:
    """Write the page that reads drawn digits; where it cannot be built, say why."""
    from study_keras.web import page

    try:
        return page.write_page(model, folder / "hello_mnist.html")
    except FileNotFoundError as error:
        click.echo(f"hello_mnist.html is left out: {error}", err=True)
        return None


def _command() -> str:
    """Return what to type for this command: its name, or its path where the shell does not know the name."""
    return "hello-mnist" if shutil.which("hello-mnist") else _near(Path(sys.argv[0]))


def _typed() -> str:
    """Return the command as it was typed."""
    return shlex.join(["hello-mnist", *sys.argv[1:]])


def _near(path: Path) -> str:
    """Return ``path`` ready to be typed, relative where it lies below the current folder."""
    path = path.resolve()
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _result_table(result: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("test", "", title_justify="left")
    table.add_row("images", f"{result['images']:,}")
    table.add_row("loss", f"{result['loss']:.4f}")
    table.add_row("accuracy", f"{result['accuracy']:.4f}")
    table.add_row("mistakes", f"{len(result['mistakes']):,}")
    return table


def _whole_model(path: Path) -> Any:
    """Load a model with its weights; refuse a file that holds only a part of one."""
    from study_keras import formats

    held = formats.KEEPS[formats.kind(path)]
    if not {"structure", "weights"} <= set(held):
        raise ValueError(f"{path}: holds {' and '.join(held)} alone; expected a whole model, such as .keras or .h5")
    return formats.load(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before an error about its content."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _print_json(figures: dict[str, Any]) -> None:
    click.echo(json.dumps({key: value for key, value in figures.items() if key != "probabilities"}))


def _check_name(name: str, option: str, module: Any) -> None:
    """Refuse a name that the Keras ``module`` (activations or optimizers) does not know."""
    try:
        module.get(name)
    except (ValueError, TypeError):
        known = [public.lower() for public in dir(module) if not public.startswith("_")]
        near = difflib.get_close_matches(name.lower(), known, n=1) or [
            "one of Keras' " + module.__name__.split(".")[-1]
        ]
        raise click.BadParameter(f"Keras knows no {name!r}; did you mean {near[0]}?", param_hint=option) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code: 0, 1 for a failed job, 2 for a wrong call, 130 for Ctrl-C.

    A user's mistake is one line on stderr, never a traceback.
    """
    try:
        return cli.main(arguments, "hello-mnist", standalone_mode=False) or 0  # click gives back what Exit holds
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "hello-mnist"
        return _complain(f"{error.format_message().rstrip('.')}; see {command} --help", error.exit_code)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except click.Abort as abort:  # click's form of Ctrl-C
        return _complain(str(abort.__cause__ or "") or "stopped", 130)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except ValueError as error:
        return _complain(str(error), 1)


def _complain(message: str, code: int) -> int:
    click.echo("hello-mnist: " + " ".join(message.split()), err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
