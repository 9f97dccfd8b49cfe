"""Where each value of a written C program is: what the caller gives, or a buffer that several values use in turn."""

import math
from dataclasses import dataclass, field

from study_keras.formats.written.steps import Program, Shape, Step

SAME_VALUE = ("Flatten", "Reshape")  # the numbers stay where they are
IN_PLACE = {"Activation", "BatchNormalization", "LayerNormalization", "Rescaling"}
IN_PLACE |= {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}


@dataclass
class Places:
    """The C expression of each value, the length of each buffer in floats, and the outputs to copy at the end."""

    of: dict[str, str]
    lengths: list[int] = field(default_factory=list)
    copies: list[tuple[str, str, int]] = field(default_factory=list)  # to, from, length


def place(program: Program, inputs: list[str], outputs: list[str]) -> Places:
    """Return where each value is, with as few floats in buffers as it takes to reuse them in turn.

    Args:
        inputs, outputs: the names of the C function's parameters.
    """
    root = {item.name: item.name for item in program.inputs}
    for step in program.steps:
        root[step.name] = root[step.inputs[0]] if step.kind in SAME_VALUE else step.name
    last = {root[name]: number for number, step in enumerate(program.steps) for name in step.inputs}
    places = Places({item.name: name for item, name in zip(program.inputs, inputs, strict=True)})
    shapes = shapes_of(program)
    for value, name in zip(program.outputs, outputs, strict=True):
        if root[value] in places.of:
            places.copies.append((name, places.of[root[value]], math.prod(shapes[value])))
        else:
            places.of[root[value]] = name
    free, slots = set[int](), dict[str, int]()
    for number, step in enumerate(program.steps):
        if root[step.name] != step.name:
            places.of[step.name] = places.of[root[step.name]]
            continue
        ending = {root[name] for name in step.inputs if last[root[name]] == number}
        first = root[step.inputs[0]]
        if step.name not in places.of:
            if first in ending & slots.keys() and _in_place(step, [root[name] for name in step.inputs]):
                slots[step.name] = slots.pop(first)
            else:
                slots[step.name] = _slot(places.lengths, free, math.prod(step.shape))
            places.of[step.name] = f"buffer_{slots[step.name]}"
        free |= {slots.pop(name) for name in ending if name in slots}
        if step.name in slots and step.name not in last:  # nobody reads it
            free.add(slots.pop(step.name))
    return places


def shapes_of(program: Program) -> dict[str, Shape]:
    """Return the shape of each value, without the batch."""
    return {item.name: item.shape for item in program.inputs} | {step.name: step.shape for step in program.steps}


def _in_place(step: Step, roots: list[str]) -> bool:
    """Tell whether a step may write where its first input is."""
    whole = all(shape == step.shape for shape in step.input_shapes)
    return step.kind in IN_PLACE and whole and roots.count(roots[0]) == 1


def _slot(lengths: list[int], free: set[int], length: int) -> int:
    """Return a free buffer for so many floats: the smallest that is long enough, otherwise the longest, made longer."""
    fitting = [number for number in free if lengths[number] >= length]
    if fitting:
        chosen = min(fitting, key=lambda number: lengths[number])
    elif free:
        chosen = max(free, key=lambda number: lengths[number])
        lengths[chosen] = length
    else:
        chosen = len(lengths)
        lengths.append(length)
    free.discard(chosen)
    return chosen
