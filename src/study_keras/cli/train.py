"""The command ``train``."""

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from study_keras import write_errors
from study_keras.cli.options import DATA, JSON, OUTPUT, PATH, PROCESSES, Units, processes_options
from study_keras.cli.shared import (
    check_name,
    command_name,
    display_path,
    hold,
    import_keras,
    output_folder,
    print_json,
    result_table,
    say,
    typed_command,
)
from study_keras.files import temporary_folder
from study_keras.stopping import stop_message
from study_keras.train import launcher, metadata
from study_keras.train.recipes import MLP_ONLY, RECIPES, Recipe, backend, from_settings, unused_settings

if TYPE_CHECKING:
    import keras


class Trained(NamedTuple):
    """The result of a training: the model, its file, its metadata, and the figures of ``evaluation.evaluate``."""

    model: "keras.Model"
    path: Path
    metadata: dict[str, Any]
    result: dict[str, Any]


@click.command()
@click.option(
    "--recipe",
    default="tutorial",
    metavar="NAME",
    help=f"Preset for the options below: {', '.join(RECIPES)}.",
)
@click.option("--units", type=Units(), default="128", help="Units of the hidden layers.")
@click.option("--activation", default="relu", metavar="NAME", help="Activation of the hidden layers.")
@click.option(
    "--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.2, help="Dropout rate after each hidden layer."
)
@click.option("--optimizer", default="adam", metavar="NAME", help="A Keras optimizer.")
@click.option("--one-hot", is_flag=True, help="Train with one-hot labels and categorical cross-entropy.")
@click.option("--epochs", type=click.IntRange(1), default=5, help="Number of epochs.")
@click.option("--batch-size", type=click.IntRange(1), default=32, help="Images per step.")
@click.option("--images", type=click.IntRange(1), metavar="N", help="Train on N of the training images.")
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="Fraction of the training images held out for validation.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed; the same seed gives the same weights, bit for bit."
)
@click.option("--tensorboard", type=PATH, metavar="DIR", help="Write TensorBoard logs.")
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="N", help="Save the weights every N epochs.")
@click.option("--resume", is_flag=True, help="Resume the interrupted training in the output folder.")
@processes_options
@DATA
@OUTPUT
@JSON
@click.pass_context
def train(context: click.Context, /, *, group: launcher.Group, data: Path | None, **options: Any) -> None:
    """Train a network on MNIST or your own dataset.

    Tests the network and saves it as DIR/hello_mnist.keras. A training that was killed goes on with --resume and ends
    with the weights of an uninterrupted one. Processes that --join each other from several hosts resume from a folder
    that all of them share.

    Example: hello-mnist train --units 512,128 --dropout 0.3 --validation 0.1 --epochs 10
    """
    folder = output_folder(options["output"])
    if group.first and not group.supervised:  # the process that starts the others holds it for them
        hold(folder, "hello_mnist")
    former = metadata.load_unfinished_metadata(folder) if options["resume"] else None
    recipe = _recipe(context, options, former)
    _check_group(group, recipe)
    os.environ.setdefault("KERAS_BACKEND", "jax" if group.processes else backend(recipe))
    if group.to_launch:
        raise click.exceptions.Exit(launcher.launch(group, _arguments(context), resume_command(folder)))
    keras = import_keras(with_tensorflow=bool(options["tensorboard"] and group.first))
    recipe = _join(group, recipe)
    check_name(recipe.activation, "--activation", keras.activations)
    check_name(recipe.optimizer, "--optimizer", keras.optimizers)
    unfinished = _load_unfinished(folder, former, recipe, group) if former else None
    if former and former.get("data_path"):
        data = data or Path(former["data_path"])
    from study_keras.data.dataset import draw, load_data

    dataset = load_data(data)
    if recipe.images:
        dataset = draw(*dataset[0], recipe.images), dataset[1]
    if group.first:
        callbacks = _callbacks(dataset, recipe, folder, options["checkpoint_every"], options["tensorboard"])
    else:  # only process 0 writes files that are kept
        folder, callbacks = context.with_resource(temporary_folder()), []
    started = time.perf_counter()
    logs = write_errors.write_errors(options["tensorboard"] or folder, only_full=True, reason=write_errors.LOGS)
    with launcher.exit_if_others_are_lost(), logs:
        trained = train_and_test(
            dataset, recipe, folder, unfinished=unfinished, data=data, callbacks=callbacks, silent=not group.first
        )
    if group.first:
        _print(trained, time.perf_counter() - started, as_json=options["as_json"])


def train_and_test(
    dataset: Any,
    recipe: Recipe,
    folder: Path,
    *,
    unfinished: Any = None,
    data: Path | None = None,
    callbacks: Sequence[Any] = (),
    silent: bool = False,
) -> Trained:
    """Train with a progress bar on standard error, save, and test."""
    from rich.console import Console

    from study_keras.data import class_names
    from study_keras.data.dataset import class_count, training_count
    from study_keras.report import evaluation, terminal
    from study_keras.train import checkpoint

    recipe = replace(recipe, seed=secrets.randbits(32)) if recipe.seed is None else recipe
    images = training_count(len(dataset[0][0]), recipe.validation)
    progress = terminal.TrainingProgress(Console(stderr=True, quiet=silent), images)
    details: dict[str, Any] = {"trained_by": typed_command(), "data_path": str(data.resolve()) if data else None}
    if names := class_names.find_class_names(data, class_count(dataset)):
        details["classes"] = names
    with stop_message(launcher.RESUME_MESSAGE.format(resume_command(folder))):
        model, path, saved = checkpoint.train_and_save(
            dataset, recipe, folder, metadata=details, unfinished=unfinished, callbacks=[*callbacks, progress]
        )
    return Trained(model, path, saved, evaluation.evaluate(model, *dataset[1]))


def _print(trained: Trained, seconds: float, *, as_json: bool) -> None:
    if as_json:
        figures = {"model": str(trained.path), "parameters": trained.model.count_params(), "seconds": seconds}
        return print_json({**figures, **trained.metadata, **trained.result})
    from rich.console import Console

    from study_keras.report import terminal

    console = Console()
    console.print(terminal.history_table(trained.metadata["history"]))
    console.print(result_table(trained.result))
    return say(f"The model: {display_path(trained.path)}")


def resume_command(folder: Path) -> str:
    """Return the command that resumes the training in ``folder``."""
    return f"{command_name()} train --resume --output {display_path(folder)}"


def _check_group(group: launcher.Group, recipe: Recipe) -> None:
    """Refuse options that do not go together, and warn if others can reach the processes."""
    if group.processes and recipe.network == "ridge":
        raise click.UsageError("--processes is only for trainings with gradients; the recipe ridge has no such setting")
    try:
        group.check(recipe.batch_size)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if group.to_launch and group.exposed and group.first:
        say(f"--join {group.join}: {launcher.EXPOSED}", err=True)


def _join(group: launcher.Group, recipe: Recipe) -> Recipe:
    """Connect to the other processes, if there are any, and use the seed of process 0."""
    if not group.join:
        return recipe
    launcher.join_processes(group.join, group.processes or 1, group.process_id or 0)
    with launcher.exit_if_others_are_lost():
        return replace(recipe, seed=launcher.broadcast(secrets.randbits(32) if recipe.seed is None else recipe.seed))


def _load_unfinished(folder: Path, former: dict[str, Any], recipe: Recipe, group: launcher.Group) -> Any:
    """Load the interrupted training, and print the epoch that it resumes after."""
    from study_keras.train import checkpoint

    if group.first:
        done = len(former["history"].get("loss", ()))
        click.echo(f"resuming after epoch {done} of {recipe.epochs}", err=True)
    return checkpoint.load_unfinished(folder)


def _callbacks(
    dataset: Any, recipe: Recipe, folder: Path, checkpoint_every: int | None, tensorboard: Path | None
) -> list[Any]:
    """Return the callbacks that save weights and write logs."""
    import keras

    from study_keras.data.dataset import class_count, scale
    from study_keras.train import callbacks, models

    found: list[Any] = []
    if checkpoint_every:
        found.append(callbacks.SaveEvery(folder / "hello_mnist-{epoch:04d}.weights.h5", checkpoint_every))
    if tensorboard:
        found.append(keras.callbacks.TensorBoard(output_folder(tensorboard), histogram_freq=1, write_images=True))
        sample, labels = (part[:1000] for part in dataset[0])
        if recipe.one_hot:
            labels = models.one_hot(labels, class_count(dataset))
        found.append(callbacks.LogGradients(tensorboard, scale(sample), labels))
    return found


def _arguments(context: click.Context) -> list[str]:
    """Return the options of this call as they were typed, without those of the group of processes."""
    given: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        typed_in = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed_in and name not in PROCESSES:
            text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
            given += [parameter.opts[0]] if value is True else [parameter.opts[0], text]
    return given


def _recipe(context: click.Context, options: dict[str, Any], former: dict[str, Any] | None) -> Recipe:
    """Return the chosen recipe, or that of the interrupted training, with the settings on the command line.

    Raises:
        click.UsageError: the recipe is unknown, or its network has no such setting.
    """
    settings = {field.name for field in fields(Recipe)} & options.keys()
    given = {key: options[key] for key in settings if context.get_parameter_source(key) is ParameterSource.COMMANDLINE}
    if former:
        return replace(from_settings(former["settings"]), **given)
    name = options["recipe"]
    if name not in RECIPES:
        raise click.BadParameter(f"received {name!r}, expected one of {', '.join(RECIPES)}", param_hint="--recipe")
    if unsupported := sorted({*given} & unused_settings(RECIPES[name].network)):
        kind = "for dense networks" if unsupported[0] in MLP_ONLY else "for trainings with gradients"
        raise click.UsageError(f"--{unsupported[0]} is only {kind}; the recipe {name} has no such setting")
    return replace(RECIPES[name], **given)
