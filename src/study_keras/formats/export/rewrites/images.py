"""Operations on images that TF.js lacks."""

from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, attributes, constant

_PIXELS = 2**14  # largest image whose projection is computed pixel by pixel: 4 s, the proof included
_TINY = float(np.finfo("float32").tiny)  # TensorFlow treats smaller numbers as 0


def resize_by_matrix(op: Any, x: Any, size: Any, *others: Any) -> Any:
    """Resize by a matrix product along each axis; resizing the identity in TensorFlow gives the matrices."""
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    values = [constant(value) for value in (size, *others)]
    if height is None or width is None or any(value is None for value in values):
        return None
    size = values[0]
    rows, columns = (_resize_matrix(op, x.shape[axis + 1], axis, values) for axis in (0, 1))
    x = tf.matmul(rows, tf.reshape(tf.cast(x, "float32"), [-1, height, width * channels]))
    x = tf.reshape(x, [-1, int(size[0]), width, channels])
    x = tf.transpose(x, [0, 1, 3, 2])
    x = tf.matmul(tf.reshape(x, [-1, width]), columns, transpose_b=True)
    return tf.transpose(tf.reshape(x, [-1, int(size[0]), channels, int(size[1])]), [0, 1, 3, 2])


def _resize_matrix(op: Any, length: int, axis: int, values: list[Any]) -> np.ndarray:
    """Return the matrix that resizes one axis, (new length, ``length``) float32.

    Args:
        values: the new sizes; of ScaleAndTranslate also the scales and translations.
    """
    images = np.eye(length, dtype="float32").reshape(length, length, 1, 1)  # one image per column
    options = {"images": images, "size": [int(values[0][axis]), 1], **attributes(op)}
    if op.type == "ScaleAndTranslate":
        options["scale"] = np.array([values[1][axis], 1], "float32")
        options["translation"] = np.array([values[2][axis], 0], "float32")
    with tf.Graph().as_default() as graph:
        resized = getattr(tf.raw_ops, op.type)(**options)
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(resized)[:, :, 0, 0].T


def project(op: Any, x: Any, transforms: Any, size: Any, fill: Any) -> Any:
    """Compute a known projection as a weighted sum of up to four pixels."""
    height, width, channels = x.shape[1:]
    known, new, filled = constant(transforms), constant(size), constant(fill)
    if None in (height, width, channels) or known is None or new is None or filled is None or x.dtype != tf.float32:
        return None
    if len(known) != 1 or height * width > _PIXELS:
        return None
    places, weights = _pixels(op, (height, width), known, new)
    flat = tf.reshape(x, [-1, height * width, channels])
    rest = 1 - weights.sum(0)
    total = tf.constant(filled * np.where(rest > 1e-6, rest, 0)[:, None], "float32")  # smaller rests are rounding
    for place, weight in zip(places, weights, strict=True):
        total += tf.gather(flat, place, axis=1) * weight[:, None]
    return tf.reshape(total, [-1, int(new[0]), int(new[1]), channels])


def _pixels(op: Any, size: tuple[int, int], transforms: Any, new: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and weights of the pixels in each new pixel, each (4, new pixels).

    Projecting the identity, 256 pixels at a time, in TensorFlow gives them.
    """
    old, count = size[0] * size[1], int(new[0] * new[1])
    places, weights, found = np.zeros((4, count), "int32"), np.zeros((4, count), "float32"), np.zeros(count, int)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        images = tf.compat.v1.placeholder("float32", [1, *size, None])
        projected = tf.raw_ops.ImageProjectiveTransformV3(
            images=images, transforms=transforms, output_shape=new, fill_value=0.0, **attributes(op)
        )
        for start in range(0, old, 256):
            some = np.eye(old, 256, -start, dtype="float32").reshape(1, *size, -1)
            shares = session.run(projected, {images: some}).reshape(count, -1)
            for row, pixel in np.argwhere(shares):
                places[found[row], row], weights[found[row], row] = start + pixel, shares[row, pixel]
                found[row] += 1
    return places, weights


def hsv(op: Any, x: Any) -> Any:
    """Convert red, green and blue to hue, saturation and value, all in [0, 1]."""
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value, least = tf.reduce_max(x, axis=-1), tf.reduce_min(x, axis=-1)
    spread = value - least
    safe = tf.where(spread > _TINY, spread, tf.ones_like(spread))
    sector = tf.where(tf.equal(value, green), 2 + (blue - red) / safe, 4 + (red - green) / safe)
    sector = tf.where(tf.equal(value, red), (green - blue) / safe, sector)
    hue = tf.where(spread > _TINY, sector / 6, tf.zeros_like(spread))
    hue = tf.where(hue < 0, hue + 1, hue)
    divisor = tf.where(value > _TINY, value, tf.ones_like(value))
    saturation = tf.where(value > _TINY, spread / divisor, tf.zeros_like(value))
    return tf.stack([hue, saturation, value], axis=-1)


def rgb(op: Any, x: Any) -> Any:
    """Convert hue, saturation and value to red, green and blue."""
    hue, saturation, value = x[..., 0] * 6, x[..., 1], x[..., 2]
    full = [tf.abs(hue - 3) - 1, 2 - tf.abs(hue - 2), 2 - tf.abs(hue - 4)]
    return tf.stack([((tf.clip_by_value(one, 0, 1) - 1) * saturation + 1) * value for one in full], axis=-1)


def space_to_depth(op: Any, x: Any) -> Any:
    size, (_, height, width, channels) = op.get_attr("block_size"), x.shape
    if op.get_attr("data_format") != b"NHWC" or None in (height, width, channels):
        return None
    x = tf.reshape(x, [-1, height // size, size, width // size, size * channels])
    x = tf.transpose(x, [0, 1, 3, 2, 4])
    return tf.reshape(x, [-1, height // size, width // size, size * size * channels])


REWRITES: Table = {
    "HSVToRGB": rgb,
    "ImageProjectiveTransformV3": project,
    "RGBToHSV": hsv,
    "ResizeArea": resize_by_matrix,
    "ResizeBicubic": resize_by_matrix,
    "ScaleAndTranslate": resize_by_matrix,
    "SpaceToDepth": space_to_depth,
}
