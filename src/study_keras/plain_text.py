"""Text from outside: decoded, shown on one line without escape sequences, and written as JSON.

Names of files, classes and layers, and everything else that somebody else wrote, pass through ``printable`` before a
terminal, a picture, a page or a log shows them.
"""

import json
import math
import re
import reprlib
import unicodedata
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 100  # of JSON
_JOINERS = "\u200c\u200d"  # part of words in Persian and Hindi, and of emoji


def is_printable(character: str) -> bool:
    """Return whether a character only shows itself.

    Control characters move the cursor or start an escape sequence, format characters change the direction of the text
    or are invisible, surrogates stand for bytes that are no UTF-8, and separators end the line.
    """
    if character.isprintable() or character in _JOINERS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: object) -> str:
    r"""Return text as one line that shows every character, those that are not printable as ``\n`` or ``\u202e``.

    Args:
        text: anything that has a text.

    Returns:
        The same text if all of its characters are printable.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(one if is_printable(one) else one.encode("unicode_escape").decode() for one in text)


def one_line(text: object) -> str:
    """Return text of several lines, such as a library's error message, on one line; see ``printable``."""
    return printable(" ".join(re.split(r"[ \t\r\n]+", str(text).strip())))


def shorten(value: Any) -> str:
    """Return a short text of a value for an error message."""
    return reprlib.repr(value)


def decode(content: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        ValueError: the bytes are not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text: byte {error.start + 1} is {content[error.start]:#04x}") from error


def parse_json(content: str | bytes) -> Any:
    """Parse JSON to plain values.

    Raises:
        ValueError: it is not JSON in UTF-8, or nested deeper than ``MAX_DEPTH``.
    """
    too_deep = ValueError(f"nested deeper than {MAX_DEPTH} levels")
    text = decode(content) if isinstance(content, bytes) else content
    try:
        value = json.loads(text)
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for one in level for item in _items(one)]
    if level:
        raise too_deep
    return value


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def to_json(value: Any, **options: Any) -> str:
    """Return a value as JSON. Numbers that JSON does not have, NaN and the infinities, become ``null``.

    Args:
        options: as ``json.dumps`` takes them.
    """
    return json.dumps(_finite(value), allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
