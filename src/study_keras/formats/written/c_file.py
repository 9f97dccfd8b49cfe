"""Plain C: a model as one readable file of C99 without a library, for anything that has a C compiler."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats import inference
from study_keras.formats.export.litert_file import checked_options, export_litert
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.formats.tfjs.weights import check_finite
from study_keras.formats.written import c_int8, c_int8_functions, c_text
from study_keras.formats.written.c_program import to_c
from study_keras.formats.written.fold import fold_batch_normalization
from study_keras.formats.written.int8_program import program_of_litert
from study_keras.formats.written.model_steps import program_of
from study_keras.runtimes.program import allow_code


def export_c(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    images: Any = None,
    *,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` for inference as C99: ``NAME.c``, and its header ``NAME.h`` beside it.

    The function ``NAME_predict`` takes a pointer for each input and each output, of one example, whose numbers lie as
    Keras has them, channels last. It allocates nothing: weights are constants, and layers share static buffers, so it
    runs once at a time. Batch normalization is folded into the layer before it. ``math.h`` is included only where a
    layer needs ``expf`` or the like. In ``NAME_predict`` everything but ASCII letters, digits and ``_`` becomes ``_``,
    and what C reserves gets ``model_`` before it: ``2-digits.c`` has ``model_2_digits_predict``.

    Args:
        path: ends in ``.c``.
        quantize, images: None, or ``"int8"`` with its typical inputs, as ``export_litert``: the numbers of that LiteRT
            file, its arithmetic in integers, and the same rounding. Inputs and outputs are float32.
        prove: whether the file is compiled, run and compared with Keras before it gets its name, where the machine has
            a C compiler; a function is called with the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built; C is not written for a layer, an option or an input of it; a weight is
            not finite; the path does not end in ``.c``, or is in use by source that was not written here; or the
            program's outputs differ from Keras'.
        OSError: the files cannot be written. Files that were there are unchanged.
    """
    path = Path(path)
    inference.check_model(model, path, ".c")
    c_text.check_free(path, path.with_suffix(".h"))
    check_finite(model)
    if quantize not in (None, "int8"):
        raise ValueError(f"quantize={quantize!r}; expected None or int8")
    arrays = checked_options(model, quantize, images, 1)
    source, header = c_source(model)(path) if quantize is None else _int8_text(model, path, images)
    with files.atomic_files(path, path.with_suffix(".h")) as (source_file, header_file):
        source_file.write_text(source)
        header_file.write_text(header)
        with allow_code():  # it was written here, just now
            prove_export(prove, model, source_file, quantize or "float32", arrays)
    return path


def c_source(model: keras.Model) -> Callable[[Path], tuple[str, str]]:
    """Return a function of a path, to the content of the ``.c`` file there and of its header, in float32."""
    program = fold_batch_normalization(program_of(model))
    return lambda path: to_c(program, path.stem)


def _int8_text(model: keras.Model, path: Path, images: Any) -> tuple[str, str]:
    with files.temporary_folder() as folder:
        flat = export_litert(model, folder / "model.tflite", "int8", images, batch=1, names=True, prove=False)
        names = inference.input_names(model), inference.output_names(model)
        program = program_of_litert(flat, model.name, *names)
    return to_c(program, path.stem, "int8", c_int8.add_int8_step, c_int8_functions.sources)


@limits.reader
def list_c(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the arrays of weights in a written C file.

    Raises:
        ValueError: the file is missing, or was not written here.
    """
    found = re.findall(r"static const \w+ (\w+)\[\d+\] = \{ /\* \(([\d, ]*)\) \*/", c_text.read(Path(path)))
    return [(name, tuple(int(size) for size in shape.split(",") if size.strip())) for name, shape in found]
