"""Pieces of source: numbers, and names from outside made harmless in comments."""

import math
import re
from typing import Any

from study_keras.formats.written.steps import Program, Shape, Step, Value


def shown(name: str) -> str:
    """Return a name from a model for a comment: one that cannot end it, whatever the model's file says."""
    return re.sub(r"[^A-Za-z0-9_./ -]", "_", name)[:100]


def literal(value: Any) -> str:
    """Return a plain value as Python.

    Raises:
        ValueError: it is none: nothing else may get into source.
    """
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise ValueError(f"received {value!r:.100}; expected a number")


def call(function: str, *arguments: str, **options: Any) -> str:
    """Return a call of ``function``; each option as a literal."""
    given = [*arguments, *(f"{name}={literal(value)}" for name, value in options.items())]
    return f"{function}({', '.join(given)})"


def sizes(shape: Shape) -> str:
    """Return a shape with the batch, for a comment."""
    return f"({', '.join(['batch', *map(str, shape)])})"


def heading(step: Step) -> str:
    """Return the comment above the lines of a layer."""
    return f"# {shown(step.layer)}: {step.kind}"


def describe(value: Value) -> str:
    return f"{value.name}: {sizes(value.shape)} {value.dtype}"


def answers(program: Program) -> list[str]:
    """Return a line for each output: its name and shape."""
    shapes = {item.name: item.shape for item in program.inputs} | {step.name: step.shape for step in program.steps}
    return [f"{name}: {sizes(shapes[name])}" for name in program.outputs]
