"""TensorFlow Lite for Microcontrollers, the runtime of ``.tflite`` files on boards without a system."""

import re
from pathlib import Path
from typing import Any

from study_keras import limits
from study_keras.runtimes import litert
from study_keras.runtimes.runner import Arrays, Runner, first_words
from study_keras.startup import silence_output

ARENA_PER_BYTE = 10  # what TensorFlow Lite for Microcontrollers itself guesses
MIN_ARENA = 2**16
STEP = 16  # bytes, its alignment


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load a ``.tflite`` file with fixed sizes, or the C array of one that ``export_litert_micro`` wrote.

    Float values for a quantized input are quantized, quantized outputs become float32. No code in the file runs: the
    numbers in the C array are read as text.

    Raises:
        ValueError: the file is missing or broken, its batch size is not 1, or the runtime lacks an operation.
        FileNotFoundError: the package ``tflite_micro`` is not installed.
    """
    path = Path(path)
    content = read_model(path)
    described = litert.interpreter_of(path, content)
    (input_names, inputs), (output_names, outputs) = litert.tensors(described)
    if any(-1 in tensor["shape_signature"] or tensor["shape"][:1] != [1] for tensor in inputs):
        raise ValueError(f"{path}: TFLite Micro takes one example at a time; export it with --batch 1")
    # The microcontrollers' runtime knows no names, only the order in the file.
    places = [
        [item["index"] for item in details()] for details in (described.get_input_details, described.get_output_details)
    ]
    taken, given = (
        [order.index(t["index"]) for t in some] for order, some in zip(places, (inputs, outputs), strict=True)
    )
    interpreter = interpreter_of(path, content, max(MIN_ARENA, ARENA_PER_BYTE * len(content)))

    def call(arrays: Arrays) -> Arrays:
        for tensor, place, array in zip(inputs, taken, arrays, strict=True):
            interpreter.set_input(litert.quantize(array, tensor), place)
        interpreter.invoke()
        found = [interpreter.get_output(place).copy() for place in given]
        return [litert.dequantize(array, tensor) for array, tensor in zip(found, outputs, strict=True)]

    return Runner(
        "TFLite Micro",
        path,
        call,
        list(map(litert.spec, input_names, inputs)),
        list(map(litert.spec, output_names, outputs)),
        litert.stored(described),
        batch_size=1,
    )


def interpreter_of(path: Path, content: bytes, arena: int) -> Any:
    """Return the interpreter of a ``.tflite`` file's content, with ``arena`` bytes for its tensors.

    Raises:
        ValueError: it lacks an operation, or the arena is too small.
        FileNotFoundError: the package ``tflite_micro`` is not installed.
    """
    module = runtime()
    try:
        with silence_output(2):  # it writes its reasons there
            return module.Interpreter.from_bytes(content, arena_size=arena)
    except RuntimeError as error:
        raise ValueError(f"{path}: TFLite Micro cannot run it: {first_words(error)}") from error


def runtime() -> Any:
    """Return the module of the interpreter.

    Raises:
        FileNotFoundError: the package ``tflite_micro`` is not installed.
    """
    try:
        from tflite_micro import runtime as module
    except ModuleNotFoundError as error:
        raise FileNotFoundError(
            "TFLite Micro is not installed; run: pip install 'hello-mnist[micro]' (its package is for Linux only)"
        ) from error
    return module


def arena_size(path: Path, content: bytes) -> int:
    """Return the fewest bytes of an arena in which the model runs, a multiple of 16, on this machine.

    Pointers take 8 bytes here; a microcontroller of 32 bits needs less.

    Raises:
        ValueError, FileNotFoundError: as ``interpreter_of``.
    """
    enough = max(MIN_ARENA, ARENA_PER_BYTE * len(content)) // STEP
    interpreter_of(path, content, enough * STEP)
    too_small = 0
    while enough - too_small > 1:
        middle = (enough + too_small) // 2
        try:
            interpreter_of(path, content, middle * STEP)
            enough = middle
        except ValueError:
            too_small = middle
    return enough * STEP


@limits.reader
def read_model(path: Path) -> bytes:
    """Return the content of a ``.tflite`` file, or that in the C array of a ``.micro.c``.

    Raises:
        ValueError: it is missing, or has no such array.
    """
    try:
        content = limits.read_bytes(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix != ".c":
        return content
    array = re.search(rb"unsigned char \w+_model\[\w*\] = \{([0-9a-fx,\s]*)\};", content)
    if not array:
        raise ValueError(f"{path}: expected the array `const unsigned char NAME_model[]` of a .tflite file's bytes")
    numbers = array[1].replace(b"0x", b"").replace(b",", b" ")
    try:
        return bytes.fromhex(numbers.decode("ascii"))
    except ValueError as error:
        raise ValueError(f"{path}: its array contains something else than bytes such as 0x1c") from error
