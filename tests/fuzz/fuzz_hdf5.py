"""Changes HDF5 files with h5py: attributes, arrays, links and names."""

import io
import random
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from fuzz_values import INTEGERS, TEXTS

CHECKSUM = "study_keras_sha256"
Change = Callable[[bytes, random.Random, str], bytes]


def change(content: bytes, rng: random.Random, outside: str, change_text: Change) -> bytes:
    """Return the file with one change, usually without the checksum that would give it away."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        if rng.random() < 0.9:
            file.attrs.pop(CHECKSUM, None)
        objects = [file]
        file.visititems(lambda _, item: objects.append(item))
        attributes = [(item, name) for item in objects for name in item.attrs]
        if attributes and rng.random() < 0.5:
            change_attribute(*rng.choice(attributes), rng, outside, change_text)
        elif len(objects) > 1:
            change_object(file, rng.choice(objects[1:]), rng, outside)
    return stream.getvalue()


def change_attribute(item: Any, name: str, rng: random.Random, outside: str, change_text: Change) -> None:
    """Replace, remove, rename an attribute, or change the JSON in it."""
    value = item.attrs[name]
    text = value.encode() if isinstance(value, str) else bytes(value) if isinstance(value, bytes) else b""
    if text.startswith(b"{") and rng.random() < 0.85:
        item.attrs[name] = np.bytes_(change_text(text, rng, outside).replace(b"\0", b"") or b" ")
        return
    match rng.randrange(4):
        case 0:
            del item.attrs[name]
        case 1:
            item.attrs[rng.choice(("layer_names", "weight_names0", "x"))] = value
        case 2 if isinstance(value, np.ndarray) and value.size:
            item.attrs[name] = rng.choice((value[::-1], value[:-1], np.append(value, value), value.reshape(1, -1)))
        case _:
            item.attrs[name] = odd_attribute(item, rng)


def odd_attribute(item: Any, rng: random.Random) -> Any:
    """Return a value that hardly any reader expects of an attribute."""
    return rng.choice(
        (
            *(h5py.Empty("f4"), h5py.Empty("S1"), 1, 1.5, True, np.array([], "S1"), np.zeros((2, 2)), item.ref),
            *(
                np.array([(1, 2.0)], "i4,f8"),
                np.array([b"\xff\xfe"]),
                np.bytes_(b"\xff"),
                np.complex64(1j),
                "é",
                b"x" * 9000,
            ),
            *(
                np.array(["a", "b"], h5py.string_dtype()),
                rng.choice(TEXTS).replace("\0", "").encode("utf-8", "replace"),
            ),
            rng.choice(INTEGERS) % 2**63,
        )
    )


def change_object(file: h5py.File, item: Any, rng: random.Random, outside: str) -> None:
    """Remove, replace, move, or link a group or an array."""
    name = item.name
    match rng.randrange(7):
        case 0:
            del file[name]
        case 1:
            file.move(name, rng.choice(("a/b", "layers/x", "é", "a" * 200, "..", name + "_")))
        case 2:
            other = rng.choice((file, item.parent))
            file[f"{name}_again"] = other
        case 3:
            del file[name]
            file[name] = rng.choice((h5py.SoftLink("/nothing"), h5py.SoftLink(name), h5py.ExternalLink(outside, "/x")))
        case 4 if isinstance(item, h5py.Dataset):
            del file[name]
            file.create_dataset(name, item.shape or (1,), "f4", external=[(outside, 0, h5py.h5f.UNLIMITED)])
        case 5:
            del file[name]
            file.create_group(name)
        case _:
            shape, dtype = getattr(item, "shape", (3,)), getattr(item, "dtype", "f4")
            del file[name]
            odd_dataset(file, name, rng, shape, dtype)


def odd_dataset(file: h5py.File, name: str, rng: random.Random, shape: Any, dtype: Any) -> None:
    """Create an array of another shape or dtype, or with filters."""
    dtype = rng.choice(
        (dtype, dtype, "f8", ">f4", "f2", "i1", "u8", "?", "c8", "S3", "V4", "i4,f4", h5py.string_dtype())
    )
    huge = tuple(rng.choice((2**20, 2**31, 2**40)) for _ in range(rng.randrange(1, 4)))
    match rng.randrange(6):
        case 0:
            file.create_dataset(name, huge, dtype, chunks=(1,) * len(huge))
        case 1:
            file.create_dataset(
                name, shape or (1,), dtype, chunks=True, compression=rng.choice(("gzip", "lzf")), shuffle=True
            )
        case 2:
            file.create_dataset(name, rng.choice(((), (0,), (1,), (3, 4), (4, 3), (1, 3, 4), (2,) * 20)), dtype)
        case 3:
            file.create_dataset(name, data=h5py.Empty("f4"))
        case 4:
            file.create_dataset(name, data=np.full(shape or (1,), rng.choice((np.nan, np.inf, 1e30)), "f4"))
        case 5:
            file.create_dataset(name, shape, dtype)
