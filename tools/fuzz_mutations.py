"""How `fuzz.py` changes a file: bytes of any file, and values inside JSON, ZIP, HDF5 and `.npy`."""

import io
import json
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1)
PATHS = ("..", "../../../etc/passwd", "/etc/passwd", "\0", "\ud800", "\n", "", "x" * 5000)
NAMES = (
    "a",
    "Dense",
    "Lambda",
    "TFSMLayer",
    "GRU",
    "keras.utils",
    "os",
    "None",
    "float99",
    "int4",
    "1e999",
    "relu",
    "same",
)
PLAIN = (None, True, False, -1, 0, 1, 2, 3, 0.5, -0.5, 1e308, float("nan"), float("inf"), 2**31, 2**63, 10**30)
NESTED: tuple[Any, ...] = ([], {}, [[]], [None], [0], [1, 2], {"class_name": "Dense", "config": {}}, {"a": 1})
TEXTS = (*PATHS, *NAMES)
VALUES: tuple[Any, ...] = (*PLAIN, *NESTED, *TEXTS)


def mutate(path: Path, rng: random.Random) -> None:
    """Change one file at ``path``, a file or a folder or the beginning of file names, once or a few times."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
    files += [
        file
        for file in path.parent.glob(f"{path.name.split('.')[0]}*")
        if file.is_file() and path.is_file() is not None
    ]
    file = rng.choice(sorted(files))
    content = file.read_bytes()
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        content = changed(content, rng)
    file.write_bytes(content)


def changed(content: bytes, rng: random.Random) -> bytes:
    """Return ``content`` changed by a mutation for its format, or of its bytes."""
    options = [change_bytes]
    if content[:1] in (b"{", b"["):
        options += [change_json] * 4
    if content[:2] == b"PK":
        options += [change_zip] * 4
    if content[:4] == b"\x89HDF":
        options += [change_hdf5] * 4
    if content[:6] == b"\x93NUMPY":
        options += [change_npy] * 3
    try:
        return rng.choice(options)(content, rng)
    except Exception:  # a mutation before this one has made it unreadable
        return change_bytes(content, rng)


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert or overwrite some bytes."""
    data = bytearray(content)
    at = rng.randrange(len(data) + 1)
    size = min(len(data) - at, rng.choice((1, 2, 4, 8, 16, 64, 1024)))
    match rng.randrange(7):
        case 0 if data:
            data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
        case 1:
            del data[at:]
        case 2:
            del data[at : at + size]
        case 3:
            data[at:at] = data[at : at + size] * rng.choice((1, 2, 50))
        case 4:
            data[at : at + size] = rng.randbytes(size)
        case 5:
            number, form = rng.choice(NUMBERS), rng.choice(("<B", "<H", "<I", "<Q", ">H", ">I", ">Q"))
            packed = struct.pack(form, number % 2 ** (8 * struct.calcsize(form)))
            data[at : at + len(packed)] = packed
        case _:
            other = rng.randrange(len(data) + 1)
            data[at : at + size], data[other : other + size] = data[other : other + size], data[at : at + size]
    return bytes(data)


def change_json(content: bytes, rng: random.Random) -> bytes:
    """Replace, remove, repeat or rename one value; or go deeper into text that is JSON itself."""
    root = [json.loads(content)]
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in list(items):
            places.append((node, key))
            collect(value)

    collect(root)
    node, key = rng.choice(places)
    match rng.randrange(6):
        case 0 if node is not root:
            del node[key]
        case 1 if isinstance(node, dict):
            node[rng.choice(TEXTS)] = node.pop(key)
        case 2 if isinstance(node, list) and node is not root:
            node.extend(node * rng.choice((1, 3)))
        case 3:
            other, name = rng.choice(places)
            node[key] = json.loads(json.dumps(other[name]))
        case 4:
            for _ in range(rng.choice((5, 200, 3000))):
                node[key] = [node[key]]
        case _:
            node[key] = rng.choice(VALUES)
    return json.dumps(root[0]).encode()


def change_zip(content: bytes, rng: random.Random) -> bytes:
    """Change the content of an entry, or what the archive says of it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = rng.randrange(len(members))
    name, inside = members[place]
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    action = rng.randrange(8)
    if action == 0:
        members[place] = (rng.choice(("../a", "/a", "a\\b", "config.json", "x_train.npy", "é", "", name * 50)), inside)
    elif action == 1:
        members.append((rng.choice(("a", name + "x", "assets/a")), inside))
    elif action == 2:
        del members[place]
    elif action > 3:
        members[place] = (name, changed(inside, rng))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method if action == 3 else zipfile.ZIP_STORED) as archive:
        for name, inside in members:
            archive.writestr(name, inside)
        if action == 3:
            entry = rng.choice(archive.infolist())
            field = rng.choice(("file_size", "compress_size", "flag_bits", "compress_type", "CRC", "header_offset"))
            setattr(entry, field, rng.choice(NUMBERS) % (2**16 if field in ("flag_bits", "compress_type") else 2**32))
    return target.getvalue()


def change_hdf5(content: bytes, rng: random.Random) -> bytes:
    """Change an attribute, or replace, move or remove a dataset or group."""
    import h5py
    import numpy as np

    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        items = [file]
        file.visititems(lambda _, item: items.append(item))
        item = rng.choice(items)
        names = sorted(item.attrs)
        action = rng.randrange(7)
        if action < 3 and names:
            name = rng.choice(names)
            value = item.attrs[name]
            if isinstance(value, str | bytes) and action < 2:
                text = value.encode() if isinstance(value, str) else value
                item.attrs[name] = changed(text, rng).decode("utf-8", "replace")
            elif action == 2:
                del item.attrs[name]
            else:
                item.attrs[name] = rng.choice(
                    (0, 1.5, "a", b"\xff", ["a", "b"], [1, 2], np.zeros((2, 2)), h5py.Empty("f4"))
                )
        elif item.name != "/":
            parent, name = item.parent, item.name.rsplit("/", 1)[-1]
            del parent[name]
            shape = rng.choice(((), (0,), (3,), (4, 4), (1, 2, 3), (2**31,), (2**40,)))
            if action == 3:
                parent.create_dataset(name, shape, rng.choice(("f4", "i8", "f2", "S3", "?", "c8")))
            elif action == 4:
                parent[name] = rng.choice((h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/"), file["/"]))
            elif action == 5:
                options = {"chunks": (16,), "compression": rng.choice(("gzip", "lzf")), "maxshape": (None,)}
                parent.create_dataset(name, (rng.choice((16, 2**16, 2**30)),), "f4", **options)
            else:
                parent.create_group(name)
    return stream.getvalue()


def change_npy(content: bytes, rng: random.Random) -> bytes:
    """Change the header of an array, and keep its length right."""
    length = struct.unpack("<H", content[8:10])[0]
    header = content[10 : 10 + length].decode("latin1")
    number, dtype = str(rng.choice(NUMBERS)), rng.choice(("|O", "<f8", "<U5", "V8", "<M8", "|S0", ">i2"))
    boolean = rng.choice(("True", "None", "1"))
    changes = (
        ("(", "(-"),
        ("(", f"({number}, "),
        ("|u1", dtype),
        ("False", boolean),
        ("shape", "shope"),
        ("28", number),
    )
    old, new = rng.choice((*changes, ("}", "} + 1")))
    header = header.replace(old, new, 1)
    return content[:8] + struct.pack("<H", len(header)) + header.encode("latin1") + content[10 + length :]
