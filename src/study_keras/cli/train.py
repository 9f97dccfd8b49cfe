"""The command ``train``."""

import difflib
import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from study_keras.cli.options import DATA, JSON, OUTPUT, PROCESSES, Units, processes_options
from study_keras.cli.shared import command_name, near, output_folder, print_json, result_table, typed
from study_keras.startup import import_keras
from study_keras.train import launcher, metadata
from study_keras.train.recipes import MLP_ONLY, RECIPES, Recipe, backend, from_settings

if TYPE_CHECKING:
    import keras


class Trained(NamedTuple):
    """What a training leaves: the model, its file, its metadata, and the figures of the test."""

    model: "keras.Model"
    path: Path
    record: dict[str, Any]
    result: dict[str, Any]


@click.command()
@click.option(
    "--recipe",
    default="tutorial",
    show_default=True,
    metavar="NAME",
    help="Preset for the options below: tutorial, fast, mlp, cnn, best or tiny.",
)
@click.option("--units", type=Units(), default="128", show_default=True, help="Units of the hidden layers.")
@click.option(
    "--activation", default="relu", show_default=True, metavar="NAME", help="Activation of the hidden layers."
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="Dropout rate after each hidden layer.",
)
@click.option("--optimizer", default="adam", show_default=True, metavar="NAME", help="A Keras optimizer.")
@click.option("--one-hot", is_flag=True, help="Train with one-hot labels and categorical cross-entropy.")
@click.option("--epochs", type=click.IntRange(1), default=5, show_default=True, help="Number of epochs.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Images per step.")
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Fraction of the training images held out for validation.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed; the same seed gives the same weights, bit for bit."
)
@click.option("--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Write TensorBoard logs.")
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="N", help="Save the weights every N epochs.")
@click.option("--resume", is_flag=True, help="Resume the interrupted training in the output folder.")
@processes_options
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
    group: launcher.Group,
    data: Path | None,
    output: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network on MNIST or your own dataset.

    Tests the network and saves it as DIR/hello_mnist.keras. A training that was killed goes on with --resume and ends
    with the weights of an uninterrupted one. Processes that --join each other from several hosts resume from a folder
    that all of them share.

    Example: hello-mnist train --units 512,128 --dropout 0.3 --validation 0.1 --epochs 10
    """
    folder = output_folder(output)
    former = metadata.unfinished_record(folder) if resume else None
    chosen = _recipe(context, recipe, settings, former)
    _check_group(group, chosen)
    os.environ.setdefault("KERAS_BACKEND", "jax" if group.processes else backend(chosen))
    if group.to_launch:
        status = launcher.start_all(group, _arguments(context), resume_command(folder))
        raise click.exceptions.Exit(status)
    keras = import_keras(with_tensorflow=bool(tensorboard and group.first))
    chosen = _join(group, chosen)
    check_name(chosen.activation, "--activation", keras.activations)
    check_name(chosen.optimizer, "--optimizer", keras.optimizers)
    unfinished = _unfinished(folder, former, chosen, group) if former else None
    if former and former.get("data_path"):
        data = data or Path(former["data_path"])
    from study_keras.data.dataset import load_data

    dataset = load_data(data)
    if group.first:
        more = _callbacks(dataset, chosen, folder, checkpoint_every, tensorboard)
    else:  # only process 0 writes files that are kept
        folder, more = Path(context.with_resource(tempfile.TemporaryDirectory())), []
    started = time.perf_counter()
    with launcher.ended_by_others():
        trained = train_and_test(
            dataset, chosen, folder, unfinished=unfinished, data=data, callbacks=more, silent=not group.first
        )
    if group.first:
        _print(trained, time.perf_counter() - started, as_json=as_json)


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
    """Train with a progress display on standard error, save, and test."""
    from rich.console import Console

    from study_keras.data import class_names
    from study_keras.data.dataset import class_count, training_count
    from study_keras.report import evaluation, terminal
    from study_keras.train import checkpoint

    recipe = replace(recipe, seed=secrets.randbits(32)) if recipe.seed is None else recipe
    images = training_count(len(dataset[0][0]), recipe.validation)
    progress = terminal.TrainingProgress(Console(stderr=True, quiet=silent), images)
    made: dict[str, Any] = {"trained_by": typed(), "data_path": str(data.resolve()) if data else None}
    if classes := class_names.class_names(data, class_count(dataset)):
        made["classes"] = classes
    try:
        model, path, record = checkpoint.train_and_save(
            dataset, recipe, folder, made=made, unfinished=unfinished, callbacks=[*callbacks, progress]
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what was finished is kept, go on with: {resume_command(folder)}") from None
    return Trained(model, path, record, evaluation.evaluate(model, *dataset[1]))


def _print(trained: Trained, seconds: float, *, as_json: bool) -> None:
    if as_json:
        figures = {"model": str(trained.path), "parameters": trained.model.count_params(), "seconds": seconds}
        return print_json({**figures, **trained.record, **trained.result})
    from rich.console import Console

    from study_keras.report import terminal

    console = Console()
    console.print(terminal.history_table(trained.record["history"]))
    console.print(result_table(trained.result))
    return click.echo(f"The model: {near(trained.path)}")


def resume_command(folder: Path) -> str:
    """Return what to type to go on with the training in ``folder``."""
    return f"{command_name()} train --resume --output {near(folder)}"


def _check_group(group: launcher.Group, recipe: Recipe) -> None:
    try:
        group.check(recipe.batch_size)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _join(group: launcher.Group, recipe: Recipe) -> Recipe:
    """Connect to the other processes, if there are any, and return the recipe with the seed of process 0."""
    if not group.join:
        return recipe
    launcher.join_others(group.join, group.processes or 1, group.process_id or 0)
    with launcher.ended_by_others():
        return replace(recipe, seed=launcher.agree(secrets.randbits(32) if recipe.seed is None else recipe.seed))


def _unfinished(folder: Path, former: dict[str, Any], recipe: Recipe, group: launcher.Group) -> Any:
    """Load the interrupted training, and say where it goes on."""
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

    more: list[Any] = []
    if checkpoint_every:
        more.append(callbacks.SaveEvery(folder / "hello_mnist-{epoch:04d}.weights.h5", checkpoint_every))
    if tensorboard:
        more.append(keras.callbacks.TensorBoard(output_folder(tensorboard), histogram_freq=1, write_images=True))
        sample, labels = (part[:1000] for part in dataset[0])
        if recipe.one_hot:
            labels = models.one_hot(labels, class_count(dataset))
        more.append(callbacks.LogGradients(tensorboard, scale(sample), labels))
    return more


def _arguments(context: click.Context) -> list[str]:
    """Return the options of this call as they are typed, all but those that number processes."""
    given: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        typed_in = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed_in and name not in PROCESSES:
            text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
            given += [parameter.opts[0]] if value is True else [parameter.opts[0], text]
    return given


def _recipe(context: click.Context, name: str, settings: dict[str, Any], former: dict[str, Any] | None) -> Recipe:
    """Return the recipe ``name``, or that of the interrupted training, with the options given on the command line.

    Raises:
        click.UsageError: the recipe is unknown, or its network has no such option.
    """
    given = {key: settings[key] for key in settings if context.get_parameter_source(key) is ParameterSource.COMMANDLINE}
    if former:
        return replace(from_settings(former["settings"]), **given)
    if name not in RECIPES:
        raise click.BadParameter(f"received {name!r}, expected one of {', '.join(RECIPES)}", param_hint="--recipe")
    if RECIPES[name].network != "mlp" and (strange := sorted({*given} & {*MLP_ONLY})):
        raise click.UsageError(f"--{strange[0]} is for dense networks; the recipe {name} has a fixed network")
    return replace(RECIPES[name], **given)


def check_name(name: str, option: str, module: Any) -> None:
    """Refuse a name that the Keras ``module`` (activations or optimizers) does not know."""
    try:
        module.get(name)
    except (ValueError, TypeError):
        known = [public.lower() for public in dir(module) if not public.startswith("_")]
        kin = difflib.get_close_matches(name.lower(), known, n=1)
        meant = kin[0] if kin else f"one of Keras' {module.__name__.split('.')[-1]}"
        raise click.BadParameter(f"Keras knows no {name!r}; did you mean {meant}?", param_hint=option) from None
