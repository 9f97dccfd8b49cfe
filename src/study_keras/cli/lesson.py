"""The command ``lesson``."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from study_keras import files, quiz
from study_keras.cli.shared import say

PACKAGE = Path(__file__).resolve().parents[1]
LANGUAGES = {"en": ".en.ipynb", "zh": ".ipynb"}  # the suffixes of the notebooks


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--notebook", is_flag=True, help="Copy the notebook, which also has the text of the course.")
@click.option(
    "--language",
    type=click.Choice(tuple(LANGUAGES)),
    help="Language of the titles and of the notebook.  [default: the system's if it is one of these, else en]",
)
@click.option("--force", is_flag=True, help="Overwrite a copy that was changed.")
def lesson(number: int | None, notebook: bool, language: str | None, force: bool) -> None:
    """List the lessons of the course, or copy one to here.

    The script of lesson NUMBER, or its notebook, is copied into the current folder. A file that is there and differs is
    kept.

    Example: hello-mnist lesson 3 --notebook
    """
    suffix = LANGUAGES[language or quiz.system_language()]
    scripts = sorted(PACKAGE.glob("hello_mnist*.py"))
    if number is None:
        for script in scripts:
            name = (_notebook(script, suffix) if notebook else script).name
            say(f"{name:22} {_title(_notebook(script, suffix))}")
        return say("Copy one to here with: hello-mnist lesson 0")
    if not 0 <= number < len(scripts):
        raise click.BadParameter(f"received {number}, expected 0 to {len(scripts) - 1}", param_hint="NUMBER")
    script = scripts[number]
    source = _notebook(script, suffix) if notebook else script
    copy = _copy(source, Path.cwd() / source.name, force)
    say(f"{copy.name}  {_title(_notebook(script, suffix))}")
    return say(_how_to_run(copy.name))


def _notebook(script: Path, suffix: str) -> Path:
    return PACKAGE / "notebooks" / f"{script.stem}{suffix}"


def _title(notebook: Path) -> str:
    return str(json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["title"])


def _copy(source: Path, target: Path, force: bool) -> Path:
    """Copy a file, unless it is there already, and return its path.

    Raises:
        ValueError: the target differs, and ``force`` is not set.
    """
    content = source.read_bytes()
    if os.path.lexists(target):
        if target.is_file() and target.read_bytes() == content:
            return target
        if not (target.is_file() and force):
            what = "differs from the lesson; rename it, or overwrite it with --force"
            raise ValueError(f"{target.name}: {what if target.is_file() else 'is not a file; rename it'}")
    return files.write(target, content)


def _how_to_run(name: str) -> str:
    """Say how to run the copy with the Python that runs this command."""
    python = sys.executable  # not resolved: in a virtual environment it is a link to a Python without the library
    if shutil.which("python") == python:
        python = "python"
    if name.endswith(".py"):
        return f"Run it with: {shlex.quote(python)} {name}"
    return f"Open it in JupyterLab, VS Code or another notebook editor; its kernel may be {shlex.quote(python)}"
