"""Changes a file as an attacker or a broken disk would: any bytes, and by the structure of its format.

``changed`` takes and returns the bytes of one file. Formats that contain others, such as an archive with JSON in it,
are opened, their contents are changed by the same function, and they are closed again with right checksums.
"""

import gzip
import io
import random
import struct
import zipfile
import zlib
from pathlib import Path

import fuzz_hdf5
import fuzz_inference
import fuzz_json
import fuzz_protobuf
from fuzz_values import INTEGERS, NAMES, TEXTS


def mutate(folder: Path, rng: random.Random, outside: str) -> None:
    """Change one of the files in ``folder``, sometimes in several places.

    Args:
        outside: the path of a file that no reader may open; some changes refer to it.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    index = next((file for file in files if file.suffix == ".index"), None)
    if index and rng.random() < 0.7:
        from fuzz_checkpoint import change_checkpoint

        return change_checkpoint(index.with_suffix(""), rng)
    file = rng.choice(files)
    content = file.read_bytes()
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = changed(content, rng, outside, file.suffix)
    file.write_bytes(content)
    return None


def changed(content: bytes, rng: random.Random, outside: str, suffix: str = "") -> bytes:
    """Return the bytes of a file with one change."""
    if rng.random() < 0.15:
        return change_bytes(content, rng)
    try:
        change = next(change for start, change in BY_START.items() if content.startswith(start))
    except StopIteration:
        change = BY_SUFFIX.get(suffix)
    try:
        return change(content, rng, outside) if change else change_bytes(content, rng)
    except Exception:  # an earlier change has left nothing that can be parsed
        return change_bytes(content, rng)


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, overwrite, cut, repeat, swap or insert bytes, wherever they are."""
    data = bytearray(content or b"\0")
    at, other = rng.randrange(len(data)), rng.randrange(len(data))
    size = rng.choice((1, 2, 4, 8, 16, 64, 512))
    match rng.randrange(8):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            data[at : at + size] = rng.randbytes(size)
        case 2:
            del data[at:]
        case 3:
            data[at:at] = data[other : other + size]
        case 4:
            data[at : at + size], data[other : other + size] = data[other : other + size], data[at : at + size]
        case 5:
            del data[at : at + size]
        case 6:  # numbers are aligned in most formats
            kind = rng.choice(("<i", ">i", "<q", ">q", "<h", "<f"))
            at -= at % struct.calcsize(kind)
            data[at : at + struct.calcsize(kind)] = packed(kind, rng.choice(INTEGERS))
        case 7:
            data[at:at] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    return bytes(data)


def packed(kind: str, value: int) -> bytes:
    """Return ``value`` as ``struct`` packs it, without the digits that have no room."""
    if kind[-1] in "fd":
        return struct.pack(kind, float(value % 2**64))
    bits = 8 * struct.calcsize(kind)
    return struct.pack(kind.upper(), value % 2**bits)


def change_zip(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change, rename, remove, repeat or exchange an entry of an archive, or what its directory says."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        entries = [(entry.filename, source.read(entry), entry.compress_type) for entry in source.infolist()]
    at, other = rng.randrange(len(entries)), rng.randrange(len(entries))
    name, data, method = entries[at]
    match rng.choice((0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5)):
        case 0:
            entries[at] = name, changed(data, rng, outside, Path(name).suffix), method
        case 1:
            del entries[at]
        case 2:
            entries.insert(other, (name, data, method))
        case 3:
            entries[at] = rng.choice((*NAMES, outside)), data, method
        case 4:
            entries[at], entries[other] = (name, entries[other][1], method), (entries[other][0], data, method)
        case 5:
            methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
            entries[at] = name, data, rng.choice(methods)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data, method in entries:
            archive.writestr(name.encode("utf-8", "replace").decode(), data, method)
    return change_directory(target.getvalue(), rng) if rng.random() < 0.1 else target.getvalue()


def change_directory(content: bytes, rng: random.Random) -> bytes:
    """Change a field of a local header, of an entry of the directory, or of its end: flags, method, sizes, offsets."""
    data = bytearray(content)
    magic = rng.choice((b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"))
    places = [at for at in range(len(data)) if data.startswith(magic, at)]
    at = rng.choice(places) + 4 + 2 * rng.randrange(9 if magic == b"PK\x05\x06" else 20)
    kind = rng.choice(("<h", "<i"))
    data[at : at + struct.calcsize(kind)] = packed(kind, rng.choice((*INTEGERS, 1, 8, 99)))
    return bytes(data)


def change_gzip(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change what is in a ``.gz``."""
    return gzip.compress(changed(gzip.decompress(content), rng, outside), mtime=0)


def change_npy(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Write another header before the data of a ``.npy``: dtype, order, shape, or no dict at all."""
    size = struct.unpack("<H", content[8:10])[0]
    header, data = content[10 : 10 + size].decode("latin1"), content[10 + size :]
    shape = rng.choice(("()", "(0,)", "(-1,)", "(1, 28, 28)", "(2**62,)", "(True,)", "(1.5,)", "'x'", "None"))
    shape = (
        f"({', '.join(str(rng.choice(INTEGERS)) for _ in range(rng.randrange(1, 5)))},)"
        if rng.random() < 0.5
        else shape
    )
    dtype = rng.choice(("|u1", "<i8", ">f8", "|O", "|b1", "<c16", "|S5", "<U9", "<M8[s]", "|V3", "", "|S0", "x", "<f2"))
    head = {
        "descr": rng.choice((f"'{dtype}'", "[('a', '<i4')]", "'|u1'")),
        "fortran_order": rng.choice(("True", "False", "1")),
    }
    head["shape"] = rng.choice((header.partition("'shape': ")[2].rpartition(", }")[0], shape, shape))
    text = "{" + ", ".join(f"'{key}': {value}" for key, value in head.items() if rng.random() < 0.97) + ", }"
    text = rng.choice((text, text, text, text, "[" * 500, "{" + "'a':" * 50, "x" * 70_000, "__import__('os')"))
    version = rng.choice((b"\1\0", b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\4\0"))
    length = struct.pack("<H" if version == b"\1\0" else "<I", min(len(text) + 1, 65_535))
    return b"\x93NUMPY" + version + length + text.encode() + b"\n" + data


def change_idx(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change a number in the header of an IDX file."""
    if rng.random() < 0.3:
        at, new = rng.choice((2, 3)), rng.randbytes(1)
        return content[:at] + new + content[at + 1 :]
    at = 4 + 4 * rng.randrange(content[3])
    return content[:at] + packed(">i", rng.choice((*INTEGERS, 28, 27))) + content[at + 4 :]


def change_png(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change, repeat, remove or move a chunk of a PNG, and correct its checksum."""
    chunks, at = [], 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    place, other = rng.randrange(len(chunks)), rng.randrange(len(chunks))
    kind, data = chunks[place]
    match rng.randrange(5):
        case 0:
            inner = (
                zlib.compress(change_bytes(zlib.decompress(data), rng)) if kind == b"IDAT" else change_bytes(data, rng)
            )
            chunks[place] = kind, inner
        case 1:
            chunks.insert(other, (rng.choice((b"tRNS", b"PLTE", b"eXIf", b"iCCP", b"zTXt", b"acTL", kind)), data))
        case 2:
            del chunks[place]
        case 3:
            at = rng.randrange(max(1, len(data) - 3))
            chunks[place] = kind, data[:at] + packed(">i", rng.choice(INTEGERS)) + data[at + 4 :]
        case 4:
            chunks[place], chunks[other] = chunks[other], chunks[place]
    written = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return content[:8] + b"".join(written)


def change_hdf5(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change an attribute, an array or a link of an HDF5 file."""
    return fuzz_hdf5.change(content, rng, outside, changed)


BY_START = {
    b"PK\x03\x04": change_zip,
    b"\x89HDF": change_hdf5,
    b"\x93NUMPY": change_npy,
    b"\x1f\x8b": change_gzip,
    b"\x89PNG": change_png,
    b"{": fuzz_json.change_json,
    b"[": fuzz_json.change_json,
    b"\0\0\x08": change_idx,
}
BY_SUFFIX = {
    ".yaml": fuzz_json.change_yaml,
    ".pb": fuzz_protobuf.change,
    ".onnx": fuzz_protobuf.change,
    ".xml": fuzz_inference.change_xml,
    ".safetensors": fuzz_inference.change_safetensors,
    ".c": fuzz_inference.change_c_array(change_bytes),
}
