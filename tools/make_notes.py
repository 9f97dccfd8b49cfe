"""Run the lessons and the suggested changes, and write their output and pictures into the course: make notes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import course

from study_keras import files
from study_keras.startup import import_keras


def run(script: Path, root: Path) -> list[str]:
    """Run a script of the checkout ``root`` on JAX; return the lines it prints, and its error if it fails."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(root / "src")}
    started = time.perf_counter()
    result = subprocess.run([sys.executable, script], capture_output=True, check=False, env=environment, cwd=root)
    print(f"{script.name:20} {time.perf_counter() - started:5.1f} s", flush=True)
    return course.screen((result.stdout + result.stderr * bool(result.returncode)).decode(), root)


def try_out(root: Path) -> list[list[str]]:
    """Run the lessons with the changes that the course suggests, and return the output of each."""
    printed = []
    for number, (change, _) in enumerate(course.trials(course.PAGES[0]), start=1):
        script = files.ensure_writable_dir(root / "output") / f"try_{number}.py"
        script.write_text(course.apply_change(change, (root / "src/study_keras" / change.of).read_text()))
        printed.append(run(script, root))
    return printed


def write(page: Path, lessons: dict[str, list[str]], tried: list[list[str]]) -> None:
    """Replace the outputs in ``page`` with the printed lines."""
    outputs = [block for block in course.blocks(page) if block.language == "text" and block.of]
    tries = iter(tried)
    replace(page, outputs, [next(tries) if block.of == "changed" else lessons[block.of] for block in outputs])


def replace(page: Path, outputs: list[course.Block], printed: list[list[str]]) -> None:
    """Write what was printed into the blocks ``outputs`` of ``page``, which are in the order of the page."""
    lines = page.read_text().splitlines()
    for block, new in reversed(
        list(zip(outputs, printed, strict=True))
    ):  # from the end, so that line numbers stay valid
        lines[block.line - 1 : block.line - 1 + len(block.lines)] = course.update_output(block, new)
    files.write(page, "\n".join(lines) + "\n")


def main() -> None:
    """Run everything, or with ``--keep`` write the last output again, after a change of the text."""
    started = time.perf_counter()
    kept = files.output_dir() / "printed.json"
    if sys.argv[1:] != ["--keep"]:
        import_keras()
        from course_pictures import draw

        lessons = {lesson.name: run(lesson, course.ROOT) for lesson in course.LESSONS}
        draw(course.PAGES[0].parent / "pictures")
        kept.write_text(json.dumps([lessons, try_out(course.ROOT)]))
    lessons, tried = json.loads(kept.read_text())
    for page in course.PAGES:
        write(page, lessons, tried)
    print(f"total {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
