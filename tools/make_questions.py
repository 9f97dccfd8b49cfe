"""Run the cells of the page of questions, and write their output and pictures into it: make notes.

Each question has one block ``python question``, a script that runs on its own, and below it ``text question``, which
holds what it prints. A cell draws to ``output/question_NAME.png``, which becomes ``pictures/question_NAME.webp``.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import course
import make_notes
from PIL import Image

from study_keras import files

PAGES = tuple(course.PAGES[0].with_name(name) for name in ("9_questions.md", "9_questions.en.md"))


def cells(page: Path) -> list[tuple[course.Block, course.Block]]:
    """Return the code of each question with the block of its output."""
    found = [block for block in course.blocks(page) if block.of == "question"]
    return list(zip(found[::2], found[1::2], strict=True))


def run(number: int, root: Path) -> list[str]:
    """Run the cell of a question in the folder ``root``, and return the lines that it prints."""
    cell, _ = cells(PAGES[1])[number - 1]
    script = files.ensure_writable_dir(root / "output") / f"cell_{number}.py"
    script.write_text("\n".join(cell.lines) + "\n")
    return make_notes.run(script, root)


def write_pictures(output: Path, folder: Path) -> None:
    """Write the pictures that the cells drew to ``folder``, as lossless WebP."""
    for drawn in sorted(output.glob("question_*.png")):
        with files.atomic_write(folder / f"{drawn.stem}.webp") as temporary, Image.open(drawn) as image:
            image.convert("RGB").save(temporary, "webp", lossless=True)


def main() -> None:
    """Run all cells, or those of the questions that are named: ``make_questions.py 3 13``."""
    started = time.perf_counter()
    wanted = [int(number) for number in sys.argv[1:]] or range(1, len(cells(PAGES[1])) + 1)
    with ThreadPoolExecutor(2) as pool:
        for number, printed in zip(wanted, pool.map(lambda number: run(number, course.ROOT), wanted), strict=True):
            for page in PAGES:
                make_notes.replace(page, [cells(page)[number - 1][1]], [printed])
    write_pictures(course.ROOT / "output", PAGES[0].parent / "pictures")
    print(f"total {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
