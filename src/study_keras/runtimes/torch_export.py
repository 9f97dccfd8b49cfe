"""PyTorch, on the processor, for the files of ``torch.export``: ``NAME.pt2``.

PyTorch's loader unpickles, and runs code that a ``.pt2`` file contains. So a file is a program: it is loaded, in a
process of its own, if it is what this version writes for the model, byte for byte; anything else only within
``program.allow_code``.
"""

from collections.abc import Callable
from pathlib import Path

from study_keras import limits
from study_keras.runtimes import installed
from study_keras.runtimes.program import check_code, code_is_allowed, run_files
from study_keras.runtimes.runner import Runner


def open(path: str | Path, own: Callable[[Path], bytes] | None = None) -> Runner:  # noqa: A001
    """Return the file ready to run in a process of its own.

    Args:
        path: the file.
        own: returns the only content that may run; None where no model is known.

    Raises:
        ValueError: the file is missing, or may not run.
        FileNotFoundError: PyTorch is not installed.
    """
    path = Path(path)
    installed.check("torch_export")
    try:
        content = limits.read_bytes(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if not code_is_allowed() and (own is None or content != own(path)):
        check_code(path, known=own is not None)
    return run_files("PyTorch", path, "torch_export", {"program.pt2": content})
