"""Writes a small file of every format that the project reads, each in a folder of its own.

Usage: KERAS_BACKEND=tensorflow python tests/fuzz/fuzz_seeds.py FOLDER
"""

import gzip
import json
import shutil
import struct
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

IMAGES = ("png", "jpeg", "gif", "bmp", "webp", "tiff")


def write_models(folder: Path) -> None:
    """Write a dense network in all formats of Keras 3, and one of many layers in those that keep the structure."""
    import keras

    from study_keras import formats

    keras.utils.set_random_seed(0)
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)], name="m")
    dense.compile("adam", "mse")
    dense.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
    names = ("m.keras", "m.h5", "m.weights.h5", "m.json", "m.yaml", "m.ckpt", "m.savedmodel", "m.tflite", "m.onnx")
    names += ("m.xml", "m.safetensors", "m_numpy.py", "m.c", "m.micro.c")
    for name in names:
        formats.save(dense, place(folder, name.removeprefix("m.").replace(".", "_")) / name)
    formats.export_tfjs(dense, place(folder, "tfjs") / "m.tfjs", quantize="uint8", training=True, prove=False)
    with zipfile.ZipFile(place(folder, "tfjs_archive") / "m.tfjs", "w") as archive:
        for file in sorted((folder / "tfjs" / "m.tfjs").iterdir()):
            archive.write(file, file.name)
    formats.export_tfjs(dense, place(folder, "tfjs_graph") / "m.tfjs", kind="graph", prove=False)
    many = many_layers(keras)
    for name in ("z.keras", "z.json", "z.h5"):
        formats.save(many, place(folder, "many_" + name[2:]) / name)
    formats.export_tfjs(many, place(folder, "many_tfjs") / "z.tfjs", kind="layers", prove=False)
    image = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 9, 5), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    images = np.zeros((4, 28, 28, 1), "float32")
    formats.export_litert(image, place(folder, "tflite_int8") / "m.tflite", quantize="int8", images=images, prove=False)
    formats.export_onnx(image, place(folder, "onnx_conv") / "m.onnx", prove=False)
    formats.export_openvino(image, place(folder, "xml_conv") / "m.xml", prove=False)


def many_layers(keras: Any) -> Any:
    """Return a functional model, with Keras 2 or Keras 3, of layers that have settings of many kinds."""
    layers = keras.layers
    a, b = keras.Input((8, 8, 1), name="a"), keras.Input((4, 3), name="b")
    x = layers.Conv2D(2, 3, padding="same", activation="relu", kernel_regularizer=keras.regularizers.L2(0.1))(a)
    x = layers.DepthwiseConv2D(3, strides=2)(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(layers.LeakyReLU()(layers.MaxPooling2D(2)(x)))
    y = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(b)
    y = layers.Flatten()(layers.TimeDistributed(layers.Dense(2))(y))
    inner = keras.Sequential([keras.Input((2,)), layers.Dense(3, name="deep"), layers.Reshape((3,))], name="inner")
    joined = layers.Concatenate(name="joined")([inner(x), layers.Dropout(0.5)(y)])
    model = keras.Model([a, b], [layers.Dense(2, name="one")(joined), layers.Dense(1, name="two")(joined)], name="many")
    model.compile("adam", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    return model


def write_keras2(folder: Path) -> None:
    """Write what Keras 2 writes: SavedModel, JSON, ``.h5``, ``.keras`` and a checkpoint."""
    import tf_keras

    dense = tf_keras.Sequential([tf_keras.layers.Dense(4, input_shape=(3,)), tf_keras.layers.Dense(2)], name="m")
    dense.compile("adam", "mse")
    many = many_layers(tf_keras)
    for model, name in ((dense, "m"), (many, "z")):
        start = "keras2_" if model is dense else "keras2_many_"
        (place(folder, f"{start}json") / f"{name}.json").write_text(model.to_json())
        model.save(place(folder, f"{start}h5") / f"{name}.h5")
        model.save(place(folder, f"{start}keras") / f"{name}.keras")
        model.save(place(folder, f"{start}savedmodel") / f"{name}.savedmodel", save_format="tf")
    dense.save_weights(str(place(folder, "keras2_ckpt") / "m.ckpt"))
    (folder / "keras2_ckpt" / "checkpoint").unlink()
    dense.save_weights(place(folder, "keras2_weights_h5") / "m.weights.h5")


def write_datasets(folder: Path) -> None:
    """Write five images in each form of a dataset, with the names of the classes."""
    images, labels = np.arange(5 * 784, dtype="u1").reshape(5, 28, 28), np.arange(5, dtype="u1") % 3
    arrays = {"x_train": images, "y_train": labels, "x_test": images[:2], "y_test": labels[:2]}
    np.savez(place(folder, "npz") / "d.npz", **arrays)
    np.savez_compressed(place(folder, "npz_small") / "d.npz", **arrays)
    for name, array in arrays.items():
        np.save(place(folder, "npy") / f"{name}.npy", array)
        part = "train" if name.endswith("train") else "t10k"
        kind = "images-idx3" if array.ndim == 3 else "labels-idx1"
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        (place(folder, "idx") / f"{part}-{kind}-ubyte").write_bytes(content)
        (place(folder, "idx_gz") / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    for name in ("train-00000", "train-00001", "test-00000"):
        np.savez(place(folder, "shards") / f"{name}.npz", x=images, y=labels)
    (place(folder, "class_names") / "classes.txt").write_text("T-shirt\nHose\nMütze\n")


def write_pictures(folder: Path, shipped: Path) -> None:
    """Write a picture of a digit in each format, and the record beside a copy of the shipped network."""
    from PIL import Image

    grey = np.full((40, 48), 255, "u1")
    grey[8:32, 20:25] = 20
    picture = Image.fromarray(grey)
    for kind in IMAGES:
        picture.save(place(folder, f"picture_{kind}") / f"p.{kind}")
    picture.convert("RGBA").save(place(folder, "picture_rgba") / "p.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    shutil.copy(shipped, place(folder, "record") / "m.tflite")
    record = {"settings": {"epochs": 1}, "classes": [str(number) for number in range(10)], "history": {"loss": [1.0]}}
    (folder / "record" / "m.json").write_text(json.dumps(record))


def write_unfinished(folder: Path) -> None:
    """Write what an interrupted training leaves."""
    from study_keras.train import metadata, recipes

    path = place(folder, "unfinished") / metadata.UNFINISHED
    shutil.copy(folder / "keras" / "m.keras", path)
    record = {"settings": recipes.to_settings(recipes.Recipe()), "data": {"sha256": "0" * 64}, "backend": "jax"}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(metadata.ENTRY, json.dumps({**record, "data_path": None, "history": {"loss": [1.0]}}))


def place(folder: Path, name: str) -> Path:
    """Return the folder of one seed, which exists."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / name


def main() -> None:
    """Write all seeds."""
    folder = Path(sys.argv[1]).resolve()
    warnings.simplefilter("ignore")
    from study_keras.startup import import_keras
    from study_keras.vision.classifier import SHIPPED

    import_keras()
    write_models(folder)
    write_keras2(folder)
    write_datasets(folder)
    write_pictures(folder, SHIPPED)
    write_unfinished(folder)


if __name__ == "__main__":
    main()
