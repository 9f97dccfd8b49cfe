"""The parts of a course page: pieces of lessons, what they print, and what to try.

The fence of a block says what it holds:

    ```python hello_mnist.py    a piece of that lesson; all of them, with a blank line between two, are the file
    ```text hello_mnist.py      what that lesson prints; ``...`` alone is any lines, at a line's end its rest
    ```diff hello_mnist.py      a change of that lesson to try; ``...`` alone parts two places
    ```text changed             what the changed lesson prints

The paragraph below an output says how far its numbers move from run to run. ``accuracy ± 0.01`` holds for the
numbers after the word accuracy, ``evaluate ± 0.03, ± 0.01`` for the first of them and for all others.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LESSONS = tuple(sorted((ROOT / "src/study_keras").glob("hello_mnist*.py")))
PAGES = tuple(ROOT / "notes/study_keras" / name for name in ("1_hello_mnist.md", "1_hello_mnist.en.md"))
HOME = "/home/me/hello-mnist"  # what the pages call the checkout

FENCE = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"((?<![\w.])-?\d+(?:,\d{3})*(?:\.\d*)?(?:e[-+]?\d+)?(?![A-Za-z_]))")
CLOCK = re.compile(r"(?<=━ ).*?/step")  # in the progress bar; each machine has its own


class StaleError(Exception):
    """A page shows what is not so; the message begins with the page and the line."""


class Block(NamedTuple):
    """A fenced block: its page and first line there, its language, what it is of, its lines, its numbers' spreads."""

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
    """Hold the pieces of ``lesson`` on ``page`` against its source, to the letter.

    Raises:
        StaleError: they differ; it names the first line that does.
    """
    shown: list[tuple[int, str]] = []
    for block in blocks(page):
        if (block.language, block.of) == ("python", lesson.name):
            shown += [(block.line - 1, "")] if shown else []
            shown += enumerate(block.lines, start=block.line)
    end = (shown[-1][0] + 1 if shown else 1, "(the end)")
    lines = lesson.read_text().splitlines()
    for number, source in enumerate(lines):
        line, text = shown[number] if number < len(shown) else end
        if text != source:
            raise StaleError(f"{page.name}:{line}: shows {text!r}, but {lesson.name}:{number + 1} is {source!r}")
    for line, text in shown[len(lines) :]:
        raise StaleError(f"{page.name}:{line}: shows {text!r}, but {lesson.name} ends before")


def changed(block: Block, source: str) -> str:
    """Apply a ``diff`` to the ``source`` of its lesson.

    Raises:
        StaleError: the lines that it starts from are not in the lesson, or more than once.
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
    """Return each change to try with what it prints."""
    found = [block for block in blocks(page) if block.language == "diff" or block.of == "changed"]
    return list(zip(found[::2], found[1::2], strict=True))


def screen(text: str, root: Path) -> list[str]:
    """Return the lines that stay on a reader's screen: no colours, full progress bars, and ``HOME`` for ``root``."""
    text = re.sub(r"\x1b\[[\d;]*m|\x08", "", text).replace(str(root), HOME)
    lines = [line.rpartition("\r")[2].rstrip() for line in text.rstrip("\n").split("\n")]
    kept = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        bar = re.match(r" *(\d+)/(\d+) ━", line)
        # A bar that a callback's message cut off, full or not as the clock had it, is drawn once more below.
        if not bar or (bar[1] == bar[2] and not below.startswith("epoch ")):
            kept.append(line)
    return kept


def check_output(block: Block, printed: list[str]) -> None:
    """Hold an output against what was printed.

    Raises:
        StaleError: a line is not there, or a number is further off than the page says.
    """
    for number, (line, there, names) in enumerate(partners(block, printed), start=block.line):
        for token, other, spread in zip(*map(_tokens, (line, there)), names, strict=False):
            if spread is not None and abs(_value(token) - _value(other)) > spread * (1 + 1e-9):
                what = f"{token} in {line!r} is {other} in {there!r}"
                raise StaleError(f"{block.page}:{number}: {what}, and the page says ± {spread:g}")


def renewed(block: Block, printed: list[str]) -> list[str]:
    """Return the lines of an output with the numbers of ``printed``; an empty output shows all of it."""
    new = []
    for line, there, names in partners(block, printed) if block.lines else ((line, line, []) for line in printed):
        if line.endswith(" ..."):
            kept = len(_tokens(line)[-1].rstrip())
            tokens = NUMBER.split(there)[: len(names)]
            new.append("".join([*tokens[:-1], tokens[-1][:kept]]) + " ...")
        else:
            new.append(there)
    return new


def partners(block: Block, printed: list[str]) -> list[tuple[str, str, list[float | None]]]:
    """Return each line of an output, the line printed that it stands for, and for each token the spread it may have.

    Raises:
        StaleError: a line has no partner.
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
    """Return for each token of each line the spread of a number that may move, else None."""
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
    """Whether a line stands for the one printed: the same words, and the same numbers where none may move."""
    if not printed:
        return False
    tokens, others = _tokens(line), _tokens(printed[0])
    if line.endswith(" ..."):
        others = others[: len(tokens)]
        others[-1] = others[-1][: len(tokens[-1])]
    pairs = zip(tokens, others, allowed, strict=False)
    return len(tokens) == len(others) and all(spread is not None or one == other for one, other, spread in pairs)


def _tokens(line: str) -> list[str]:
    """Split a line into words and numbers in turn."""
    return [" ".join(token.split()) for token in NUMBER.split(CLOCK.sub("", line.removesuffix(" ...")))]


def _value(number: str) -> float:
    return float(number.replace(",", ""))
