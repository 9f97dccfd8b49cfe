"""How a picture was read, as images: grey, contrast, each digit as the network saw it, and the answer."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from study_keras import files
from study_keras.plain_text import printable
from study_keras.vision.detection import Detection
from study_keras.vision.levels import contrast

GREEN, AMBER, GREY = (0, 135, 60), (205, 95, 0), (128, 128, 128)  # certain, uncertain, no digit


def save_debug_images(detection: Detection, folder: Path, name: str) -> list[Path]:
    """Save an image of each stage in which a picture was read.

    Returns:
        The files: ``name`` with ``_grey.png``, ``_contrast.png`` (as the
        detector sees it: grey where all is the same), ``_digit_1.png`` and so on
        (28 x 28, in reading order), ``_answer.png`` (the boxes with their answers: green, amber with a ? if uncertain,
        grey if it is no digit).

    Raises:
        OSError: the folder cannot be written to.
    """
    digits = [candidate for candidate in detection.candidates if candidate.is_digit]
    images = {"grey": _to_image(detection.grey), "contrast": _to_image((contrast(detection.grey) + 1) / 2)}
    images |= {f"digit_{number}": _to_image(digit.image) for number, digit in enumerate(digits, 1)}
    images["answer"] = _draw_answer(images["grey"], detection)
    paths = [folder / f"{name}_{stage}.png" for stage in images]
    for path, image in zip(paths, images.values(), strict=True):
        content = io.BytesIO()
        image.save(content, "PNG")
        files.write(path, content.getvalue())
    return paths


def _to_image(values: NDArray[np.floating[Any]]) -> Image.Image:
    return Image.fromarray(np.round(255 * values).astype(np.uint8))


def _draw_answer(picture: Image.Image, detection: Detection) -> Image.Image:
    zoom = max(1, 280 // max(picture.size))  # a picture of 28 x 28 has no room for text
    drawn = picture.convert("RGB").resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(drawn)
    width = max(1, max(drawn.size) // 300)
    for candidate in detection.candidates:
        left, top, right, bottom = (zoom * side for side in candidate.box)
        colour = GREEN if candidate.certain else AMBER if candidate.is_digit else GREY
        draw.rectangle((left - width, top - width, right - 1 + width, bottom - 1 + width), outline=colour, width=width)
        if candidate.is_digit:
            size = max(11, (bottom - top) // 3)
            text = f"{printable(detection.names[candidate.label])}{'' if candidate.certain else '?'}"
            place = (left, max(0, top - width))
            draw.text(place, text, colour, ImageFont.load_default(size), anchor="lt" if top < size else "lb")
    return drawn
