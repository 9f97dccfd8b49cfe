"""The blocks of a course page: code of the lessons, their output, and suggested changes.

The first line of a block states its content:

    ```python hello_mnist.py    a part of that lesson; all parts, joined by its blank lines, are the file
    ```text hello_mnist.py      the output of that lesson; a line ``...`` is any lines, at a line's end the rest of it
    ```diff hello_mnist.py      a suggested change of that lesson; a line ``...`` separates two places
    ```text changed             the output of the changed lesson

The paragraph below an output states how far its numbers vary between runs. ``accuracy ± 0.01`` applies to the
numbers after the word accuracy, ``evaluate ± 0.03, ± 0.01`` to the first of them and to all others.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LESSONS = tuple(sorted((ROOT / "src/study_keras").glob("hello_mnist*.py")))
PAGES = tuple(ROOT / "notes/study_keras" / name for name in ("1_hello_mnist.md", "1_hello_mnist.en.md"))
HOME = "/home/me/hello-mnist"  # the path of the checkout in the pages

FENCE = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"((?<![\w.])-?\d+(?:,\d{3})*(?:\.\d*)?(?:e[-+]?\d+)?(?![A-Za-z_]))")
CLOCK = re.compile(r"(?<=━ ).*?/step")  # in the progress bar; differs between machines


class StaleError(Exception):
    """A page is out of date; the message begins with the page and the line."""


class Block(NamedTuple):
    """A fenced block: page and first line, language, the file it is of, its lines, and the spreads of its numbers."""

    page: str
    line: int
    language: str
    of: str
    lines: list[str]
    spreads: dict[str, list[float]]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of ``page``."""
    text = page.read_text()
    found = []
    for fence in FENCE.finditer(text):
        language, of, inside = fence.groups("")
        line = text.count("\n", 0, fence.start(3)) + 1
        below = text[fence.end() :].lstrip("\n").partition("\n\n")[0] if language == "text" else ""
        found.append(Block(page.name, line, language, of, inside.splitlines(), spreads(below)))
    return found


def spreads(text: str) -> dict[str, list[float]]:
    """Read ``accuracy ± 0.01, loss ± 0.03, differences ± 60, ± 10,000``."""
    found: dict[str, list[float]] = {}
    name = ""
    for word, spread in re.findall(r"([A-Za-z_]\w*)?`? ?± ?([\d,.]*\d)", text):
        name = word or name
        found.setdefault(name, []).append(float(spread.replace(",", "")))
    return found


def check_code(page: Path, lesson: Path) -> None:
    """Compare the parts of ``lesson`` on ``page`` with its source, character by character.

    Raises:
        StaleError: they differ; the message names the first line.
    """
    shown: list[tuple[int, str]] = []
    lines = lesson.read_text().splitlines()
    for block in blocks(page):
        if (block.language, block.of) == ("python", lesson.name):
            if shown:
                blank = lines[len(shown) : len(shown) + 2] == ["", ""]  # two around a function
                shown += [(block.line - 1, "")] * (1 + blank)
            shown += enumerate(block.lines, start=block.line)
    end = (shown[-1][0] + 1 if shown else 1, "(the end)")
    for number, source in enumerate(lines):
        line, text = shown[number] if number < len(shown) else end
        if text != source:
            raise StaleError(f"{page.name}:{line}: shows {text!r}, but {lesson.name}:{number + 1} is {source!r}")
    for line, text in shown[len(lines) :]:
        raise StaleError(f"{page.name}:{line}: shows {text!r}, but {lesson.name} ends before")


def apply_change(block: Block, source: str) -> str:
    """Apply a ``diff`` to the ``source`` of its lesson.

    Raises:
        StaleError: the lines to replace are not in the lesson, or more than once.
    """
    for place in "\n".join(block.lines).split("\n...\n"):
        old, new = (
            "".join(f"{line[1:]}\n" for line in place.splitlines() if line[:1] in kept) for kept in (" -", " +")
        )
        if source.count(old) != 1:
            raise StaleError(f"{block.page}:{block.line}: {old!r} is {source.count(old)} times in {block.of}, not once")
        source = source.replace(old, new)
    return source


def trials(page: Path) -> list[tuple[Block, Block]]:
    """Return each suggested change with the block of its output."""
    found = [block for block in blocks(page) if block.language == "diff" or block.of == "changed"]
    return list(zip(found[::2], found[1::2], strict=True))


def screen(text: str, root: Path) -> list[str]:
    """Return the lines on a reader's screen: without colours, with full progress bars, ``HOME`` instead of ``root``."""
    text = re.sub(r"\x1b\[[\d;]*m|\x08", "", text).replace(str(root), HOME)
    lines = [line.rpartition("\r")[2].rstrip() for line in text.rstrip("\n").split("\n")]
    kept = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        bar = re.match(r" *(\d+)/(\d+) ━", line)
        # A bar that the message of a callback interrupted is drawn again below.
        if not bar or (bar[1] == bar[2] and not below.startswith("epoch ")):
            kept.append(line)
    return kept


def check_output(block: Block, printed: list[str]) -> None:
    """Compare the output on a page with the printed lines.

    Raises:
        StaleError: a line is missing, or a number differs by more than the page states.
    """
    for number, (line, there, names) in enumerate(match_lines(block, printed), start=block.line):
        for token, other, spread in zip(*map(_tokens, (line, there)), names, strict=False):
            if spread is not None and abs(_value(token) - _value(other)) > spread * (1 + 1e-9):
                what = f"{token} in {line!r} is {other} in {there!r}"
                raise StaleError(f"{block.page}:{number}: {what}, and the page says ± {spread:g}")


def update_output(block: Block, printed: list[str]) -> list[str]:
    """Return the lines of an output with the numbers of ``printed``; an empty output becomes all of ``printed``."""
    new = []
    for line, there, names in match_lines(block, printed) if block.lines else ((line, line, []) for line in printed):
        if line.endswith(" ..."):
            kept = len(_tokens(line)[-1].rstrip())
            tokens = NUMBER.split(there)[: len(names)]
            new.append("".join([*tokens[:-1], tokens[-1][:kept]]) + " ...")
        else:
            new.append(there)
    return new


def match_lines(block: Block, printed: list[str]) -> list[tuple[str, str, list[float | None]]]:
    """Return each line of an output, the printed line that it matches, and the allowed spread of each token.

    Raises:
        StaleError: a line matches no printed line.
    """
    found: list[tuple[str, str, list[float | None]]] = []
    at, gap = 0, False
    for number, (line, allowed) in enumerate(zip(block.lines, _allowed(block), strict=True), start=block.line):
        if line == "...":
            gap = True
            found.append((line, line, []))
            continue
        until = len(printed) if gap else at + 1
        match = next((place for place in range(at, until) if _alike(line, printed[place : place + 1], allowed)), None)
        if match is None:
            there = printed[at] if at < len(printed) else "(the end)"
            raise StaleError(f"{block.page}:{number}: shows {line!r}, but {there!r} is printed")
        found.append((line, printed[match], allowed))
        at, gap = match + 1, False
    if not gap and at < len(printed):
        raise StaleError(f"{block.page}:{block.line + len(block.lines)}: ends, but {printed[at]!r} is printed")
    return found


def _allowed(block: Block) -> list[list[float | None]]:
    """Return for each token of each line the allowed spread of a number, or None if it must be equal."""
    allowed: list[list[float | None]] = []
    name, nth = "", 0
    for line in block.lines:
        allowed.append([])
        for place, token in enumerate(_tokens(line)):
            words = re.findall(r"[A-Za-z_]\w*", token)
            if place % 2:  # a number
                steps = block.spreads.get(name, [])
                allowed[-1].append(steps[min(nth, len(steps) - 1)] if steps else None)
                nth += 1
            else:
                name, nth = (words[-1], 0) if words else (name, nth)
                allowed[-1].append(None)
    return allowed


def _alike(line: str, printed: list[str], allowed: list[float | None]) -> bool:
    """Return whether a line matches the printed one: the same words, and the same numbers if they have no spread."""
    if not printed:
        return False
    tokens, others = _tokens(line), _tokens(printed[0])
    if line.endswith(" ..."):
        others = others[: len(tokens)]
        others[-1] = others[-1][: len(tokens[-1])]
    pairs = zip(tokens, others, allowed, strict=False)
    return len(tokens) == len(others) and all(spread is not None or one == other for one, other, spread in pairs)


def _tokens(line: str) -> list[str]:
    """Split a line into alternating words and numbers."""
    return [" ".join(token.split()) for token in NUMBER.split(CLOCK.sub("", line.removesuffix(" ...")))]


def _value(number: str) -> float:
    return float(number.replace(",", ""))
