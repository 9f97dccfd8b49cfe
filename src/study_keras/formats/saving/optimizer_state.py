"""Restoring the optimizer state of a model, to continue its training."""

from collections.abc import Sequence

import keras
import numpy as np

from study_keras.formats.saving import weights


def has_rate(optimizer: keras.Optimizer) -> bool:
    """Return whether the optimizer's second variable is the learning rate; with a schedule it is not."""
    return len(optimizer.variables) > 1 and optimizer.variables[1].name == "learning_rate"


def restore_optimizer(model: keras.Model, state: Sequence[np.ndarray]) -> bool:
    """Load ``state`` into the model's optimizer if it fits, and return whether it did.

    The state of Keras 2 is the same without the learning rate.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not state:
        return False
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    variables = optimizer.variables
    if len(state) == len(variables) - 1 and has_rate(optimizer):
        state = [state[0], weights.numpy(variables[1]), *state[1:]]
    if [tuple(variable.shape) for variable in variables] != [np.shape(value) for value in state]:
        return False
    arrays = [weights.as_stored(np.asarray(value), variable) for variable, value in zip(variables, state, strict=True)]
    if not all(map(weights.are_numbers, arrays, variables)):
        return False
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return True
