"""Pictures from files: formats, photos on their side, what is no picture, and large ones in fewer pixels."""

import io
import re
import zlib

import numpy as np
import pytest
from photos import encode
from PIL import Image, PngImagePlugin
from scenes import enlarge

from study_keras import mnist
from study_keras.vision.image_io import read_image, read_picture
from study_keras.vision.levels import MAX_SIDE, downscale
from study_keras.vision.prepare import prepare


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


def five(digit):
    """A (28, 28) digit in dark ink, 6 times as large, as an 8-bit grey picture."""
    return Image.fromarray(np.round(255 - 0.9 * 255 * enlarge(digit, 6)).astype(np.uint8))


def formats(digit):
    picture = five(digit)
    light = np.asarray(picture)
    alpha = np.dstack([light * 0, light * 0, light * 0, 255 - light])
    wide = Image.fromarray(light.astype(np.uint16) * 257)
    return {
        "PNG of 1 bit": encode(picture.convert("1", dither=Image.Dither.NONE)),
        "PNG of 8 bits": encode(picture),
        "PNG of 16 bits": encode(wide),
        "PNG with a palette": encode(picture.convert("P")),
        "PNG of grey and alpha": encode(picture.convert("LA")),
        "PNG of RGB": encode(picture.convert("RGB")),
        "dark ink on nothing": encode(Image.fromarray(alpha)),
        "light ink on nothing": encode(Image.fromarray(alpha + np.array([255, 255, 255, 0], np.uint8))),
        "JPEG": encode(picture, "JPEG", quality=90),
        "JPEG of CMYK": encode(picture.convert("CMYK"), "JPEG", quality=90),
        "WebP": encode(picture, "WEBP", quality=90),
        "BMP": encode(picture, "BMP"),
        "GIF": encode(picture, "GIF", save_all=True, append_images=[Image.new("L", picture.size)]),
    }


@pytest.mark.parametrize("kind", list(formats(np.zeros((28, 28), np.uint8))))
def test_every_format_gives_the_same_digit(test_set, kind):
    digit = test_set[0][15]
    expected = prepare(read_image(encode(five(digit))))
    bilevel = kind == "PNG of 1 bit"  # has no soft edges to begin with
    assert np.abs(prepare(read_image(formats(digit)[kind])) - expected).mean() < (0.08 if bilevel else 0.06)
    assert read_image(formats(digit)[kind]).dtype == np.float32


def test_16_bits_are_not_cut_to_8(test_set):
    faint = Image.fromarray(30_000 + np.asarray(five(test_set[0][0])).astype(np.uint16))
    grey = read_image(encode(faint))
    assert len(np.unique(grey)) > 100
    assert 0 < grey.max() - grey.min() < 2 / 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(test_set, orientation):
    upright = five(test_set[0][0])
    turns = [None, 0, 3, 1, 5, 4, 6, 2]  # Image.Transpose numbers that undo each orientation: flips, turns, diagonals
    undo = turns[orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {2: 4, 4: 2}.get(undo, undo)  # a quarter turn is undone by the other one
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    read = read_image(encode(stored, "PNG", exif=exif))
    np.testing.assert_array_equal(read, read_image(encode(upright)))


def test_a_path_bytes_and_a_file_are_the_same(test_set, tmp_path):
    data = encode(five(test_set[0][0]))
    path = tmp_path / "数字 5.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [path, str(path), data, bytearray(data), io.BytesIO(data), file]
        for source in sources:
            np.testing.assert_array_equal(read_image(source), read_image(path))


def png_of_size(width, height):
    """The header of a PNG that claims so many pixels, and next to no data."""
    chunks = [(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0]))]
    chunks += [(b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)
    for name, data in chunks:
        PngImagePlugin.putchunk(file, name, data)
    return file.getvalue()


BAD = {
    "empty": (b"", "an empty file; expected a picture"),
    "text": (b"this is no picture\n", "19 bytes that begin with b'this is '; expected a picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "begin with b'<svg xml'"),
    "heic": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "a HEIC or AVIF photo.*; expected PNG, JPEG, WebP, BMP or GIF: save it",
    ),
    "heic of bursts": (
        b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc",
        "a HEIC or AVIF photo.* Settings, Camera, Formats, Most Compatible",
    ),
    "avif": (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "a HEIC or AVIF photo.* export it as JPEG"),
    "mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "24 bytes that begin with .*; expected a picture: PNG"),
    "wav": (b"RIFF\x24\0\0\0WAVEfmt ", "broken or truncated WebP"),
    "signature alone": (b"\x89PNG\r\n\x1a\n", "broken or truncated PNG"),
    "bomb": (png_of_size(60_000, 60_000), r"a PNG of 60000 x 60000 pixels, 3600.0 megapixels; expected at most 50"),
    "just too large": (png_of_size(10_000, 5_001), "50.0 megapixels; expected at most 50: make it smaller"),
    "no data": (png_of_size(100, 100), "broken or truncated PNG"),
    "no pixels": (png_of_size(0, 10), "broken or truncated PNG"),
    "gif of nothing": (b"GIF89a\1\0", "broken or truncated GIF"),
    "bmp of nothing": (b"BM" + bytes(60), "broken or truncated BMP"),
}


@pytest.mark.parametrize("kind", list(BAD))
def test_bad_files_are_named_with_what_was_found(tmp_path, kind):
    data, message = BAD[kind]
    path = tmp_path / "digit.png"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as raised:
        read_image(path)
    assert str(raised.value).startswith(f"{path}: ")
    with pytest.raises(ValueError, match="the picture: "):
        read_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(test_set, tmp_path, kind, part):
    data = encode(five(test_set[0][0]), kind)
    with pytest.raises(ValueError, match="expected a"):
        read_image(io.BytesIO(data[: int(part * len(data))]))


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no_such\.png: No such file"):
        read_image(tmp_path / "no_such.png")
    with pytest.raises(ValueError, match="Is a directory"):
        read_image(tmp_path)


# Fewer pixels


def large(kind="JPEG", size=(3203, 2402), **options):
    """A digit on paper with a gradient, in more pixels than reading needs."""
    drawn = Image.fromarray(np.round(255 * enlarge(mnist.load_data()[1][0][1], 40)).astype(np.uint8))
    light = np.linspace(140, 250, size[0])[None, :] + np.zeros((size[1], 1))
    light[300 : 300 + drawn.height, 900 : 900 + drawn.width] *= 1 - 0.8 * np.asarray(drawn) / 255
    picture = Image.fromarray(np.round(light).astype(np.uint8))
    return encode(picture.convert(options.pop("mode", "L")), kind, **options)


LARGE = {
    "JPEG": {"quality": 92},
    "JPEG in colours": {"mode": "RGB", "quality": 92, "subsampling": 2},
    "JPEG, progressive": {"quality": 92, "progressive": True},
    "JPEG of CMYK": {"mode": "CMYK", "quality": 92},
    "PNG": {"compress_level": 1},
    "PNG with a palette": {"mode": "P", "compress_level": 1},
    "PNG with alpha": {"mode": "LA", "compress_level": 1},
    "WEBP": {"quality": 92, "method": 0},
    "BMP": {"mode": "RGB"},
}


@pytest.mark.parametrize("kind", list(LARGE))
def test_a_large_picture_shows_the_same_in_fewer_pixels_which_only_jpeg_has(kind):
    data = large(re.match("[A-Z]+", kind)[0], **LARGE[kind])
    picture = read_picture(data, max_side=MAX_SIDE)
    factor = 4 if kind.startswith("JPEG") else 1
    assert picture.scale == pytest.approx(factor, abs=0.01)
    expected = downscale(read_image(data), -(-3203 // factor))[0]
    height, width = np.minimum(expected.shape, picture.grey.shape)
    np.testing.assert_allclose(picture.grey[:height, :width], expected[:height, :width], atol=0.02)
    assert picture.grey.dtype == np.float32


@pytest.mark.parametrize("side", [1000, 1025, 2047, 2050, 3000, 3203, 4000, 4032, 4608, 5000, 5712, 8064])
def test_a_picture_is_looked_at_in_as_many_pixels_as_if_it_were_read_whole(side):
    data = encode(Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, side), np.uint8)), "JPEG")
    whole, part = read_image(data), read_picture(data, max_side=MAX_SIDE)
    (expected, factor), (small, rest) = (downscale(grey, MAX_SIDE) for grey in (whole, part.grey))
    np.testing.assert_allclose(small.shape, expected.shape, atol=1)  # JPEG keeps an incomplete last block
    assert rest * part.scale == pytest.approx(factor, rel=0.01)


def test_a_picture_is_read_whole_unless_asked_otherwise():
    data = large(quality=92)
    picture = read_picture(data)
    assert picture.scale == 1
    np.testing.assert_array_equal(picture.grey, read_image(data))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_large_photo_on_its_side_is_turned_upright_and_its_boxes_are_those_of_the_upright_photo(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = large(quality=92, exif=exif)
    sideways = orientation > 4
    picture = read_picture(data, max_side=MAX_SIDE)
    assert picture.scale == pytest.approx(4, abs=0.01)
    assert (picture.grey.shape[0] > picture.grey.shape[1]) == sideways
    inked = np.argwhere(read_image(data) < 0.3)
    expected = [*inked.min(axis=0)[::-1], *inked.max(axis=0)[::-1] + 1]
    rows = np.argwhere(picture.grey < 0.3)
    found = picture.scale * np.array([*rows.min(axis=0)[::-1], *rows.max(axis=0)[::-1] + 1])
    np.testing.assert_allclose(found, expected, atol=10)


def test_large_pictures_are_refused_by_the_pixels_of_the_file():
    with pytest.raises(ValueError, match=r"7\.7 megapixels; expected at most 7"):
        read_picture(large(), 7_000_000)
    assert read_picture(large(), 8_000_000, MAX_SIDE).scale == pytest.approx(4, abs=0.01)
