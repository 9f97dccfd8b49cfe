"""Any picture of a digit -> the (28, 28) that a network trained on MNIST expects. NumPy and Pillow alone.

Most networks that read MNIST and fail on "my own digit" were shown a picture that was not prepared as MNIST's
were. This is that preparation, as a contract with a number: ``page/prepare.js`` keeps the same one, and the
golden vectors in the tests hold both to it. Whoever changes a result changes ``CONTRACT``.
"""

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from study_keras.vision.binarize import Grey, Mask, near, reduce, separate
from study_keras.vision.components import find_pieces, without_rules
from study_keras.vision.normalize import box_of, frame, is_mnist

CONTRACT = 1
MOST_PIXELS = 50_000_000
MOST_BYTES = 256 * 2**20  # a BMP of 50 megapixels and four bytes each has 200 MB
LONGEST = 140  # ink is looked for in at most this many pixels a side; a digit ends in 20 of them

# Pillow's own `Image.open` warns of large pictures; these are asked directly, after a look at the first bytes.
_READERS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", PngImagePlugin.PngImageFile),
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
    b"RIFF": ("WebP", WebPImagePlugin.WebPImageFile),
    b"BM": ("BMP", BmpImagePlugin.BmpImageFile),
    b"GIF8": ("GIF", GifImagePlugin.GifImageFile),
}


def picture_kind(data: bytes) -> str | None:
    """Return which picture begins so: PNG, JPEG, WebP, BMP or GIF, or None."""
    return next((kind for magic, (kind, _) in _READERS.items() if data.startswith(magic)), None)


def read_image(source: str | Path | bytes | BinaryIO, most_pixels: int = MOST_PIXELS) -> NDArray[np.float32]:
    """Read a picture as grey: PNG, JPEG, WebP, BMP, or the first frame of a GIF.

    Colours become grey by ITU-R BT.601; a transparent picture is laid on white, or on black where what it
    shows is light; a photo is turned upright as its EXIF says.

    Args:
        source: a path, the bytes of a file, or a file open for reading bytes.
        most_pixels: refuse a larger picture before it is unpacked.

    Returns:
        ``(height, width)`` float32, from 0 (black) to 1 (white).

    Raises:
        ValueError: it is missing, empty, no such picture, truncated, or larger than ``most_pixels``; the text
            names the file, what was found and what was expected.
    """
    name, data = _read_bytes(source)
    kind, reader = next((found for magic, found in _READERS.items() if data.startswith(magic)), (None, None))
    if reader is None:
        what = f"{len(data)} bytes that begin with {data[:8]!r}" if data else "an empty file"
        raise ValueError(f"{name}: {what}; expected a picture: PNG, JPEG, WebP, BMP or GIF")
    grey = None
    try:
        image = reader(io.BytesIO(data))
        if image.width * image.height <= most_pixels:
            image.load()
            grey = _grey(ImageOps.exif_transpose(image))
    # Pillow's readers raise nearly anything on hostile bytes: OSError, SyntaxError, struct.error, IndexError ...
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{name}: a broken or truncated {kind} ({reason}); expected a whole picture") from error
    if grey is None:
        raise ValueError(
            f"{name}: a {kind} of {image.width} x {image.height} pixels, {image.width * image.height / 1e6:.1f} "
            f"megapixels; expected at most {most_pixels // 1_000_000}: make it smaller first"
        )
    return grey


def prepare(grey: Grey) -> NDArray[np.float32]:
    """Make the picture of one digit what MNIST's makers would have made of it.

    The ink is separated from the paper, cropped, scaled by area averages until its longer side is 20 (aspect
    kept), brought to a peak of 1 and moved by whole pixels, as MNIST's was, until its centre of mass is nearest
    to row 14, column 14, counted from 0. A picture that already is one of MNIST's (``framing.is_mnist``) comes
    back unchanged, and the negative of one as that one. The values are multiples of 1/255.

    Args:
        grey: ``(height, width)``, from 0 to 1, at least 3 pixels a side; dark on light or light on dark.

    Returns:
        ``(28, 28)`` float32 in [0, 1], white ink on black.

    Raises:
        ValueError: it is no such array, or has one colour or no ink.
    """
    grey = check_grey(grey)
    if grey.shape == (28, 28):
        if is_mnist(grey):
            return grey.astype(np.float32)
        negative = (np.floor((1 - grey.astype(np.float64)) * 255 + 0.5) / 255).astype(np.float32)
        if is_mnist(negative):
            return negative
    small, k = reduce(grey, LONGEST)
    ink = separate(small)
    digit = keep_digit(ink.mask)
    left, top, right, bottom = (k * side for side in box_of(digit))
    margin = max(right - left, bottom - top)
    if k > 1 and 4 * margin < max(grey.shape):  # a small digit in a large picture: look again, closely
        return prepare(grey[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin])
    return frame(clean(ink.strength, digit))


def keep_digit(mask: Mask) -> Mask:
    """Drop ruled lines, and the pieces of ink that are smaller than a twentieth of the largest.

    Raises:
        ValueError: nothing is left.
    """
    pieces = find_pieces(without_rules(mask))
    largest = int(pieces.areas.max(initial=0))
    if largest < 4:
        raise ValueError(f"no ink found but specks of {largest} pixels; expected a digit, at least 4 pixels of ink")
    return np.append(20 * pieces.areas >= largest, False)[pieces.labels]


def clean(strength: NDArray[np.float64], mask: Mask) -> NDArray[np.float64]:
    """Return ``strength`` near the ``mask``, where the soft edges of its strokes are, and 0 elsewhere."""
    return np.where(near(mask, 1 + max(mask.shape) // 128), strength, 0)


def check_grey(grey: Grey) -> Grey:
    """Return ``grey`` as an array.

    Raises:
        ValueError: it is not ``(height, width)`` of finite numbers in [0, 1], is too small, or has one colour.
    """
    grey = np.asarray(grey)
    if grey.ndim != 2 or min(grey.shape) < 3 or grey.dtype.kind != "f":
        raise ValueError(
            f"an array of shape {grey.shape} and dtype {grey.dtype}; expected (height, width) of floats, at least "
            "3 x 3: use read_image, or divide bytes by 255"
        )
    lowest, highest = float(grey.min()), float(grey.max())
    if not 0 <= lowest <= highest <= 1:
        raise ValueError(f"values from {lowest} to {highest}; expected finite numbers from 0 (black) to 1 (white)")
    if lowest == highest:
        raise ValueError(f"every pixel is {lowest:.3f}: a picture of one colour; expected a digit on a background")
    return grey


def _read_bytes(source: str | Path | bytes | BinaryIO) -> tuple[str, bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        return "the picture", bytes(source)
    try:
        if isinstance(source, str | Path):
            name = str(source)
            with Path(source).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        else:
            name, data = str(getattr(source, "name", "the picture")), source.read(MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{source}: {error.strerror or error}; expected the file of a picture") from error
    if len(data) > MOST_BYTES:
        raise ValueError(f"{name}: more than {MOST_BYTES >> 20} MiB; expected a smaller picture")
    return name, data


def _grey(image: Image.Image) -> NDArray[np.float32]:
    if image.mode.startswith("I"):  # 16 bits
        return (np.asarray(image).astype(np.float64) / 65535).clip(0, 1).astype(np.float32)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.divide(np.asarray(image.convert("L")), 255, dtype=np.float32)
    if "A" in image.mode or "transparency" in image.info:
        return grey_of(np.asarray(image.convert("RGBA")))
    return grey_of(np.asarray(image.convert("RGB")))


def grey_of(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn ``(height, width, 3 or 4)`` uint8, RGB or RGBA, into ``(height, width)`` float32 in [0, 1]."""
    red, green, blue = (colours[..., channel].astype(np.int32) for channel in range(3))
    light = 299 * red + 587 * green + 114 * blue  # 0 to 255,000; ITU-R BT.601
    if colours.shape[2] == 4:
        alpha = colours[..., 3].astype(np.int32)
        shown = light * alpha
        backdrop = 0 if 2 * int(shown.sum(dtype=np.int64)) > 255_000 * int(alpha.sum(dtype=np.int64)) else 255_000
        return ((shown + backdrop * (255 - alpha)) / 65_025_000).astype(np.float32)
    return (light / 255_000).astype(np.float32)
