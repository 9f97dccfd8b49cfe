"""Plots of a network: the weights of its first layer, and the outputs of all layers for one image."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from study_keras.data.dataset import Images, scale
from study_keras.plain_text import printable
from study_keras.report.plots import BLUE, ORANGE, Names, class_label


def first_weights(model: Any, most: int = 64, columns: int = 16) -> Figure:
    """Show the first layer's weights, an image per unit: ink on orange increases the unit's output.

    Args:
        model: its first layer with weights is Dense on the 784 pixels, or Conv2D.
        most: the number of units to show.
        columns: units per row.

    Raises:
        ValueError: the first layer with weights is another one, or the model is a SavedModel.
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
    largest = float(np.quantile(np.abs(units), 0.999))  # ignores outliers, which would make the others pale
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, unit in zip(figure.axes, shown, strict=False):
        picture = axes.imshow(unit, cmap="PuOr_r", vmin=-largest, vmax=largest)
    figure.colorbar(picture, ax=figure.axes, label="weight", shrink=0.9)
    figure.suptitle(f"the weights of {printable(layer.name)}: {len(shown)} of {len(units)} units")
    return figure


def activations(model: Any, image: Images, names: Names = None) -> Figure:
    """Show the output of each layer for one image.

    Args:
        model: Sequential or functional, with one input.
        image: ``(28, 28)`` uint8.
        names: of the classes.

    Raises:
        ValueError: the model is a SavedModel, a function without layers.
    """
    import keras

    all_layers = keras.Model(model.inputs, [layer.output for layer in _layers(model)])
    outputs = all_layers.predict(scale(image).reshape(1, *model.input_shape[1:]), verbose=0)
    panels = [("image (28, 28)", image)]
    for layer, output in zip(model.layers, outputs if isinstance(outputs, list) else [outputs], strict=True):
        if not isinstance(layer, keras.layers.InputLayer):
            panels.append((f"{printable(layer.name)} {output.shape[1:]}", output[0]))
    figure = Figure(figsize=(len(panels) * 2.1, 2.7), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.set_title(title, fontsize=9)
        if values is panels[-1][1] and values.ndim == 1:
            axes.barh(range(len(values)), values, color=[ORANGE if value == values.max() else BLUE for value in values])
            axes.set_yticks(range(len(values)), [class_label(label, names) for label in range(len(values))])
            axes.set(xlabel="probability", xlim=(0, max(1, values.max())))
            axes.invert_yaxis()
        else:
            axes.imshow(_as_image(values), cmap="gray_r" if values is image else "viridis")
            axes.set(xticks=[], yticks=[])
    return figure


def _layers(model: Any) -> Any:
    if not hasattr(model, "layers"):
        raise ValueError("a SavedModel for inference does not show its layers")
    return model.layers


def _as_image(values: Any) -> Any:
    """Arrange a vector in a square, or the channels of ``(height, width, channels)`` side by side."""
    if values.ndim == 2:
        return values
    values = values.reshape(1, 1, -1) if values.ndim == 1 else values
    height, width, channels = values.shape
    columns = int(np.ceil(channels**0.5))
    padded = np.full((-(-channels // columns) * columns, height, width), np.nan)  # nan is left empty
    padded[:channels] = values.transpose(2, 0, 1)
    rows = padded.reshape(-1, columns, height, width).transpose(0, 2, 1, 3)
    return rows.reshape(-1, columns * width)
