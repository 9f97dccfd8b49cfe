"""Operations on images that TF.js lacks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph.rewrite import Rewrite, constant

_PIXELS = 2**14  # of an image whose projection is looked up pixel by pixel, in 4 s with the proof
_TINY = float(np.finfo("float32").tiny)  # TensorFlow takes smaller numbers for 0


def resize_by_matrix(op: Any, x: Any, size: Any, *others: Any) -> Any:
    """A resizing that TF.js lacks is linear along each axis: TensorFlow tells the matrices by resizing the identity."""
    import tensorflow as tf

    height, width = x.shape[1], x.shape[2]
    values = [constant(value) for value in (size, *others)]
    if height is None or width is None or any(value is None for value in values):
        return None
    options = {
        name: op.get_attr(name) for name in ("align_corners", "half_pixel_centers", "antialias") if _has(op, name)
    }
    if op.type == "ScaleAndTranslate":
        options["kernel_type"] = op.get_attr("kernel_type").decode()
        size, scale, move = values
    else:
        size, scale, move = values[0], None, None

    def matrix(length: int, axis: int) -> np.ndarray:
        one = np.eye(length, dtype="float32").reshape(length, length, 1, 1)  # as images, length x 1
        with tf.Graph().as_default() as graph:
            if op.type == "ScaleAndTranslate":
                scales, moves = np.array([scale[axis], 1], "float32"), np.array([move[axis], 0], "float32")
                made = tf.raw_ops.ScaleAndTranslate(
                    images=one, size=[int(size[axis]), 1], scale=scales, translation=moves, **options
                )
            else:
                made = getattr(tf.raw_ops, op.type)(images=one, size=[int(size[axis]), 1], **options)
            with tf.compat.v1.Session(graph=graph) as session:
                return session.run(made)[:, :, 0, 0].T  # (new, old)

    rows, columns = matrix(height, 0), matrix(width, 1)
    x = tf.cast(x, "float32")
    channels = x.shape[3]
    x = tf.matmul(rows, tf.reshape(x, [-1, height, width * channels]))
    x = tf.reshape(x, [-1, int(size[0]), width, channels])
    x = tf.transpose(x, [0, 1, 3, 2])
    x = tf.matmul(tf.reshape(x, [-1, width]), columns, transpose_b=True)
    return tf.transpose(tf.reshape(x, [-1, int(size[0]), channels, int(size[1])]), [0, 1, 3, 2])


def project(op: Any, x: Any, transforms: Any, size: Any, fill: Any) -> Any:
    """A projection that is known is a sum of up to four pixels: TensorFlow tells which by projecting the identity."""
    import tensorflow as tf

    height, width, channels = x.shape[1:]
    known, new, filled = constant(transforms), constant(size), constant(fill)
    if None in (height, width, channels) or known is None or new is None or filled is None or x.dtype != tf.float32:
        return None
    if len(known) != 1 or height * width > _PIXELS:
        return None
    options = {name: op.get_attr(name).decode() for name in ("interpolation", "fill_mode")}
    places, weights = np.zeros((4, new[0] * new[1]), "int32"), np.zeros((4, new[0] * new[1]), "float32")
    rows, found = np.arange(new[0] * new[1]), np.zeros(new[0] * new[1], int)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        images = tf.compat.v1.placeholder("float32", [1, height, width, None])
        projected = tf.raw_ops.ImageProjectiveTransformV3(
            images=images, transforms=known, output_shape=new, fill_value=0.0, **options
        )
        for start in range(0, height * width, 256):
            some = np.eye(height * width, 256, -start, dtype="float32").reshape(1, height, width, -1)
            shares = session.run(projected, {images: some}).reshape(len(rows), -1)
            for row, pixel in np.argwhere(shares):
                places[found[row], row], weights[found[row], row] = start + pixel, shares[row, pixel]
                found[row] += 1
    flat = tf.reshape(x, [-1, height * width, channels])
    rest = 1 - weights.sum(0)
    total = tf.constant(filled * np.where(rest > 1e-6, rest, 0)[:, None], "float32")  # below it is rounding
    for place, weight in zip(places, weights, strict=True):
        total += tf.gather(flat, place, axis=1) * weight[:, None]
    return tf.reshape(total, [-1, int(new[0]), int(new[1]), channels])


def _has(op: Any, name: str) -> bool:
    return name in op.node_def.attr


def hsv(op: Any, x: Any) -> Any:
    """Red, green and blue as hue, saturation and value, all in [0, 1]."""
    import tensorflow as tf

    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value, least = tf.reduce_max(x, axis=-1), tf.reduce_min(x, axis=-1)
    spread = value - least
    safe = tf.where(spread > _TINY, spread, tf.ones_like(spread))
    sixth = tf.where(
        tf.equal(value, red),
        (green - blue) / safe,
        tf.where(tf.equal(value, green), 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = tf.where(spread > _TINY, sixth / 6, tf.zeros_like(spread))
    hue = tf.where(hue < 0, hue + 1, hue)
    saturation = tf.where(
        value > _TINY, spread / tf.where(value > _TINY, value, tf.ones_like(value)), tf.zeros_like(value)
    )
    return tf.stack([hue, saturation, value], axis=-1)


def rgb(op: Any, x: Any) -> Any:
    """Hue, saturation and value as red, green and blue."""
    import tensorflow as tf

    hue, saturation, value = x[..., 0] * 6, x[..., 1], x[..., 2]
    full = [tf.abs(hue - 3) - 1, 2 - tf.abs(hue - 2), 2 - tf.abs(hue - 4)]
    return tf.stack([((tf.clip_by_value(one, 0, 1) - 1) * saturation + 1) * value for one in full], axis=-1)


def space_to_depth(op: Any, x: Any) -> Any:
    import tensorflow as tf

    size, (_, height, width, channels) = op.get_attr("block_size"), x.shape
    if op.get_attr("data_format") != b"NHWC" or None in (height, width, channels):
        return None
    x = tf.reshape(x, [-1, height // size, size, width // size, size * channels])
    x = tf.transpose(x, [0, 1, 3, 2, 4])
    return tf.reshape(x, [-1, height // size, width // size, size * size * channels])


REWRITES: Mapping[str, Rewrite] = {
    "HSVToRGB": rgb,
    "ImageProjectiveTransformV3": project,
    "RGBToHSV": hsv,
    "ResizeArea": resize_by_matrix,
    "ResizeBicubic": resize_by_matrix,
    "ScaleAndTranslate": resize_by_matrix,
    "SpaceToDepth": space_to_depth,
}
