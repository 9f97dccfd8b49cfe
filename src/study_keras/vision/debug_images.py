"""How a picture was read, as pictures: grey, ink, each digit as the network saw it, and the answer. Pillow alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from study_keras import files
from study_keras.data.class_names import name_of
from study_keras.vision.binarize import Grey, reduce, separate
from study_keras.vision.recognize import CERTAIN, NO_DIGIT, Candidate
from study_keras.vision.segment import LONGEST

GREEN, AMBER, GREY = (0, 135, 60), (205, 95, 0), (128, 128, 128)  # certain, uncertain, no digit


def save_stages(
    grey: Grey, found: Sequence[Candidate], folder: Path, name: str, names: Sequence[str] | None = None
) -> list[Path]:
    """Write how ``reading.read_grey`` reads ``grey``, one picture a stage; ``found`` is what ``find_candidates`` gave.

    Returns:
        What was written: ``name`` with ``_grey.png``, ``_ink.png`` (the ink alone, white on black),
        ``_digit_1.png`` and so on (28 x 28, in reading order), ``_answer.png`` (the boxes with their answers:
        green, amber with a ? where uncertain, grey where it is no digit).

    Raises:
        OSError: nothing can be written there.
    """
    digits = [candidate for candidate in found if candidate.row.max() >= NO_DIGIT]
    ink = found[0].image if grey.shape == (28, 28) else separate(reduce(grey, LONGEST)[0]).strength
    pictures = {"grey": _picture(grey), "ink": _picture(ink)}
    pictures |= {f"digit_{number}": _picture(digit.image) for number, digit in enumerate(digits, 1)}
    pictures["answer"] = _answered(_picture(grey), found, names)
    paths = [folder / f"{name}_{stage}.png" for stage in pictures]
    for path, picture in zip(paths, pictures.values(), strict=True):
        with files.atomic_write(path) as temporary:
            picture.save(temporary)
    return paths


def _picture(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.round(255 * values).astype(np.uint8))


def _answered(picture: Image.Image, found: Sequence[Candidate], names: Sequence[str] | None) -> Image.Image:
    times = max(1, 280 // max(picture.size))  # a picture of 28 x 28 has no room for writing
    drawn = picture.convert("RGB").resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(drawn)
    width = max(1, max(drawn.size) // 300)
    for box, _, row, _ in found:
        left, top, right, bottom = (times * side for side in box)
        best = float(row.max())
        colour = GREEN if best >= CERTAIN else AMBER if best >= NO_DIGIT else GREY
        draw.rectangle((left - width, top - width, right - 1 + width, bottom - 1 + width), outline=colour, width=width)
        if best >= NO_DIGIT:
            size = max(11, (bottom - top) // 3)
            text = f"{name_of(int(row.argmax()), names)}{'' if best >= CERTAIN else '?'}"
            place = (left, max(0, top - width))
            draw.text(place, text, colour, ImageFont.load_default(size), anchor="lt" if top < size else "lb")
    return drawn
