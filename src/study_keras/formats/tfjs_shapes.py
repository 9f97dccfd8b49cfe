"""Layers that pad, crop, resize, pool and reshape, said in TF.js."""

from typing import Any

import keras
import numpy as np

from study_keras.formats import tfjs_phrases as say
from study_keras.formats.tfjs_graph import Call, Tensor


def pad_or_crop(call: Call) -> Tensor:
    """ZeroPadding and Cropping in one, two and three dimensions."""
    option = "padding" if "padding" in call.config else "cropping"
    ends = call.take(option, "data_format")[option]
    class_name = "ZeroPadding2D" if option == "padding" else "Cropping2D"
    if len(call.x.shape) == 4:
        return call.say(class_name, call.x, call.shape, None, **{option: ends})
    if len(call.x.shape) == 3:
        return say.pad_or_crop_1d(call, call.x, class_name, option, tuple(ends))
    x = call.x
    for axis, (before, after) in enumerate(ends, start=1):
        if before or after:
            one = np.eye(x.shape[axis])
            matrix = (
                np.pad(one, ((0, 0), (before, after))) if option == "padding" else one[:, before : len(one) - after]
            )
            x = say.along_axis(call, x, axis, matrix)
    return x


def up_sampling(call: Call) -> Tensor:
    """Nearest as TF.js has it; each other interpolation is a linear map along both axes."""
    options = call.take("size", "interpolation", "data_format")
    size, x = options["size"], call.x
    if len(x.shape) == 3:
        image = say.reshape(call, x, (None, x.shape[1], 1, x.shape[2]))
        image = call.say("UpSampling2D", image, (None, call.shape[1], 1, x.shape[2]), size=[size, 1])
        return say.reshape(call, image, call.shape)
    if len(x.shape) == 4 and options["interpolation"] == "nearest":
        return call.say("UpSampling2D", x, call.shape, size=size, interpolation="nearest")
    for axis, factor in enumerate(size, start=1):
        if factor > 1 and x.shape[axis] is None:
            call.refuse("such map of an axis of unknown size", "fix the sizes of the input")
        if factor > 1 and len(x.shape) == 5:
            x = say.along_axis(call, x, axis, np.repeat(np.eye(x.shape[axis]), factor, axis=1))
        elif factor > 1:
            x = _resize(call, x, axis, x.shape[axis] * factor, options["interpolation"])
    return x


def _resize(call: Call, x: Tensor, axis: int, size: int, interpolation: str) -> Tensor:
    """Resize one axis as keras.ops.image.resize does, through the matrix that it stands for."""
    before = x.shape[axis]
    if before is None:
        call.refuse("such map of an axis of unknown size", "fix the sizes of the input")
    one = np.eye(before, dtype="float32")[:, :, None]  # an image whose column j is the unit vector j
    image = keras.ops.image.resize(one, (size, before), interpolation=interpolation, data_format="channels_last")
    return say.along_axis(call, x, axis, np.asarray(image)[:, :, 0].T)


def resizing(call: Call) -> Tensor:
    options = call.take("height", "width", "interpolation", "data_format", "fill_mode", "fill_value")
    x = call.x
    for axis, size in ((1, options["height"]), (2, options["width"])):
        x = _resize(call, x, axis, size, options["interpolation"]) if x.shape[axis] != size else x
    return say.scaled(call, x, 1.0) if x.integer else x


def center_crop(call: Call) -> Tensor:
    options = call.take("height", "width", "data_format")
    ends = []
    for before, after in zip(call.x.shape[1:3], (options["height"], options["width"]), strict=True):
        if before is None or before < after:
            call.refuse("CenterCrop of images smaller than the crop or of unknown size", "use Resizing")
        start = (before - after) // 2
        ends.append([start, before - after - start])
    return call.say("Cropping2D", call.x, call.shape, cropping=ends)


def reshape(call: Call) -> Tensor:
    call.take("target_shape")
    return say.reshape(call, call.x, call.shape)


def flatten(call: Call) -> Tensor:
    call.take("data_format")
    if len(call.x.shape) < 3 or None in call.x.shape[1:]:
        return say.reshape(call, call.x, call.shape)
    return call.say("Flatten", call.x, call.shape)


def pool(call: Call) -> Tensor:
    options = call.take("pool_size", "strides", "padding", "data_format")
    if call.kind == "MaxPooling3D":
        return _max_pool_3d(call, options)
    return call.say(call.kind, call.x, call.shape, **options)


def _max_pool_3d(call: Call, options: dict[str, Any]) -> Tensor:
    """Over the width first, then over depth and height: TF.js' own is wrong on wasm."""
    depth, height, width, channels = call.x.shape[1:]
    if None in (depth, height, width):
        call.refuse("MaxPooling3D of unknown sizes", "fix the sizes of the input")
    (d, h, w), strides, after = options["pool_size"], options["strides"], call.shape
    padding = options["padding"]
    x = say.reshape(call, call.x, (None, depth * height, width, channels))
    shape = (None, depth * height, after[3], channels)
    x = call.say("MaxPooling2D", x, shape, pool_size=[1, w], strides=[1, strides[2]], padding=padding)
    x = say.reshape(call, x, (None, depth, height, after[3] * channels))
    shape = (None, after[1], after[2], x.shape[3])
    x = call.say("MaxPooling2D", x, shape, pool_size=[d, h], strides=strides[:2], padding=padding)
    return say.reshape(call, x, after)


def global_pool(call: Call) -> Tensor:
    """With keepdims a Reshape follows; three dimensions are two, one of them longer."""
    call.take("data_format", "keepdims")
    shape, x = call.x.shape, call.x
    if len(shape) == 5:
        x = say.reshape(call, x, (None, shape[1], None if None in shape[2:4] else shape[2] * shape[3], shape[4]))
    name = f"{call.kind[:-2]}{len(x.shape) - 2}D"
    return say.reshape(call, call.say(name, x, (None, shape[-1])), call.shape)


def adaptive_pool(call: Call) -> Tensor:
    """The average over windows is a linear map along each axis."""
    sizes = call.take("output_size", "data_format")["output_size"]
    x = call.x
    for axis, size in enumerate(sizes, start=1):
        before = x.shape[axis]
        if before is None:
            call.refuse(f"{call.kind} of unknown sizes", "fix the sizes of the input")
        one = np.eye(before, dtype="float32")[None]
        pooled = keras.ops.adaptive_average_pool(one, size, data_format="channels_last")
        x = say.along_axis(call, x, axis, np.asarray(pooled)[0].T)
    return x
