"""Changes files for inference by their structure: OpenVINO's XML, safetensors, and a .tflite as an array in C."""

import copy
import random
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from fuzz_json import change_json
from fuzz_values import CLASSES, INTEGERS, TEXTS

KINDS = ("Const", "Parameter", "Result", "Loop", "TensorIterator", "Reshape", "Broadcast", "ReadValue", "If", "Tile")
ATTRIBUTES = ("id", "type", "version", "offset", "size", "shape", "element_type", "from-layer", "to-port", "names")
RAW = (
    b'<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    b'<!DOCTYPE net SYSTEM "SECRET">',
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<a>" * 3000,
    b"<!--" + b"-" * 3000,
    b"<?php ?>",
)


def change_xml(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change an attribute, or repeat, move or remove an element; or put in front what no model has."""
    if rng.random() < 0.05:
        start = content.index(b"<net")
        return content[:start] + rng.choice(RAW).replace(b"SECRET", outside.encode()) + content[start:]
    root = ElementTree.fromstring(content)
    parents = [element for element in root.iter() if len(element)]
    parent, other = rng.choice(parents), rng.choice(parents)
    child = rng.choice(list(parent))
    match rng.randrange(8):
        case 0:
            parent.remove(child)
        case 1:
            other.append(copy.deepcopy(child))
        case 2:
            parent[:] = rng.sample(list(parent), len(parent))
        case 3:
            child.text = rng.choice((*map(str, INTEGERS), *TEXTS[3:8]))
        case _:
            element = rng.choice([element for element in root.iter() if element.attrib] or [root])
            known = [*element.attrib, rng.choice(ATTRIBUTES)]
            element.set(rng.choice(known), rng.choice(_values(rng, outside)))
    text = ElementTree.tostring(root, encoding="unicode")
    return text.replace("\0", "&#0;").encode("utf-8", "surrogatepass")


def _values(rng: random.Random, outside: str) -> tuple[str, ...]:
    """Return values of an attribute, each kind as likely as the others."""
    sizes = ",".join(str(rng.choice(INTEGERS)) for _ in range(rng.randrange(1, 5)))
    kinds = rng.choice(("f32", "f16", "i64", "u1", "string", "boolean", "dynamic", "f8e4m3", "undefined"))
    return (str(rng.choice(INTEGERS)), rng.choice(TEXTS), sizes, kinds, rng.choice((*KINDS, *CLASSES[:5])), outside)


def change_safetensors(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Change the JSON of the header, and state its new length."""
    size = int.from_bytes(content[:8], "little")
    header = change_json(content[8 : 8 + size], rng, outside)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def change_c_array(change: Callable[..., bytes]) -> Callable[[bytes, random.Random, str], bytes]:
    """Return a function that changes the numbers of the array in a C file by ``change``."""

    def changed(content: bytes, rng: random.Random, _: Any) -> bytes:
        found = re.search(rb"(?<=\{)[0-9a-fx,\s]{20,}(?=\})", content)
        assert found
        numbers = change(bytes(int(number, 16) for number in re.findall(rb"0x[0-9a-f]+", found[0])), rng)
        return content[: found.start()] + b", ".join(b"0x%02x" % byte for byte in numbers) + content[found.end() :]

    return changed
