"""Random weights, inputs and the comparison that the TF.js tests share."""

import keras
import numpy as np


def randomize(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give each weight values of its own, so that a dropped or permuted one shows."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        fan_in = np.prod(variable.shape[:-1])  # deep models must neither explode nor die
        values = random.normal(0, min(0.5, np.sqrt(2 / fan_in)), variable.shape)
        if variable.name.endswith("variance"):
            values = np.abs(values) + 0.3
        if variable.dtype == "float32":
            variable.assign(values.astype("float32"))
    return model


def inputs_of(model: keras.Model, count: int = 3, seed: int = 1, length: int = 6) -> list[np.ndarray]:
    """Random inputs; a size that is unknown becomes ``length``. One series starts with zeros, for masks."""
    random = np.random.default_rng(seed)
    arrays = []
    for x in model.inputs:
        shape = (x.shape[0] or count, *(size or length for size in x.shape[1:]))
        if "int" in x.dtype:
            arrays.append(random.integers(0, 5, shape).astype(x.dtype))
        else:
            array = random.normal(0, 1.5, shape).astype("float32")
            if len(shape) == 3 and shape[1] > 2:
                array[0, :2] = 0
            arrays.append(array)
    return arrays


def answers(model: keras.Model, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """What Keras says."""
    outputs = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    return [np.asarray(output) for output in keras.tree.flatten(outputs)]


def difference(expected: list[np.ndarray], received: list[np.ndarray]) -> float:
    """The largest difference, relative to the largest answer; infinite where shapes differ."""
    if [x.shape for x in expected] != [x.shape for x in received]:
        return float("inf")
    worst = [np.abs(x - y).max() / (np.abs(x).max() + 1e-30) for x, y in zip(expected, received, strict=True)]
    return float("inf") if np.isnan(worst).any() else float(max(worst))
