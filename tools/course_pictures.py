"""The pictures of the course, from the model and the history that the lessons saved in ``output/``."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from study_keras import files, mnist
from study_keras.data.dataset import Images
from study_keras.report import model_plots, plots


def draw(folder: Path) -> None:
    """Write the pictures to ``folder``, after lessons 1 and 3 have run."""
    import keras

    from study_keras.report import evaluation

    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    model = keras.saving.load_model(files.output_dir() / "hello_mnist_1.h5", compile=False)
    probabilities = evaluation.predict(model, x_test)
    drawn = {
        "samples": plots.samples(x_train, y_train),
        "pixels": pixels(x_train[0]),
        "activations": model_plots.activations(model, x_test[0]),
        "weights": model_plots.first_weights(model, most=24, columns=8),
        "confusion": plots.confusion(y_test, probabilities),
        "wrong": plots.mistakes(x_test, y_test, probabilities, most=16),
    }
    for name, figure in drawn.items():
        write(plots.png(figure), folder / f"course_{name}.png")
    for name, made in (("model", "hello_mnist_1_model_plot"), ("history", "hello_mnist_3_history")):
        write((files.output_dir() / f"{made}.png").read_bytes(), folder / f"course_{name}.png")


def write(png: bytes, path: Path) -> None:
    """Write a PNG with 256 colours, which halves its size."""
    with files.atomic_write(path) as temporary, Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(temporary, optimize=True)


def pixels(image: Images) -> Figure:
    """Show a ``(28, 28)`` uint8 image, and beside it the values of a part of it."""
    top, left, height, width = 5, 9, 12, 12
    figure = Figure(figsize=(10, 5), layout="constrained")
    seen, read = figure.subplots(1, 2)
    seen.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    frame = (left - 0.5, top - 0.5)
    seen.add_patch(Rectangle(frame, width, height, fill=False, color=plots.ORANGE, linewidth=2))
    seen.set_title("what we see: 28 x 28 pixels")
    part = image[top : top + height, left : left + width]
    read.imshow(part, cmap="gray_r", vmin=0, vmax=600)  # pale, behind the numbers
    for row, line in enumerate(part.tolist()):
        for column, value in enumerate(line):
            read.text(column, row, str(value), ha="center", va="center", alpha=1 if value else 0.35)
    read.set_title("what the computer sees: numbers from 0 to 255")
    for axes in (seen, read):
        axes.set(xticks=[], yticks=[])
    for side in read.spines.values():
        side.set(color=plots.ORANGE, linewidth=2)
    return figure
