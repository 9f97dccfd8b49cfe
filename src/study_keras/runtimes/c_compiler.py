"""A C compiler: the system's, or that in the package ``ziglang``."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
FAST = ("-O3",)  # gcc 12 makes loops over many numbers at once of it, and not of -O2
SECONDS = 300


def find_compiler() -> list[str]:
    """Return the command that compiles C: ``cc``, or the clang of ``ziglang``.

    Raises:
        FileNotFoundError: the machine has neither.
    """
    if found := shutil.which("cc"):
        return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise FileNotFoundError("a C compiler is not installed; get it from your system, or: pip install 'hello-mnist[c]'")


def compile_c(sources: Sequence[Path], program: Path, options: Sequence[str] = FAST) -> None:
    """Compile C99 to a program, with all warnings as errors.

    Args:
        options: further ones for the compiler.

    Raises:
        ValueError: the compiler refuses the source; the message has its first error.
        FileNotFoundError: there is no compiler.
    """
    command = [*find_compiler(), *STRICT, *options, *map(str, sources), "-o", str(program), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{sources[0]}: the C compiler needs more than {SECONDS} seconds") from error
    if done.returncode:
        said = (
            [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["no reason"]
        )
        raise ValueError(f"{sources[0]}: the C compiler refuses it: {said[0][:300]}")
