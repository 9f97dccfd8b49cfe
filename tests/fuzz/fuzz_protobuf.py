"""Changes protobuf messages without their schema: a field is a number, some bytes, or a message again."""

import random

import fuzz_json
from fuzz_values import INTEGERS, TEXTS

Field = tuple[int, int, int | bytes]  # number, wire type, value


def change(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Return a message with one change in it or in a message within it; all lengths are right."""
    found = fields(content)
    if not found:
        raise ValueError("not a message")
    at, other = rng.randrange(len(found)), rng.randrange(len(found))
    number, kind, value = found[at]
    if isinstance(value, bytes) and rng.random() < 0.85:
        found[at] = number, kind, change_bytes(value, rng, outside)
        return written(found)
    match rng.randrange(5):
        case 0:
            del found[at]
        case 1:
            found.insert(other, found[at])
        case 2:
            found[at], found[other] = found[other], found[at]
        case 3:
            found[at] = rng.choice((1, 2, 3, 4, 5, 7, 8, 20)), kind, value
        case 4:
            new = rng.choice(INTEGERS) % 2**64 if isinstance(value, int) else value
            found[at] = (number, kind, new) if kind == 0 else (number, 0, rng.choice(INTEGERS) % 2**64)
    return written(found)


def change_bytes(value: bytes, rng: random.Random, outside: str) -> bytes:
    """Change a message, a JSON or a plain text within a message."""
    if value.startswith(b"{") and value.endswith(b"}"):
        return fuzz_json.change_json(value, rng, outside)
    if len(value) > 1 and rng.random() < 0.9:
        try:
            return change(value, rng, outside)
        except ValueError:
            pass
    data = bytearray(value or b"\0")
    data[rng.randrange(len(data))] = rng.randrange(256)
    return rng.choice(
        (bytes(data), value[:-1], value * 3, rng.choice(TEXTS).encode("utf-8", "replace"), outside.encode())
    )


def fields(data: bytes) -> list[Field]:
    """Return the fields of a message.

    Raises:
        ValueError: the bytes are no message.
    """
    found: list[Field] = []
    at = 0
    try:
        while at < len(data):
            tag, at = varint(data, at)
            number, kind = tag >> 3, tag & 7
            if kind == 0:
                value, at = varint(data, at)
                found.append((number, kind, value))
                continue
            size, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            if number == 0 or at + size > len(data):
                raise ValueError("no message")
            found.append((number, kind, data[at : at + size]))
            at += size
    except (IndexError, KeyError) as error:
        raise ValueError("no message") from error
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def written(found: list[Field]) -> bytes:
    """Return the message of these fields."""
    out = bytearray()
    for number, kind, value in found:
        out += encoded(number << 3 | kind)
        if isinstance(value, int):
            out += encoded(value)
        else:
            out += (encoded(len(value)) if kind == 2 else b"") + value
    return bytes(out)


def encoded(value: int) -> bytes:
    """Return a number, seven bits a byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
