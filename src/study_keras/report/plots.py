"""Pictures of the data, the network and what it does.

Each function takes data and returns a matplotlib figure; ``save`` writes it. The figures are made without
pyplot, so that no window opens and nothing is shared between them.
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
from matplotlib.figure import Figure
from PIL import Image

from study_keras import files
from study_keras.data.class_names import name_of
from study_keras.data.dataset import Images, Labels, scale
from study_keras.report.evaluation import Probabilities

# Two colours that stay apart for every kind of colour vision. Source: Okabe and Ito, "Color Universal Design".
Names = Sequence[str] | None  # of the classes in the order of their labels; None where they are digits
BLUE, ORANGE = "#0072B2", "#D55E00"


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` to ``path`` as PNG, whole or not at all, and return the path."""
    with files.atomic_write(path) as temporary:
        temporary.write_bytes(png(figure))
    return Path(path)


def show(path: str | Path) -> None:
    """Open the picture at ``path`` in the system's viewer, where a person sits before a display."""
    display = sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if display and sys.stdout.isatty():
        with Image.open(path) as image:
            image.show()


def png(figure: Figure) -> bytes:
    """Return ``figure`` as the bytes of a PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=144)
    return content.getvalue()


def plot_model(model: Any, path: str | Path) -> Path:
    """Draw the layers of ``model`` with names and shapes to the PNG ``path``, and return the path.

    ``keras.utils.plot_model`` insists on Graphviz' ``dot`` program; this takes ``dot`` where it is
    installed and otherwise the port of it that the package graphviz-pure brings.
    """
    import keras

    dot = shutil.which("dot") or str(Path(sysconfig.get_path("scripts")) / "graphviz-pure")
    graph = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True)
    with files.atomic_write(path) as temporary:
        graph.write(str(temporary), format="png", prog=dot)
    return Path(path)


def history(history: Mapping[str, Sequence[float]]) -> Figure:
    """Show loss and accuracy over the epochs, for training and, where it was measured, validation.

    Args:
        history: ``History.history``: loss, accuracy, val_loss, val_accuracy, a number for each epoch.
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
        axes.legend()
    return figure


def confusion(labels: Labels, probabilities: Probabilities, names: Names = None) -> Figure:
    """Show how often each digit is read as each other; the shade counts the mistakes alone.

    Args:
        labels: ``(n,)`` the truth.
        probabilities: ``(n, classes)`` what the model says.
        names: of the classes.
    """
    classes = probabilities.shape[1]
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
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
    called = [name_of(label, names) for label in range(classes)]
    axes.set_xticks(range(classes), called, rotation=90 if max(map(len, called)) > 2 else 0)
    axes.set_yticks(range(classes), called)
    axes.set_title(f"{wrong.sum():,} of {len(labels):,} images read wrong")
    return figure


def accuracy_per_digit(labels: Labels, probabilities: Probabilities, names: Names = None) -> Figure:
    """Show the fraction of each digit's images that are read right, and of all.

    Args:
        labels: ``(n,)`` the truth.
        probabilities: ``(n, classes)`` what the model says.
        names: of the classes.
    """
    right = probabilities.argmax(axis=1) == labels
    digits = np.unique(labels)
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
        yticklabels=[name_of(digit, names) for digit in digits],
    )
    axes.margins(x=0.3)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def samples(images: Images, labels: Labels, names: Names = None, each: int = 12) -> Figure:
    """Show the first images of every digit, a row for each digit.

    Args:
        images: ``(n, 28, 28)`` uint8.
        labels: ``(n,)`` whole numbers.
        names: of the classes.
        each: how many of each digit.
    """
    digits = np.unique(labels)
    figure = Figure(figsize=(each * 0.6, len(digits) * 0.62), layout="constrained")
    grid = figure.subplots(len(digits), each, squeeze=False)
    for row, digit in zip(grid, digits, strict=True):
        chosen = images[np.flatnonzero(labels == digit)[:each]]
        for axes in row:
            axes.set(xticks=[], yticks=[], frame_on=False)
        for axes, image in zip(row, chosen, strict=False):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        row[0].set_ylabel(
            name_of(digit, names), rotation=0, labelpad=12, va="center", ha="right" if names else "center"
        )
    return figure


def first_weights(model: Any, most: int = 64, columns: int = 16) -> Figure:
    """Show the first layer's weights, an image for each of its units: orange where ink speaks for the unit.

    Args:
        model: its first layer with weights is Dense on the 784 pixels, or Conv2D.
        most: how many units to show.
        columns: how many in a row.

    Raises:
        ValueError: the first layer with weights is of another kind.
    """
    layer: Any = next((layer for layer in _layers(model) if layer.weights), None)
    kernel = np.asarray(getattr(layer, "kernel", ()))
    if kernel.ndim == 2 and len(kernel) == 28 * 28:
        units = kernel.T.reshape(-1, 28, 28)
    elif kernel.ndim == 4:
        units = kernel.mean(axis=2).transpose(2, 0, 1)  # (height, width, in, out) -> (out, height, width)
    else:
        raise ValueError(f"the first weights are {kernel.shape}, expected (784, units) or (height, width, in, out)")
    shown = units[:most]
    rows = -(-len(shown) // columns)
    side = 9.6 / columns  # inches
    figure = Figure(figsize=(9.6, rows * side + 0.6), layout="constrained")
    largest = float(np.quantile(np.abs(units), 0.999))  # a few outliers would leave the rest pale
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, unit in zip(figure.axes, shown, strict=False):
        picture = axes.imshow(unit, cmap="PuOr_r", vmin=-largest, vmax=largest)
    figure.colorbar(picture, ax=figure.axes, label="weight", shrink=0.9)
    figure.suptitle(f"the weights of {layer.name}: {len(shown)} of {len(units)} units")
    return figure


def _layers(model: Any) -> Any:
    if not hasattr(model, "layers"):
        raise ValueError("a SavedModel for inference does not show its layers")
    return model.layers


def activations(model: Any, image: Images, names: Names = None) -> Figure:
    """Follow one image through the network, layer by layer.

    Args:
        model: Sequential or functional, with one input.
        image: ``(28, 28)`` uint8.
        names: of the classes.

    Raises:
        ValueError: the model is a SavedModel as a function, without layers.
    """
    import keras

    walk = keras.Model(model.inputs, [layer.output for layer in _layers(model)])
    outputs = walk.predict(scale(image).reshape(1, *model.input_shape[1:]), verbose=0)
    panels = [("image (28, 28)", image)]
    for layer, output in zip(model.layers, outputs if isinstance(outputs, list) else [outputs], strict=True):
        if not isinstance(layer, keras.layers.InputLayer):
            panels.append((f"{layer.name} {output.shape[1:]}", output[0]))
    figure = Figure(figsize=(len(panels) * 2.1, 2.7), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.set_title(title, fontsize=9)
        if values is panels[-1][1] and values.ndim == 1:
            axes.barh(range(len(values)), values, color=[ORANGE if value == values.max() else BLUE for value in values])
            axes.set_yticks(range(len(values)), [name_of(label, names) for label in range(len(values))])
            axes.set(xlabel="probability", xlim=(0, max(1, values.max())))
            axes.invert_yaxis()
        else:
            axes.imshow(_as_image(values), cmap="gray_r" if values is image else "viridis")
            axes.set(xticks=[], yticks=[])
    return figure


def comparison(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Figure:
    """Show the accuracy of many trainings, the best on top: the mean as a dot, the seeds' range as a bar.

    Args:
        rows: of ``comparison.summary``.
        labels: what to call each row.
    """
    figure = Figure(figsize=(8, 1.3 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows), 0, -1)
    best = rows[0]["accuracy"] - rows[0]["spread"]  # what reaches this is no worse than chance explains
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


def mistakes(
    images: Images, labels: Labels, probabilities: Probabilities, names: Names = None, most: int = 24
) -> Figure:
    """Show the images that were read wrong, the most confident mistake first.

    Args:
        images: ``(n, 28, 28)`` uint8.
        labels: ``(n,)`` the truth.
        probabilities: ``(n, classes)`` what the model says.
        names: of the classes.
        most: how many to show.
    """
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
        between = "\n" if names else " "  # names may be long
        said = f"{name_of(labels[index], names)} read{between}as {name_of(guess, names)}"
        axes.set_title(f"{said}\n{probabilities[index, guess]:.1%}  #{index}", fontsize=8)
    return figure


def mistakes_by_confidence(labels: Labels, probabilities: Probabilities) -> Any:
    """Return the indices of the images that were read wrong, the most confident mistake first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def _as_image(values: Any) -> Any:
    """Lay a vector out in rows, or the channels of ``(height, width, channels)`` beside each other."""
    if values.ndim == 2:
        return values
    if values.ndim == 1:
        # The squarest rectangle that takes all of them, empty places as nan.
        columns = int(np.ceil(len(values) ** 0.5))
        padded = np.full(-(-len(values) // columns) * columns, np.nan)
        padded[: len(values)] = values
        return padded.reshape(-1, columns)
    height, width, channels = values.shape
    columns = int(np.ceil(channels**0.5))
    padded = np.full((-(-channels // columns) * columns, height, width), np.nan)
    padded[:channels] = values.transpose(2, 0, 1)
    rows = padded.reshape(-1, columns, height, width).transpose(0, 2, 1, 3)
    return rows.reshape(-1, columns * width)
