"""Read a picture file as grey: PNG, JPEG, WebP, BMP or GIF. Needs only NumPy and Pillow."""

import io
import math
import warnings
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from study_keras import limits

Source = str | Path | bytes | bytearray | BinaryIO
MAX_PIXELS = 50_000_000
MAX_BYTES = 256 * 2**20  # a BMP of 50 megapixels with four bytes each has 200 MB

# Pillow's own `Image.open` warns of large pictures, so its readers are called directly, chosen by the first bytes.
_READERS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", PngImagePlugin.PngImageFile),
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
    b"RIFF": ("WebP", WebPImagePlugin.WebPImageFile),
    b"BM": ("BMP", BmpImagePlugin.BmpImageFile),
    b"GIF8": ("GIF", GifImagePlugin.GifImageFile),
}

_HEIF = (b"heic", b"heix", b"hevc", b"heif", b"mif1", b"msf1", b"avif")  # after the size and "ftyp"


class Picture(NamedTuple):
    """``grey`` (h, w) float32, from 0 (black) to 1 (white), and how many pixels of the file one of its pixels is."""

    grey: NDArray[np.float32]
    scale: float


def picture_kind(data: bytes | bytearray) -> str | None:
    """Return the format of a picture by its first bytes: PNG, JPEG, WebP, BMP or GIF; otherwise None."""
    return next((kind for magic, (kind, _) in _READERS.items() if data.startswith(magic)), None)


def not_a_picture(data: bytes | bytearray) -> str:
    """Return what data is that has no ``picture_kind``, and what was expected."""
    if data[4:8] == b"ftyp" and bytes(data[8:12]) in _HEIF:
        return (
            "a HEIC or AVIF photo, which this program does not read; expected PNG, JPEG, WebP, BMP or GIF: "
            "save it as JPEG first (on an iPhone: Settings, Camera, Formats, Most Compatible; on a computer: open it "
            "and export it as JPEG)"
        )
    found = f"{len(data)} bytes that begin with {bytes(data[:8])!r}" if data else "an empty file"
    return f"{found}; expected a picture: PNG, JPEG, WebP, BMP or GIF"


def source_name(source: Source) -> str:
    """Return what error messages call the source: its path, or "the picture"."""
    return str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "the picture"))


def read_image(source: Source, max_pixels: int = MAX_PIXELS) -> NDArray[np.float32]:
    """Read a picture as grey: PNG, JPEG, WebP, BMP, or the first frame of a GIF.

    Colours are converted to grey by ITU-R BT.601. A transparent picture is laid on white, or on black if what it shows
    is light. A photo is turned upright as its EXIF orientation says.

    Args:
        source: a path, the bytes of a file, or a binary file object.
        max_pixels: larger pictures are refused before they are decoded.

    Returns:
        ``(height, width)`` float32, from 0 (black) to 1 (white).

    Raises:
        ValueError: the file is missing, empty, not such a picture, truncated, or larger than ``max_pixels``; the
            message names the file, what was found and what was expected.
    """
    return read_picture(source, max_pixels).grey


@limits.reader
def read_picture(source: Source, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> Picture:
    """Read a picture as ``read_image`` does, but a large JPEG in fewer pixels, which takes a fraction of the time.

    Args:
        source: as ``read_image``.
        max_pixels: as ``read_image``.
        max_side: pixels a side to which the picture will be downscaled (``levels.downscale``). JPEG decodes a half, a
            quarter or an eighth of the pixels a side where that is a part of the way; None: all pixels.

    Raises:
        ValueError: as ``read_image``.
    """
    name, data = source_name(source), _read_bytes(source)
    kind, reader = next((found for magic, found in _READERS.items() if data.startswith(magic)), (None, None))
    if reader is None:
        raise ValueError(f"{name}: {not_a_picture(data)}")
    picture = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # Pillow's own limit
            image = reader(io.BytesIO(data))
        width, height = image.size
        if width * height <= max_pixels:
            picture = _read(image, max_side)
    # Pillow's readers raise nearly anything on hostile bytes: OSError, SyntaxError, struct.error, IndexError ...
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{name}: a broken or truncated {kind} ({reason}); expected a complete picture") from error
    if picture is None:
        raise ValueError(
            f"{name}: a {kind} of {width} x {height} pixels, {width * height / 1e6:.1f} megapixels; expected at most "
            f"{max_pixels // 1_000_000}: make it smaller first"
        )
    return picture


def _read(image: Any, max_side: int | None) -> Picture:
    """Decode a picture, a JPEG in fewer pixels if it will be downscaled."""
    whole = max(image.size)
    factor = -(-whole // max_side) if max_side else 1
    part = math.gcd(factor, 8)  # what JPEG can leave out; the rest of the factor remains to be averaged
    if part > 1:
        image.draft("L", (image.width // part, image.height // part))  # without colours; nothing for other formats
    image.load()
    grey = _to_grey(ImageOps.exif_transpose(image))
    return Picture(grey, whole / max(grey.shape))


def _read_bytes(source: Source) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    try:
        if isinstance(source, str | Path):
            with limits.open_file(source) as file:
                data = file.read(MAX_BYTES + 1)
        else:
            data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{source_name(source)}: {error.strerror or error}; expected a picture file") from error
    if len(data) > MAX_BYTES:
        raise ValueError(f"{source_name(source)}: more than {MAX_BYTES >> 20} MiB; expected a smaller picture")
    return data


def _to_grey(image: Image.Image) -> NDArray[np.float32]:
    if image.mode.startswith("I"):  # 16 bits
        return (np.asarray(image).astype(np.float64) / 65535).clip(0, 1).astype(np.float32)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.divide(np.asarray(image.convert("L")), 255, dtype=np.float32)
    transparent = "A" in image.mode or "transparency" in image.info
    return _rgb_to_grey(np.asarray(image.convert("RGBA" if transparent else "RGB")))


def _rgb_to_grey(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert ``(height, width, 3 or 4)`` uint8, RGB or RGBA, to ``(height, width)`` float32 in [0, 1]."""
    red, green, blue = (colours[..., channel].astype(np.int32) for channel in range(3))
    light = 299 * red + 587 * green + 114 * blue  # 0 to 255,000; ITU-R BT.601
    if colours.shape[2] == 4:
        alpha = colours[..., 3].astype(np.int32)
        shown = light * alpha
        backdrop = 0 if 2 * int(shown.sum(dtype=np.int64)) > 255_000 * int(alpha.sum(dtype=np.int64)) else 255_000
        return ((shown + backdrop * (255 - alpha)) / 65_025_000).astype(np.float32)
    return (light / 255_000).astype(np.float32)
