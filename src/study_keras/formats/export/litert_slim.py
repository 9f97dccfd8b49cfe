"""Makes the content of a ``.tflite`` file smaller, for the same answers."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

ALIGNMENT = 16  # bytes, at which the schema of LiteRT has the weights start


def slim(content: bytes) -> bytes:
    """Return the content of a ``.tflite`` file without what no interpreter reads.

    The names of the tensors inside go, those of inputs and outputs stay, and so does the signature. Empty buffers
    become one, equal shapes and equal scales are written once, and the converter's notes about itself go.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if any(buffer.offset > 1 for buffer in model.buffers):  # beyond 2 GiB the weights lie behind the table
        return content
    model.description = model.metadata = model.metadataBuffer = None
    buffers = [schema.BufferT()]  # the first one is empty, for tensors without content
    quantizations: dict[Any, _Quantization] = {}
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if index not in graph.inputs and index not in graph.outputs:
                tensor.name = None
            if tensor.quantization:
                tensor.quantization = _shared(tensor.quantization, quantizations)
    places: dict[int, int] = {}
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        buffer = model.buffers[tensor.buffer]
        if buffer.data is None or not len(buffer.data):
            tensor.buffer = 0
        else:
            if tensor.buffer not in places:
                places[tensor.buffer] = len(buffers)
                buffers.append(buffer)
            tensor.buffer = places[tensor.buffer]
    model.buffers = buffers
    builder = _Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Quantization(schema.QuantizationParametersT):
    """Is written once, however many tensors have it."""

    place = 0

    def Pack(self, builder: Any) -> int:  # noqa: N802
        self.place = self.place or super().Pack(builder)
        return self.place


def _shared(quantization: Any, known: dict[Any, _Quantization]) -> _Quantization | None:
    """Return the first of the equal quantizations; None for one that says nothing."""
    parts = [getattr(quantization, name) for name in ("scale", "zeroPoint", "min", "max")]
    if quantization.details is None and all(part is None for part in parts):
        return None
    made = _Quantization(**vars(quantization))
    if quantization.details is not None:
        return made
    key = quantization.quantizedDimension, *(None if part is None else part.tobytes() for part in parts)
    return known.setdefault(key, made)


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once, and the weights aligned, which ``schema`` does not."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802
        key = x.dtype.str, x.tobytes()
        if key not in self.written:
            if x.dtype == np.uint8:
                self.Prep(ALIGNMENT, x.nbytes)
            self.written[key] = super().CreateNumpyVector(x)
        return self.written[key]
