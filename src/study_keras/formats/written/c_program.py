"""Assembles a C file and its header from the steps of a model."""

import math
import re
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from study_keras.formats.written import c_functions, c_text
from study_keras.formats.written.c_buffers import Places, place, shapes_of
from study_keras.formats.written.c_layers import Calls, add_step
from study_keras.formats.written.steps import Program, Shape, Step

MATH = r"\b(INFINITY|expf|expm1f|erff|fabsf|fmaxf|fminf|log1pf|lrintf|sqrtf|tanhf)\b"
C_TYPES = {"float32": "float"}  # of others <stdint.h> has NAME_t


class Parameter(NamedTuple):
    """An input or an output of the C function."""

    role: str  # input or output
    name: str  # in C
    given_name: str  # as the other formats for inference call it
    shape: Shape
    dtype: str

    @property
    def c_type(self) -> str:
        return c_type(self.dtype)


def c_type(dtype: str) -> str:
    return C_TYPES.get(dtype, f"{dtype}_t")


def to_c(
    program: Program,
    stem: str,
    stored: str = "float32",
    add: Callable[[Calls, Step], None] = add_step,
    sources: Callable[[set[str]], str] = c_functions.sources,
) -> tuple[str, str]:
    """Return the content of ``stem.c`` and of ``stem.h``.

    Args:
        program: the model.
        stem: of the file names.
        stored: the dtype of the values between the steps.
        add: adds the calls of a step.
        sources: returns the functions of these names.

    Raises:
        ValueError: names the layer or input that C is not written for.
    """
    inputs, outputs = _parameters(program)
    places = place(program, [item.name for item in inputs], [item.name for item in outputs])
    calls = Calls(places.of, {item.name: given.dtype for item, given in zip(program.inputs, inputs, strict=True)})
    body = list[str]()
    for step in program.steps:
        calls.lines.clear()
        add(calls, step)
        given = ", ".join(map(str, step.input_shapes))
        kind = step.options["function"] if step.kind == "Activation" else step.kind
        body += ["", f"/* {_comment(step.layer)}: {kind}, {given} -> {step.shape} */"]
        body += calls.lines
    outputs = [_typed(item, calls.dtypes[name]) for item, name in zip(outputs, program.outputs, strict=True)]
    for (name, given, size), item in zip(places.copies, _copied(places, outputs), strict=True):
        body.append(f"memcpy({name}, {given}, {size} * sizeof({item.c_type}));")
    name, parameters = c_text.identifier(stem), [*inputs, *outputs]
    functions, arrays = sources(calls.functions), "\n".join(_arrays(calls))
    text = "\n".join(f"    {line}".rstrip() for line in [*_unused(inputs, body), *body]).strip("\n")
    signature = _signature(name, parameters)
    content = f"{functions}\n{arrays}\n{_buffers(places, stored)}\n{signature}\n{{\n{text}\n}}\n"
    version = f"0x{zlib.crc32(f'{parameters}{content}'.encode()):08x}"
    weights = sum(array.nbytes for array in calls.arrays.values())
    buffers = np.dtype(stored).itemsize * sum(places.lengths)
    header = _header(name, program, parameters, version, (weights, buffers, stored))
    return _top(name, stem, program, version, content) + content, header


def _parameters(program: Program) -> tuple[list[Parameter], list[Parameter]]:
    shapes = shapes_of(program)
    inputs, outputs = list[Parameter](), list[Parameter]()
    for item in program.inputs:
        name = "input" if len(program.inputs) == 1 else f"input_{item.name}"
        dtype = "float32" if "float" in item.dtype else item.dtype
        if not re.fullmatch("float32|u?int(8|16|32|64)", dtype):
            raise ValueError(f"the input {item.given_name!r} is {dtype}; written C takes float32 and integers")
        inputs.append(Parameter("input", name, item.given_name, item.shape, dtype))
    for number, (value, given) in enumerate(zip(program.outputs, program.output_names, strict=True)):
        name = "output" if len(program.outputs) == 1 else f"output_{number}_{c_text.identifier(given)}"
        outputs.append(Parameter("output", name, given, shapes[value], "float32"))
    return inputs, outputs


def _typed(item: Parameter, dtype: str) -> Parameter:
    return item._replace(dtype="float32" if "float" in dtype else dtype)


def _copied(places: Places, outputs: Sequence[Parameter]) -> list[Parameter]:
    by_name = {item.name: item for item in outputs}
    return [by_name[name] for name, _, _ in places.copies]


def _comment(text: str) -> str:
    """Return a name from outside as it may stand in a comment."""
    return re.sub(r"[^A-Za-z0-9_ .,:/-]", "_", text).replace("*/", "_").replace("//", "_")


def _arrays(calls: Calls) -> list[str]:
    return [
        f"static const {c_type(array.dtype.name)} {name}[{array.size}] = {{ /* {array.shape} */\n"
        f"{c_text.lines_of(c_text.literals(array))}\n}};"
        for name, array in calls.arrays.items()
    ]


def _buffers(places: Places, stored: str) -> str:
    return "".join(
        f"static {c_type(stored)} buffer_{number}[{length}];\n" for number, length in enumerate(places.lengths)
    )


def _unused(inputs: Sequence[Parameter], body: Sequence[str]) -> list[str]:
    used = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", "\n".join(body))))
    return [f"(void){item.name};" for item in inputs if item.name not in used]


def _signature(name: str, parameters: Sequence[Parameter]) -> str:
    taken = [f"{'const ' * (item.role == 'input')}{item.c_type} *{item.name}" for item in parameters]
    return f"void {name}_predict({', '.join(taken)})"


def _top(name: str, stem: str, program: Program, version: str, content: str) -> str:
    needed = sorted(set(re.findall(MATH, content)) - {"INFINITY"})
    includes = [f'#include "{stem}.h"']
    includes += ["#include <math.h>"] if re.search(MATH, content) else []
    includes += ["#include <stddef.h>"] if re.search(r"\bNULL\b|\bsize_t\b", content) else []
    includes += ["#include <stdint.h>"] if re.search(r"\b(u?int\d+_t)\b", content) else []
    includes += ["#include <string.h>"] if "memcpy(" in content else []
    library = f"of the C library it needs {', '.join(needed)}" if needed else "it needs no function of math.h"
    return f"""/* The Keras model {_comment(program.name)!r} as C99, {c_text.MARK}; {library}. */
{chr(10).join(includes)}

#if {name.upper()}_EXPORT != {version}
#error "the header is of another export than this file"
#endif
"""


def _header(
    name: str, program: Program, parameters: Sequence[Parameter], version: str, memory: tuple[int, int, str]
) -> str:
    upper, (weights, buffers, stored) = name.upper(), memory
    sizes = [
        f"#define {upper}_{item.name.upper()}_SIZE {math.prod(item.shape)} "
        f"/* {item.role} {item.given_name}: {item.dtype} {item.shape} */"
        for item in parameters
    ]
    integers = any(item.dtype != "float32" for item in parameters)
    body = f"""#define {upper}_EXPORT {version}

/* How many numbers each pointer leads to, and their shape; channels are last. */
{chr(10).join(sizes)}

/* Computes the outputs for one example. Inputs and outputs must not overlap. Its static buffers take
 * {buffers:,} bytes of RAM, so that it may run only once at a time; its weights take {weights:,} bytes.
 * Numbers are stored as {stored}. Compile it with -O3 for speed, with -Os for few bytes. */
{_signature(name, parameters)};"""
    included = "#include <stdint.h>\n\n" if integers else ""
    guarded = c_text.header(f"{upper}_H", included + body)
    return f"/* The Keras model {_comment(program.name)!r} as C99, {c_text.MARK}. */\n{guarded}"
