"""What every C file that is written here has: identifiers, literals, and the frame of a header."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from study_keras import limits

MARK = "written by hello-mnist"  # in the first line of what is written, which a later export may replace
WIDTH = 100
_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    # of C++, where the header may be included
    "alignas alignof and asm bool catch class concept constexpr delete explicit export false friend mutable namespace "
    "new noexcept not nullptr operator or private protected public requires static_assert template this thread_local "
    "throw true try typeid typename using virtual xor"
)
KEYWORDS = frozenset(_WORDS.split())


def identifier(name: str) -> str:
    """Return ``name`` as a C identifier.

    Everything but ASCII letters, digits and ``_`` becomes ``_``; what C reserves, a ``_`` at the beginning and a
    keyword, and a digit there, gets ``model_`` before it.
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"model_{plain}" if not plain or not plain[0].isalpha() or plain in KEYWORDS else plain


def check_free(*paths: Path) -> None:
    """Refuse to replace source that was not written here.

    Raises:
        ValueError: a path is a folder, a file without ``MARK`` in its first line, or has a name that no ``#include``
            can have.
    """
    for path in paths:
        if re.search(r'["\\?\x00-\x1f]', path.name):
            raise ValueError(f"{path}: C cannot include a file of this name; expected one without quotes and \\ and ?")
        if path.is_dir():
            raise ValueError(f"{path}: is a folder; expected a new name or a file to replace")
        if not path.exists():
            continue
        with path.open("rb") as file:
            if MARK.encode() not in file.readline(1000):
                raise ValueError(f"{path} is in use: expected a new name or the file of an earlier export")


def read(path: Path) -> str:
    """Return the text of a file that was written here.

    Raises:
        ValueError: it is missing, or was not written here.
    """
    try:
        text = limits.read_bytes(path).decode("utf-8", "replace")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if MARK not in text.partition("\n")[0]:
        raise ValueError(f"{path}: expected a file of which the first line says {MARK!r}")
    return text


def lines_of(literals: Iterable[str], indent: str = "    ") -> str:
    """Return literals, separated by commas, in lines of at most ``WIDTH`` characters."""
    lines, line = list[str](), indent
    for literal in literals:
        if len(line) + len(literal) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{literal}, "
    return "\n".join([*lines, line.rstrip()])


def literals(array: np.ndarray) -> list[str]:
    """Return the shortest literals that a compiler reads as the same float32 numbers, or integers."""
    end = "f" if array.dtype.kind == "f" else ""
    return [f"{item}{end}" for item in map(str, array.ravel())]


def number(value: float) -> str:
    """Return the literal of one float32 number."""
    return literals(np.asarray(value, "float32"))[0]


def struct(name: str, fields: Mapping[str, int]) -> str:
    """Return a pointer to a constant of these fields, as the argument of a call; see ``call``."""
    body = lines_of(f".{field} = {value}" for field, value in fields.items()).removesuffix(",")
    return f"&(const struct {name}){{\n{body}}}"


def call(function: str, arguments: Iterable[str]) -> list[str]:
    """Return the lines of a statement, with a new line after each struct."""
    text = ", ".join(arguments)
    return f"{function}({text});".replace("}, ", "},\n    ").splitlines()


def header(guard: str, body: str) -> str:
    """Return the content of a header that C and C++ may include any number of times."""
    return f"""#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

{body.strip()}

#ifdef __cplusplus
}}
#endif

#endif
"""
