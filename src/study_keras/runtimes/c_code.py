"""A model that was written as C: compiled, and run in a process of its own."""

import math
import re
import signal
import subprocess
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from study_keras import files, limits
from study_keras.runtimes import c_compiler
from study_keras.runtimes.program import check_code
from study_keras.runtimes.runner import Answer, Arrays, Runner, TensorSpec

_SIZE = re.compile(r"#define \w+_SIZE \d+ /\* (input|output) ([\w.]+): (float32|u?int(?:8|16|32|64)) \(([\d, ]*)\) \*/")


class Described(NamedTuple):
    """What the header of a written C file tells; inputs and outputs are without the batch."""

    function: str
    stored: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


def open(  # noqa: A001
    path: str | Path, own: Callable[[Path], tuple[str, str]] | None = None, options: Sequence[str] = c_compiler.FAST
) -> Runner:
    """Compile a ``.c`` file that ``export_c`` wrote, with the header beside it.

    A program can do anything. This one runs if it is, byte for byte, what this version writes, whoever sent the file;
    anything else only within ``program.allow_code``.

    Args:
        path: of the ``.c`` file.
        own: returns the content of the two files as this version writes them; None where the model is not known.
        options: further ones for the compiler.

    Raises:
        ValueError: it is outside of ``program.allow_code``, a file is missing, or the compiler refuses it.
        FileNotFoundError: there is no C compiler.
    """
    path = Path(path)
    source, header = (_read(file) for file in (path, path.with_suffix(".h")))
    if own is None or (source, header) != tuple(text.encode() for text in own(path)):
        check_code(path, known=own is not None)
    described = _described(path.with_suffix(".h"), header.decode("ascii", "replace"))
    with ExitStack() as stack:
        folder = stack.enter_context(files.temporary_folder())
        main, program = folder / "run" / "main.c", folder / "run" / "program"
        main.parent.mkdir()
        main.write_text(_main(described))
        # What was compared is what is compiled.
        copy = folder / path.name
        copy.write_bytes(source)
        copy.with_suffix(".h").write_bytes(header)
        c_compiler.compile_c([copy, main], program, options)
        kept = stack.pop_all()

    def call_timed(arrays: Arrays, _: int) -> Answer:
        return _run(program, described, arrays)

    weakref.finalize(call_timed, kept.close)
    return Runner(
        "C",
        path,
        lambda arrays: call_timed(arrays, 0).outputs,
        list(map(_batched, described.inputs)),
        list(map(_batched, described.outputs)),
        described.stored,
        call_timed=call_timed,
    )


def _batched(spec: TensorSpec) -> TensorSpec:
    return spec._replace(shape=(None, *(spec.shape or ())))


def _size(spec: TensorSpec) -> int:
    return math.prod(size or 0 for size in spec.shape or ())


@limits.reader
def _read(path: Path) -> bytes:
    try:
        return limits.read_bytes(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}; expected NAME.c and NAME.h") from error


def _described(path: Path, text: str) -> Described:
    """Return what a header tells that was written here.

    Raises:
        ValueError: it does not tell.
    """
    function = re.search(r"^void (\w+)\(", text, re.MULTILINE)
    found = _SIZE.findall(text)
    roles: list[list[TensorSpec]] = [
        [
            TensorSpec(name, tuple(map(int, re.findall(r"\d+", shape))), dtype)
            for kind, name, dtype, shape in found
            if kind == role
        ]
        for role in ("input", "output")
    ]
    if not function or not all(roles):
        raise ValueError(
            f"{path}: does not tell inputs and outputs; expected a header that convert wrote beside its .c"
        )
    stored = re.search(r"stored as (\w+)", text)
    return Described(function[1], "int8" if stored and stored[1] == "int8" else "float32", *roles)


def _main(described: Described) -> str:
    """Return a program that reads examples, writes their outputs, and then the seconds that the function took."""
    names = {"input": described.inputs, "output": described.outputs}
    arrays, places, types = list[str](), dict[str, list[str]](), list[str]()
    for role, specs in names.items():
        places[role] = [f"{role}_{number}" for number in range(len(specs))]
        for place, spec in zip(places[role], specs, strict=True):
            dtype = "float" if spec.dtype == "float32" else f"{spec.dtype}_t"
            arrays.append(f"static {dtype} {place}[{_size(spec)}];")
            types.append(f"{'const ' * (role == 'input')}{dtype} *")
    reads = " && ".join(f"fread({place}, sizeof {place}, 1, stdin) == 1" for place in places["input"])
    writes = "\n        ".join(f"fwrite({place}, sizeof {place}, 1, stdout);" for place in places["output"])
    return f"""#include <stdint.h>
#include <stdio.h>
#include <time.h>

void {described.function}({", ".join(types)});
{chr(10).join(arrays)}

int main(void)
{{
    double seconds = 0;
    while ({reads}) {{
        const clock_t started = clock();
        {described.function}({", ".join(places["input"] + places["output"])});
        seconds += (double)(clock() - started) / CLOCKS_PER_SEC;
        {writes}
    }}
    fwrite(&seconds, sizeof seconds, 1, stdout);
    return 0;
}}
"""


def _run(program: Path, described: Described, arrays: Arrays) -> Answer:
    """Run the program on examples.

    Raises:
        ValueError: it fails, or the arrays are not what it takes.
    """
    count = len(arrays[0])
    taken = [spec.shape for spec in described.inputs]
    if [array.shape[1:] for array in arrays] != taken:
        raise ValueError(f"received inputs of {[array.shape for array in arrays]}; expected examples of {taken}")
    rows = [_bytes(np.asarray(array, spec.dtype)) for array, spec in zip(arrays, described.inputs, strict=True)]
    done = subprocess.run([program], input=np.concatenate(rows, axis=1).tobytes(), capture_output=True, check=False)
    sizes = [_size(spec) * np.dtype(spec.dtype).itemsize for spec in described.outputs]
    if done.returncode or len(done.stdout) != count * sum(sizes) + 8:
        raise ValueError(f"the program {_reason(done)}")
    answers = np.frombuffer(done.stdout[:-8], np.uint8).reshape(count, sum(sizes))
    parts = np.split(answers, np.cumsum(sizes)[:-1], axis=1)
    outputs = [
        np.ascontiguousarray(part).view(spec.dtype).reshape(count, *(spec.shape or ()))
        for part, spec in zip(parts, described.outputs, strict=True)
    ]
    return Answer(outputs, float(np.frombuffer(done.stdout[-8:], "float64")[0]))


def _bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(len(array), -1).view(np.uint8)


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if said:
        return f"failed: {said[0][:300]}"
    if done.returncode < 0:
        return f"crashed ({signal.Signals(-done.returncode).name})"
    return f"gave {len(done.stdout)} bytes and the code {done.returncode}"
