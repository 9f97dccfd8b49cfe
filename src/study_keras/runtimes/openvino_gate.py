"""Checks the two files of an OpenVINO model before OpenVINO reads them, and writes its XML anew.

OpenVINO's own parser does not see the file: another parser may read another model in the same bytes than the one that
was checked.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from study_keras import limits

MAX_DEPTH = 200  # elements inside of each other: of loops in loops
MAX_WORDS = 2**20  # characters of an attribute or a text, which names all layers that were fused into one
STANDARD = re.compile(r"opset[1-9][0-9]?")
BITS = {"boolean": 8, "nf4": 4, "bin": 1} | {f"f8{kind}": 8 for kind in ("e4m3", "e5m2", "e8m0")}


def read(path: Path) -> tuple[bytes, bytes]:
    """Return the checked XML, written anew, and the constants of the model at ``path``, an ``.xml`` file.

    Raises:
        OSError: one of the files cannot be read.
        ValueError: they are not a model that only computes, or contradict each other.
    """
    root, values = _checked(path)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), values


def constants(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the constants of a model, those inside of loops too; errors as of ``read``."""
    root, _ = _checked(Path(path))
    layers = [layer for layer in root.iter("layer") if layer.get("type") == "Const"]
    return [(layer.get("name", ""), tuple(_sizes(layer.find("data")))) for layer in layers]


def _checked(path: Path) -> tuple[Any, bytes]:
    text = limits.read_bytes(path, limits.MAX_JSON_BYTES)
    _check_text(text)
    root = ElementTree.fromstring(text)
    if root.tag != "net" or root.find("layers") is None:
        raise ValueError(f"its first element is <{root.tag[:50]}>; expected <net> with <layers>")
    beside = path.with_suffix(".bin")
    values = limits.read_bytes(beside) if beside.exists() else b""
    for layer in root.iter("layer"):
        _check_layer(layer, len(values))
    return root, values


def _check_text(text: bytes) -> None:
    """Refuse XML that is broken, has a document type or entities, or is deeper than a model is."""
    depth = 0
    parser = expat.ParserCreate()  # of the same encoding as ElementTree takes it to be

    def refuse(name: str, *_: Any) -> None:
        raise ValueError(f"it has a document type or entity ({name[:50]!r}), which no model needs; it is refused")

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"its elements are more than {MAX_DEPTH} deep; it is refused")
        if any(len(value) > MAX_WORDS for value in attributes.values()):
            raise ValueError(f"an attribute has more than {MAX_WORDS:,} characters; it is refused")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = refuse, refuse
    parser.ProcessingInstructionHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(f"it is no XML: {error}") from error


def _check_layer(layer: Any, size: int) -> None:
    """Refuse a layer from outside of OpenVINO, and a constant that is not in the ``size`` bytes of the ``.bin``."""
    name, kind, version = (layer.get(key, "")[:100] for key in ("name", "type", "version"))
    if not STANDARD.fullmatch(version):
        raise ValueError(f"the layer {name!r} ({kind}) is of {version!r}, not of OpenVINO's own opsets; it is refused")
    for data in layer.iterfind("data"):
        if "offset" not in data.keys() and "size" not in data.keys():  # noqa: SIM118
            continue
        start, length = (_number(data.get(key, ""), f"{key} of the layer {name!r}") for key in ("offset", "size"))
        if start + length > size:
            raise ValueError(
                f"the layer {name!r} has its values at {start:,} to {start + length:,}; the .bin has {size:,} bytes"
            )
        if kind == "Const":
            _check_constant(name, data, length)


def _check_constant(name: str, data: Any, length: int) -> None:
    kind = data.get("element_type", "")
    digits = re.fullmatch(r"(?:bf|[fiu])(\d{1,2})", kind)
    bits = int(digits[1]) if digits else BITS.get(kind)
    if bits is None:  # strings, whose length is in the values
        return
    expected = -(-limits.byte_count(_sizes(data), bits) // 8)
    if length != expected and expected:  # OpenVINO writes a byte where there are no values
        raise ValueError(f"the constant {name!r} has {length:,} bytes; its shape needs {expected:,}")


def _sizes(data: Any) -> list[int]:
    words = "" if data is None else data.get("shape", "")
    return [_number(word.strip(), "a size in a shape") for word in words.split(",") if word.strip()]


def _number(word: str, what: str) -> int:
    """Return a whole number in plain digits: of others, such as ``1_000``, OpenVINO reads another number."""
    if not re.fullmatch(r"[0-9]{1,18}", word):
        raise ValueError(f"{what} is {word[:50]!r}; expected a whole number")
    return int(word)
