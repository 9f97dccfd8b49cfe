"""What every runtime offers: a model that is loaded and ready to run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

Arrays = list[np.ndarray]


class TensorSpec(NamedTuple):
    """An input or output as a file describes it; None in ``shape`` for a size that is open, None for ``shape`` where
    even the rank is."""

    name: str | None
    shape: tuple[int | None, ...] | None
    dtype: str


class Answer(NamedTuple):
    """The outputs for all examples, and the seconds that they took, without loading."""

    outputs: Arrays
    seconds: float


@dataclass(frozen=True)
class Runner:
    """A model that is ready to run in its own runtime. It serves one thread at a time.

    Attributes:
        runtime: the name of the runtime.
        path: the file or folder, for error messages.
        call: one batch of examples, an array for each input, to an array for each output.
        inputs: in the order of the arrays; None where the file does not tell.
        outputs: likewise.
        stored: how the file stores its numbers, a key of ``formats.proof.differences.THRESHOLDS``.
        batch_size: the only batch size that the model takes; None for any.
        call_timed: in place of ``call``, for a runtime in another process that splits batches and measures itself.
    """

    runtime: str
    path: Path
    call: Callable[[Arrays], Arrays]
    inputs: Sequence[TensorSpec] | None = None
    outputs: Sequence[TensorSpec] | None = None
    stored: str = "float32"
    batch_size: int | None = None
    call_timed: Callable[[Arrays, int], Answer] | None = None

    def run(self, arrays: Arrays, batch_size: int = 1000) -> Answer:
        """Run any number of examples.

        Args:
            arrays: one for each input, ``(n, ...)``.
            batch_size: the most examples at once. A model of a fixed batch size gets batches of that size, of which the
                last is padded.

        Raises:
            ValueError: the runtime refuses them.
        """
        started = time.perf_counter()
        try:
            if self.call_timed:
                return self.call_timed(arrays, batch_size)
            outputs = in_batches(self._call_padded, arrays, self.batch_size or batch_size)
        except Exception as error:  # the runtimes raise errors of many classes
            raise ValueError(f"{self.path}: {self.runtime} failed: {first_words(error)}") from error
        return Answer(outputs, time.perf_counter() - started)

    def reorder(self, inputs: Sequence[str], outputs: Sequence[str]) -> "Runner":
        """Return a runner with inputs and outputs in the order of these names, where the file has the same names."""
        if self.call_timed:  # TF.js models have the model's order
            return self
        taken, given = _order(self.inputs, inputs), _order(self.outputs, outputs)
        if taken == list(range(len(taken))) and given == list(range(len(given))):
            return self

        def call(arrays: Arrays) -> Arrays:
            ordered = [arrays[taken.index(place)] for place in range(len(arrays))] if taken else arrays
            found = self.call(ordered)
            return [found[place] for place in given] if given else found

        return replace(
            self,
            call=call,
            inputs=[self.inputs[place] for place in taken] if self.inputs and taken else self.inputs,
            outputs=[self.outputs[place] for place in given] if self.outputs and given else self.outputs,
        )

    def _call_padded(self, arrays: Arrays) -> Arrays:
        """Fill up a batch that is too small with its last example, and drop the outputs of these."""
        count, size = len(arrays[0]), self.batch_size
        if size is None or count == size:
            return self.call(arrays)
        padded = [np.concatenate([array, array[-1:].repeat(size - count, axis=0)]) for array in arrays]
        return [output[:count] if len(output) == size else output for output in self.call(padded)]


def in_batches(call: Callable[[Arrays], Arrays], arrays: Arrays, size: int) -> Arrays:
    """Call with batches of at most ``size`` examples, and join the outputs."""
    if len(arrays[0]) <= size:
        return call(arrays)
    parts = [call([array[start : start + size] for array in arrays]) for start in range(0, len(arrays[0]), size)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def first_words(error: Exception) -> str:
    """Return the text of an error of a runtime on one line, cut to 300 characters."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _order(specs: Sequence[TensorSpec] | None, names: Sequence[str]) -> list[int]:
    """Return the place of each of ``names`` in ``specs``; empty where the file has other names."""
    found = [spec.name for spec in specs or ()]
    return [found.index(name) for name in names] if sorted(names) == sorted(map(str, found)) else []
