"""Plots of the data, a training and its results.

Each function takes data and returns a matplotlib figure; ``save`` writes it. The figures are created without
pyplot, so that no window opens and no state is shared. Common arguments: ``images`` ``(n, 28, 28)`` uint8, ``labels``
``(n,)`` integers, ``probabilities`` ``(n, classes)`` of a model, ``names`` of the classes, None for digits.
"""

import io
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from study_keras import files
from study_keras.data.class_names import class_name
from study_keras.data.dataset import Images, Labels
from study_keras.report.evaluation import Probabilities

Names = Sequence[str] | None
# Two colours that are distinguishable with any colour vision. Source: Okabe and Ito, "Color Universal Design".
BLUE, ORANGE = "#0072B2", "#D55E00"
MAX_CLASSES = 62  # in one picture, as many as EMNIST has


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` to ``path`` as PNG, atomically, and return the path."""
    return files.write(path, png(figure))


def show(path: str | Path) -> None:
    """Open the picture at ``path`` in the system's viewer, if the terminal is interactive and has a display."""
    display = sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if display and sys.stdout.isatty():
        with Image.open(path) as image:
            image.show()


def png(figure: Figure) -> bytes:
    """Return ``figure`` as the bytes of a PNG."""
    content = io.BytesIO()
    with rc_context({"text.parse_math": False}):  # a $ in a name is no formula; labels of axes are created here
        for text in figure.findobj(Text):
            text.set_parse_math(False)
        figure.savefig(content, format="png", dpi=144)
    return content.getvalue()


def plot_model(model: Any, path: str | Path) -> Path:
    """Draw the layers of ``model`` with names and shapes to the PNG ``path``, and return the path.

    ``keras.utils.plot_model`` requires Graphviz' ``dot`` program; this function uses ``dot`` if it is installed, and
    otherwise the port of it in the package graphviz-pure.
    """
    import keras

    dot = shutil.which("dot") or str(Path(sysconfig.get_path("scripts")) / "graphviz-pure")
    graph = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True)
    with files.atomic_write(path) as temporary:
        graph.write(str(temporary), format="png", prog=dot)
    return Path(path)


def history(history: Mapping[str, Sequence[float]]) -> Figure:
    """Plot loss and accuracy over the epochs, for training and, if it was measured, validation.

    Args:
        history: ``History.history``: loss, accuracy, val_loss, val_accuracy, a number per epoch.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name, unit in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("nats", "fraction right"), strict=True):
        for key, label, colour, style in ((name, "training", BLUE, "-o"), (f"val_{name}", "validation", ORANGE, "--s")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                axes.plot(epochs, history[key], style, color=colour, label=label, markersize=4)
        axes.set(xlabel="epoch", ylabel=f"{name} ({unit})", title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return figure


def class_label(label: int, names: Names, most: int = 30) -> str:
    """Return the name of a class, or its number if it has no name, of at most ``most`` characters."""
    name = class_name(label, names)
    return name if len(name) <= most else f"{name[: most - 1]}…"


def confusion(labels: Labels, probabilities: Probabilities, names: Names = None) -> Figure:
    """Plot the confusion matrix; the shade counts only mistakes. Of many classes, those with the most are shown."""
    guesses = probabilities.argmax(axis=1)
    drawn = _worst_classes(np.arange(probabilities.shape[1]), labels, guesses)
    classes, both = len(drawn), np.isin(labels, drawn) & np.isin(guesses, drawn)
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (np.searchsorted(drawn, labels[both]), np.searchsorted(drawn, guesses[both])), 1)
    wrong = np.where(np.eye(classes, dtype=bool), 0, counts)
    figure = Figure(figsize=(0.55 * classes + 1.6, 0.5 * classes + 1.2), layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow(wrong, cmap="Oranges", vmax=max(1, wrong.max()))
    figure.colorbar(shades, label="images read wrong")
    for truth, guess in np.ndindex(counts.shape):
        if counts[truth, guess]:
            dark = wrong[truth, guess] > 0.6 * wrong.max()
            colour = BLUE if truth == guess else "white" if dark else "black"
            axes.text(guess, truth, str(counts[truth, guess]), ha="center", va="center", fontsize=8, color=colour)
    axes.set(xlabel="read as", ylabel="truth")
    ticks = [class_label(label, names) for label in drawn]
    axes.set_xticks(range(classes), ticks, rotation=90 if max(map(len, ticks)) > 2 else 0)
    axes.set_yticks(range(classes), ticks)
    axes.set_title(f"{np.sum(guesses != labels):,} of {len(labels):,} images read wrong")
    return figure


def _worst_classes(classes: Labels, labels: Labels, guesses: Labels) -> Labels:
    """Return the ``MAX_CLASSES`` of ascending ``classes`` with the most mistakes, ascending."""
    wrong = np.concatenate([labels[guesses != labels], guesses[guesses != labels]])
    counts = np.bincount(wrong, minlength=int(classes.max()) + 1)[classes]
    return np.sort(classes[np.argsort(-counts, kind="stable")[:MAX_CLASSES]])


def accuracy_per_class(labels: Labels, probabilities: Probabilities, names: Names = None) -> Figure:
    """Plot the accuracy of each class and of all images. Of many classes, those with the most mistakes are shown."""
    guesses = probabilities.argmax(axis=1)
    right = guesses == labels
    digits = _worst_classes(np.unique(labels), labels, guesses)
    accuracies = np.array([right[labels == digit].mean() for digit in digits])
    figure = Figure(figsize=(7, 0.32 * len(digits) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.axvline(right.mean(), color=ORANGE, linestyle="--", label=f"all: {right.mean():.2%}")
    axes.plot(accuracies, range(len(digits)), "o", color=BLUE)
    for place, (digit, accuracy) in enumerate(zip(digits, accuracies, strict=True)):
        text = f"{accuracy:.1%} of {np.sum(labels == digit):,}"
        axes.annotate(text, (accuracy, place), (8, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set(
        xlabel="fraction read right",
        ylabel="class" if names else "digit",
        yticks=range(len(digits)),
        yticklabels=[class_label(digit, names) for digit in digits],
    )
    axes.margins(x=0.3)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def samples(images: Images, labels: Labels, names: Names = None, each: int = 12) -> Figure:
    """Show ``each`` images of each class in a row; of many classes those of the first."""
    digits = np.unique(labels)[:MAX_CLASSES]
    figure = Figure(figsize=(each * 0.6, len(digits) * 0.62), layout="constrained")
    grid = figure.subplots(len(digits), each, squeeze=False)
    for row, digit in zip(grid, digits, strict=True):
        chosen = images[np.flatnonzero(labels == digit)[:each]]
        for axes in row:
            axes.set(xticks=[], yticks=[], frame_on=False)
        for axes, image in zip(row, chosen, strict=False):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        row[0].set_ylabel(
            class_label(digit, names), rotation=0, labelpad=12, va="center", ha="right" if names else "center"
        )
    return figure


def mistakes(
    images: Images, labels: Labels, probabilities: Probabilities, names: Names = None, most: int = 24
) -> Figure:
    """Show up to ``most`` misclassified images, the most confident first."""
    order = mistakes_by_confidence(labels, probabilities)
    columns = 8
    rows = max(1, -(-min(most, len(order)) // columns))
    figure = Figure(figsize=(columns * 1.25, rows * 1.6 + 0.7), layout="constrained")
    figure.suptitle(f"{len(order)} of {len(labels):,} images read wrong, the most confident first")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, index in zip(figure.axes, order[:most], strict=False):
        guess = probabilities[index].argmax()
        axes.imshow(images[index], cmap="gray_r", vmin=0, vmax=255)
        between = "\n" if names else " "  # since names may be long
        said = f"{class_label(labels[index], names)} read{between}as {class_label(guess, names)}"
        axes.set_title(f"{said}\n{probabilities[index, guess]:.1%}  #{index}", fontsize=8)
    return figure


def mistakes_by_confidence(labels: Labels, probabilities: Probabilities) -> Any:
    """Return the indices of the misclassified images, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def comparison(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Figure:
    """Plot the accuracy of many trainings, the best on top: the mean as a dot, the range over the seeds as a bar.

    Args:
        rows: of ``sweep.summarize``.
        labels: the name of each row.
    """
    figure = Figure(figsize=(8, 1.3 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows), 0, -1)
    best = rows[0]["accuracy"] - rows[0]["spread"]  # rows that reach this may be equally good
    for place, row in zip(places, rows, strict=True):
        colour = BLUE if row["accuracy"] + row["spread"] >= best else "#888888"
        axes.plot([100 * row["lowest"], 100 * row["highest"]], [place, place], color=colour, alpha=0.35, linewidth=6)
        axes.plot(100 * row["accuracy"], place, "o", color=colour, markersize=6)
        text = f"{100 * row['accuracy']:.2f} %   {row['parameters']:,}"
        axes.annotate(text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_yticks(places, labels, fontsize=9)
    axes.set(xlabel="% of the held-out images read right", ylim=(0.4, len(rows) + 0.6))
    axes.set_title("mean and range over the seeds; at the right the mean and the parameters", fontsize=9, loc="left")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure
