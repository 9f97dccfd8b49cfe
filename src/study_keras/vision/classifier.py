"""A trained network from any file, ready to answer, in the lightest runtime that can run it.

The shipped network and every ``.tflite`` run in LiteRT alone: TensorFlow, JAX and Keras are not imported.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.startup import import_keras, silent

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (n, 28, 28) in [0, 1] -> (n, classes) probabilities

SHIPPED = Path(__file__).parents[1] / "shipped" / "digits.tflite"
# Four images without meaning, the same as in model.js.
PROBES = (np.outer(np.arange(1, 5), np.arange(784)) * 37 % 101 / 100).reshape(4, 28, 28).astype(np.float32)
SHAPES = ((28, 28), (28, 28, 1), (784,))  # what a network may take for one image


def load_network(path: str | Path | None = None) -> Network:
    """Return the network at ``path`` as a function from images to probabilities.

    It keeps buffers of its own and so serves one thread at a time: load one for each thread.

    Args:
        path: ``.tflite`` (runs in LiteRT), ``.onnx`` (in onnxruntime), or a whole model that ``formats.load``
            reads (in Keras, which is imported then); None for the network that is shipped with this package.

    Returns:
        A function from ``(n, 28, 28)`` float32 in [0, 1], white ink on black, to ``(n, classes)`` float32: of a
        network that ends before its softmax, after one. What it answers to ``PROBES`` decides.

    Raises:
        ValueError: the file is missing or broken, holds no whole model, or takes or gives something else than an
            image of 28 x 28 and one row of numbers.
    """
    path = SHIPPED if path is None else Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected a model, such as .tflite, .onnx or .keras")
    if path.suffix == ".tflite":
        return _litert(path)
    if path.suffix == ".onnx":
        return _onnx(path)
    return _keras(path)


def _litert(path: Path) -> Network:
    from ai_edge_litert.interpreter import Interpreter

    try:
        content = path.read_bytes()
        with silent(2):  # it announces there how it multiplies
            interpreter = Interpreter(model_content=content)
            interpreter.allocate_tensors()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: LiteRT cannot run it: {_first_line(error)}") from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"{path}: {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
    source, target = inputs[0], outputs[0]
    batch, *shape = (int(side) for side in source["shape_signature"])
    _check_shape(path, shape, [int(side) for side in target["shape_signature"]][1:])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        values = _quantized(images, source)
        if tuple(interpreter.get_input_details()[0]["shape"]) != values.shape:
            interpreter.resize_tensor_input(source["index"], values.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        return _dequantized(interpreter.get_tensor(target["index"]), target)

    return _network(run, shape, batch if batch > 0 else None)


def _onnx(path: Path) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, straight from Exception
        raise ValueError(f"{path}: onnxruntime cannot run it: {_first_line(error)}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"{path}: {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
    batch, *shape = inputs[0].shape
    _check_shape(path, shape, outputs[0].shape[1:])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return session.run(None, {inputs[0].name: images})[0]

    return _network(run, shape, batch if isinstance(batch, int) else None)


def _keras(path: Path) -> Network:
    keras = import_keras()
    from study_keras import formats

    kind = formats.kind(path)
    held = formats.KEEPS[kind]
    if held != ("inference",) and not {"structure", "weights"} <= set(held):
        raise ValueError(f"{path}: holds {' and '.join(held)} alone; expected a whole model, such as .keras or .tflite")
    # A SavedModel of Keras 2 runs as it is, whatever layers it was made of.
    model = formats.load_saved_model(path) if kind == "keras2_saved_model" else formats.load(path)
    if not isinstance(model.input_shape, tuple) or not isinstance(model.output_shape, tuple):
        raise ValueError(f"{path}: several inputs or outputs; expected one of each")
    batch, *shape = model.input_shape
    _check_shape(path, shape, model.output_shape[1:])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        if isinstance(model, keras.Model):
            return keras.ops.convert_to_numpy(model(images, training=False))
        return np.asarray(model(images))

    return _network(run, shape, batch)


def _check_shape(path: Path, taken: Any, given: Any) -> None:
    if tuple(taken) not in SHAPES:
        raise ValueError(
            f"{path}: takes images of {tuple(taken)}; expected {', '.join(map(str, SHAPES))}: a network for MNIST"
        )
    if len(given) != 1:
        raise ValueError(f"{path}: gives {tuple(given)} for one image; expected one row, a probability for each class")


def _network(run: Network, shape: Any, batch: int | None) -> Network:
    """Wrap ``run``, which takes ``batch`` images of ``shape`` at once, None for any number."""

    def answers(images: NDArray[np.float32]) -> NDArray[np.float32]:
        values = np.ascontiguousarray(images, np.float32).reshape(-1, *shape)
        if batch is None:
            return np.asarray(run(values), np.float32)
        padded = np.concatenate([values, np.zeros((-len(values) % batch, *shape), np.float32)])
        parts = [run(padded[start : start + batch]) for start in range(0, len(padded), batch)]
        return np.concatenate(parts)[: len(values)].astype(np.float32)

    done = are_probabilities(answers(PROBES))

    def network(images: NDArray[np.float32]) -> NDArray[np.float32]:
        if images.ndim != 3 or images.shape[1:] != (28, 28):
            raise ValueError(f"images of shape {images.shape}; expected (n, 28, 28)")
        outputs = answers(images)
        return outputs if done else softmax(outputs)

    return network


def are_probabilities(outputs: NDArray[np.floating]) -> bool:
    """Tell whether each row of ``(n, classes)`` numbers is that of a softmax: none negative, with the sum 1.

    Bytes round each to 1/256, so a sum may be off by a few of them.
    """
    return bool(np.all(outputs >= 0) and np.all(np.abs(outputs.sum(axis=1) - 1) < 0.03))


def softmax(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(n, classes)`` probabilities of as many logits."""
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _quantized(values: NDArray[np.float32], tensor: dict[str, Any]) -> NDArray[Any]:
    step, zero = tensor["quantization"]
    if not step:
        return values.astype(tensor["dtype"])
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.round(values / step) + zero, limits.min, limits.max).astype(tensor["dtype"])


def _dequantized(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    step, zero = tensor["quantization"]
    return (values.astype(np.float32) - zero) * step if step else values.astype(np.float32)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
