"""Batch normalization folded into the layer before it: for inference both are one multiplication and one addition."""

from dataclasses import replace
from typing import Any

import numpy as np

from study_keras.formats.written.steps import Program, Step

WEIGHTED = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D")


def scale_and_shift(step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Return what a step BatchNormalization multiplies each channel by and then adds, float64."""
    gamma, beta, mean, variance = (
        step.weights[name].astype("float64") for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + step.options["epsilon"])
    return scale, beta - mean * scale


def fold_batch_normalization(program: Program) -> Program:
    """Return the program without each batch normalization that only one layer with weights of its own leads to."""
    made = {step.name: step for step in program.steps}
    taken = [name for step in program.steps for name in step.inputs] + list(program.outputs)
    owners = [step.owner for step in program.steps]
    folded: dict[str, Step] = {}  # by the name of the layer before
    renamed: dict[str, str] = {}
    for step in program.steps:
        before = made.get(step.inputs[0])
        alone = before and before.kind in WEIGHTED and owners.count(before.owner) == 1
        if step.kind == "BatchNormalization" and before and alone and taken.count(before.name) == 1:
            folded[before.name] = _folded(before, step)
            renamed[step.name] = before.name

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(renamed.get(name, name) for name in names)

    kept = [folded.get(step.name, step) for step in program.steps if step.name not in renamed]
    steps = tuple(replace(step, inputs=named(step.inputs)) for step in kept)
    return replace(program, steps=steps, outputs=named(program.outputs))


def _folded(step: Step, normalization: Step) -> Step:
    scale, shift = scale_and_shift(normalization)
    kernel = step.weights["kernel"]
    by_filter = scale.reshape(kernel.shape[-2:]) if step.kind == "DepthwiseConv2D" else scale
    bias: Any = step.weights.get("bias", 0)
    weights = {"kernel": (kernel * by_filter).astype("float32"), "bias": (bias * scale + shift).astype("float32")}
    return replace(step, weights=weights, layer=f"{step.layer} with {normalization.layer}")
