"""A model as ``NAME_numpy.py``, a function of arrays that NumPy and JAX run, and its weights ``NAME_numpy.npz``."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from study_keras.formats import inference
from study_keras.formats.proof.prove import Proof, prove, report_proof
from study_keras.formats.written.model_steps import program_of
from study_keras.formats.written.numpy_functions import FUNCTIONS, functions_of
from study_keras.formats.written.numpy_lines import expression
from study_keras.formats.written.pair import write_pair
from study_keras.formats.written.steps import Program
from study_keras.formats.written.text import answers, describe, heading, shown, sizes
from study_keras.runtimes import jax_program

SUFFIX = "_numpy.py"
_RESERVED = {*FUNCTIONS, "numpy", "itertools", "load_weights", "path", "file"}


def export_numpy(model: keras.Model, path: str | Path, *, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` as a Python program of its own layers, which needs only NumPy.

    Two files: the program ``NAME_numpy.py``, and ``NAME_numpy.npz`` beside it, its weights by name in Keras' layouts
    (``conv2d.kernel``). ``predict(weights, x)`` is a pure function from arrays to an array, or to a tuple of them;
    ``predict(weights, x, np=jax.numpy)`` runs it in JAX, also within ``jax.jit`` and ``jax.grad``. The name ends in
    ``_numpy.py``, since Python imports no ``NAME.numpy.py``, and since the same model as ``NAME_torch.py`` may lie
    beside it. Models in half precision are written as float32.

    Args:
        path: ends in ``_numpy.py``.
        prove: whether the program is run in NumPy and in JAX, and compared with Keras, before it gets its name; a
            function is called with the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, has a layer or option that is not written (the message names it) or an
            open size; the path does not end in ``_numpy.py``; or the program's outputs differ from Keras'.
        OSError: a file cannot be written. What was there is unchanged.
    """
    check_target(model, Path(path), SUFFIX)
    program = program_of(model, _RESERVED)
    arrays = {f"{step.owner}.{name}": array for step in program.steps for name, array in step.weights.items()}
    with write_pair(path, ".npz") as (source, weights):
        source.write_text(_text(program), encoding="utf-8")
        np.savez(weights, allow_pickle=False, **arrays)
        if prove:
            report_proof(prove, _proof(model, source, _text(program)))
    return Path(path)


def check_target(model: keras.Model, path: Path, suffix: str) -> None:
    """Refuse what ``inference.check_model`` refuses, and a name that does not end in ``suffix``."""
    if not path.name.endswith(suffix) or path.name == suffix:
        raise ValueError(f"{path}: expected a name that ends in {suffix}, such as digits{suffix}")
    inference.check_model(model, path, ".py")


def numpy_text(model: keras.Model) -> str:
    """Return the program alone, which is the same for the same layers.

    Raises:
        ValueError: as ``export_numpy``.
    """
    return _text(program_of(model, _RESERVED))


def _proof(model: keras.Model, source: Path, text: str) -> Proof:
    """Run the program in NumPy, then in JAX, and return what was seen as one proof."""
    numpy_proof = prove(model, source)
    jax_proof = prove(model, source, opened=jax_program.open(source, text))
    difference = max(numpy_proof.difference, jax_proof.difference)
    return Proof("NumPy and JAX", numpy_proof.examples, difference)


def _text(program: Program) -> str:
    body = _body(program)
    functions = functions_of(body)
    imports = ["import itertools"] if any("itertools." in text for text in functions) else []
    return "\n".join(
        [
            f'"""The model {shown(program.name)} for NumPy and JAX, written from Keras layer by layer.',
            "",
            "    weights = load_weights()",
            f"    answer = predict(weights, {', '.join(item.name for item in program.inputs)})",
            "",
            "In JAX: predict(weights, ..., np=jax.numpy), also within jax.jit and jax.grad.",
            '"""',
            "",
            *imports,
            "from pathlib import Path",
            "",
            "import numpy",
            "",
            "",
            'def load_weights(path=Path(__file__).with_suffix(".npz")):',
            '    """Return the weights by name: those in the file beside this one."""',
            "    with numpy.load(path) as file:",
            "        return dict(file)",
            "",
            "",
            body,
            *(f"\n\n{text}" for text in functions),
            "",
        ]
    )


def _body(program: Program) -> str:
    lines = [
        f"def predict(weights, {', '.join(item.name for item in program.inputs)}, np=numpy):",
        f'    """Return {", ".join(answers(program))}.',
        "",
        "    Args:",
        "        weights: arrays by name, as load_weights returns them.",
        *(f"        {describe(item)}." for item in program.inputs),
        "        np: numpy, or jax.numpy.",
        '    """',
    ]
    for item in program.inputs:
        dtype = ', dtype="float32"' if "float" in item.dtype else ""
        lines.append(f"    {item.name} = np.asarray({item.name}{dtype})")
    layer = None
    for step in program.steps:
        if step.layer != layer:
            lines += ["", f"    {heading(step)}"]
        layer = step.layer
        lines.append(f"    {step.name} = {expression(step)}  # {sizes(step.shape)}")
    return "\n".join([*lines, "", f"    return {', '.join(program.outputs)}"])
