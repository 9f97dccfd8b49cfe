"""The verb ``train``, and the training that ``run`` shares with it."""

import difflib
import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from study_keras.cli import processes as several
from study_keras.cli.options import DATA, JSON, OUTPUT, Units
from study_keras.cli.shared import command_name, near, output_folder, print_json, result_table, typed
from study_keras.startup import import_keras


@click.command()
@click.option(
    "--recipe",
    default="tutorial",
    show_default=True,
    metavar="NAME",
    help="Where the options below start from: tutorial, fast, mlp, cnn, best or tiny.",
)
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
@several.options
@DATA
@OUTPUT
@JSON
@click.pass_context
def train(
    context: click.Context,
    /,
    *,
    recipe: str,
    tensorboard: Path | None,
    checkpoint_every: int | None,
    resume: bool,
    processes: int | None,
    join: str | None,
    process_id: int | None,
    supervised: bool,
    data: Path | None,
    output: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network of your own shape, test it, and save it as DIR/hello_mnist.keras.

    Killed at any moment, it goes on with --resume and ends with the weights of an uninterrupted run. Several processes
    that --join each other on several hosts go on from a folder that all of them see.

    Example: hello-mnist train --units 512,128 --dropout 0.3 --validation 0.1 --epochs 10
    """
    from study_keras.train import recipes, records

    folder = output_folder(output)
    given = {name for name in settings if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    settings = {name: settings[name] for name in given}
    former = records.unfinished_record(folder) if resume else None
    settings = {**(former["settings"] if former else _recipe(recipe, given)), **settings}
    join = join.split(",", maxsplit=1)[0] if join else None  # of Keras' variable, which may name all of them
    several.check(processes, join, process_id, settings["batch_size"])
    os.environ.setdefault("KERAS_BACKEND", "jax" if processes else recipes.backend(settings))
    if processes and (processes > 1 or join) and not supervised:
        go_on = resume_command(folder)
        status = several.start_all(processes, _arguments(context), go_on, join=join, process_id=process_id)
        raise click.exceptions.Exit(status)
    first = not process_id
    tensorboard = tensorboard if first else None
    keras = import_keras(with_tensorflow=bool(tensorboard))
    if join:
        several.join_others(join, processes or 1, process_id or 0)
        with several.ended_by_others():
            settings["seed"] = several.agree(secrets.randbits(32) if settings["seed"] is None else settings["seed"])
    check_name(settings["activation"], "--activation", keras.activations)
    check_name(settings["optimizer"], "--optimizer", keras.optimizers)
    from study_keras.data import dataset as mnist_data
    from study_keras.train import runs

    unfinished = None
    if former:
        unfinished = runs.load_unfinished(folder)
        data = data or (Path(former["data_path"]) if former["data_path"] else None)
        done = len(former["history"].get("loss", ()))
        if first:
            click.echo(f"resuming after epoch {done} of {settings['epochs']}", err=True)
    if not first:  # process 0 alone writes; what the others are told to write goes with them
        folder = Path(context.with_resource(tempfile.TemporaryDirectory()))
    dataset = mnist_data.load_data(data)
    more = _watchers(dataset, settings, folder, checkpoint_every, tensorboard) if first else []
    started = time.perf_counter()
    with several.ended_by_others():
        model, path, record, result = train_and_test(
            dataset, settings, folder, unfinished=unfinished, data=data, callbacks=more, silent=not first
        )
    if not first:
        return None
    if as_json:
        figures = {"model": str(path), "parameters": model.count_params(), "seconds": time.perf_counter() - started}
        return print_json({**figures, **record, **result})
    from rich.console import Console

    from study_keras.report import terminal

    console = Console()
    console.print(terminal.history_table(record["history"]))
    console.print(result_table(result))
    click.echo(f"The model: {near(path)}")
    return None


def train_and_test(
    dataset: Any,
    settings: dict[str, Any],
    folder: Path,
    *,
    unfinished: Any = None,
    data: Path | None = None,
    callbacks: Sequence[Any] = (),
    silent: bool = False,
) -> tuple[Any, Path, dict[str, Any], dict[str, Any]]:
    """Train with a progress display on stderr, save, and test; return model, path, record and result."""
    from rich.console import Console

    from study_keras.data import names
    from study_keras.data.dataset import class_count, training_count
    from study_keras.report import evaluation, terminal
    from study_keras.train import runs

    settings = {**settings, "units": list(settings["units"])}
    if settings["seed"] is None:
        settings["seed"] = secrets.randbits(32)
    images = training_count(len(dataset[0][0]), settings["validation"])
    progress = terminal.TrainingProgress(Console(stderr=True, quiet=silent), images)
    made: dict[str, Any] = {"trained_by": typed(), "data_path": str(data.resolve()) if data else None}
    if classes := names.class_names(data, class_count(dataset)):
        made["classes"] = classes
    try:
        model, path, record = runs.train_and_save(
            dataset, settings, folder, made=made, unfinished=unfinished, callbacks=[*callbacks, progress]
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what was finished is kept, go on with: {resume_command(folder)}") from None
    return model, path, record, evaluation.evaluate(model, *dataset[1])


def resume_command(folder: Path) -> str:
    """Return what to type to go on with the training in ``folder``."""
    return f"{command_name()} train --resume --output {near(folder)}"


def _watchers(
    dataset: Any, settings: dict[str, Any], folder: Path, checkpoint_every: int | None, tensorboard: Path | None
) -> list[Any]:
    """Return the callbacks that save weights and write logs."""
    import keras

    from study_keras.data import dataset as mnist_data
    from study_keras.train import callbacks, models

    watchers: list[Any] = []
    if checkpoint_every:
        watchers.append(callbacks.SaveEvery(folder / "hello_mnist-{epoch:04d}.weights.h5", checkpoint_every))
    if tensorboard:
        watchers.append(keras.callbacks.TensorBoard(output_folder(tensorboard), histogram_freq=1, write_images=True))
        sample, labels = (part[:1000] for part in dataset[0])
        if settings["one_hot"]:
            labels = models.one_hot(labels, mnist_data.class_count(dataset))
        watchers.append(callbacks.LogGradients(tensorboard, mnist_data.scale(sample), labels))
    return watchers


def _arguments(context: click.Context) -> list[str]:
    """Return the options of this call as they are typed, all but those that number processes."""
    given: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        typed_in = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed_in and name not in {"processes", "join", "process_id"}:
            text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
            given += [parameter.opts[0]] if value is True else [parameter.opts[0], text]
    return given


def _recipe(name: str, given: set[str]) -> dict[str, Any]:
    """Return the settings of a recipe; refuse an unknown one, and options that its network does not have."""
    from study_keras.train.recipes import OF_MLP, RECIPES

    if name not in RECIPES:
        raise click.BadParameter(f"received {name!r}, expected one of {', '.join(RECIPES)}", param_hint="--recipe")
    if RECIPES[name]["network"] != "mlp" and (strange := sorted(given & {*OF_MLP})):
        raise click.UsageError(
            f"--{strange[0]} is for dense networks; the network of the recipe {name} has no such choice"
        )
    return RECIPES[name]


def check_name(name: str, option: str, module: Any) -> None:
    """Refuse a name that the Keras ``module`` (activations or optimizers) does not know."""
    try:
        module.get(name)
    except (ValueError, TypeError):
        known = [public.lower() for public in dir(module) if not public.startswith("_")]
        kin = difflib.get_close_matches(name.lower(), known, n=1)
        meant = kin[0] if kin else f"one of Keras' {module.__name__.split('.')[-1]}"
        raise click.BadParameter(f"Keras knows no {name!r}; did you mean {meant}?", param_hint=option) from None
