"""TensorFlow Lite for Microcontrollers: a ``.tflite`` file as a C array, for boards without a file system."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats.export.litert_file import checked_options, export_litert
from study_keras.formats.inference import check_model
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.formats.written import c_text
from study_keras.runtimes import litert, tflite_micro

QUANTIZE = ("int8",)
SUFFIX = ".micro.c"


def export_litert_micro(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    images: Any = None,
    *,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` as a C array for TensorFlow Lite for Microcontrollers, and a header beside it.

    ``NAME.micro.c`` contains a ``.tflite`` file of batch size 1, ``NAME.micro.h`` its length, the operations that the
    interpreter must know, and the size of the arena that it needs, as measured in the package ``tflite_micro``. Both
    compile as C11 and as C++11.

    Args:
        path: ends in ``.micro.c``.
        quantize, images: None, or ``"int8"`` with its typical inputs; as ``export_litert``. Inputs and outputs are
            float32.
        prove: whether the file is run in TFLite Micro and compared with Keras before it gets its name; a function is
            called with the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: as ``export_litert``; TFLite Micro lacks an operation of the model; or the path is in use by source
            that was not written here.
        FileNotFoundError: the package ``tflite_micro`` is not installed.
        OSError: the files cannot be written. Files that were there are unchanged.
    """
    path = Path(path)
    check_model(model, path, ".c")
    if not path.name.endswith(SUFFIX):
        raise ValueError(f"{path}: expected a name that ends in {SUFFIX}")
    if quantize is not None and quantize not in QUANTIZE:
        raise ValueError(f"quantize={quantize!r}; expected None or int8, which is what TFLite Micro computes in")
    arrays = checked_options(model, quantize, images, 1)
    c_text.check_free(path, path.with_suffix(".h"))
    tflite_micro.runtime()  # fails now, before the long export, if it is not installed
    with files.temporary_folder() as folder:
        flat = export_litert(model, folder / "model.tflite", quantize, images, batch=1, prove=False)
        content, operations = flat.read_bytes(), _operations(flat)
    arena = tflite_micro.arena_size(path, content)
    with files.atomic_files(path, path.with_suffix(".h")) as (source, header):
        name = c_text.identifier(path.name.removesuffix(SUFFIX))
        source.write_text(_source(name, header.name, content))
        header.write_text(_header(name, len(content), arena, operations))
        prove_export(prove, model, source, quantize or "float32", arrays)
    return path


@limits.reader
def list_litert_micro(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all tensors in the ``.tflite`` file that a ``.micro.c`` contains."""
    details = litert.interpreter_of(path, tflite_micro.read_model(Path(path))).get_tensor_details()
    return [(item["name"] or f"tensor {number}", tuple(map(int, item["shape"]))) for number, item in enumerate(details)]


def _operations(path: Path) -> list[str]:
    """Return the names of the operations in a ``.tflite`` file, as the schema of LiteRT has them."""
    found = {item["op_name"] for item in litert.interpreter_of(path)._get_ops_details()}
    return sorted(found - {"DELEGATE"})


def _source(name: str, header: str, content: bytes) -> str:
    numbers = c_text.lines_of(f"0x{byte:02x}" for byte in content)
    return f"""/* {header[:-2]}.c: a .tflite file for TensorFlow Lite for Microcontrollers, {c_text.MARK} */
#include "{header}"

#ifndef __cplusplus
#include <stdalign.h>
#endif

alignas(16) const unsigned char {name}_model[{len(content)}] = {{
{numbers}
}};
"""


def _header(name: str, length: int, arena: int, operations: list[str]) -> str:
    upper = name.upper()
    return f"/* {c_text.MARK} */\n" + c_text.header(
        f"{upper}_MICRO_H",
        f"""/* The operations that the interpreter's MicroMutableOpResolver must have:
 * {", ".join(operations)}
 */

/* Bytes in flash: the model. */
#define {upper}_MODEL_LENGTH {length}
extern const unsigned char {name}_model[{upper}_MODEL_LENGTH];

/* Bytes of RAM: the fewest in which this model ran on a 64-bit machine. Pointers are smaller on a
 * microcontroller of 32 bits, which therefore needs less: interpreter.arena_used_bytes() says how much. */
#define {upper}_ARENA_SIZE {arena}""",
    )
