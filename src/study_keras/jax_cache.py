"""JAX' compiled programs, kept between processes in the user's cache folder, so that the next command need not compile.

The folder may be deleted at any time. Nothing but the time depends on it: a program is only loaded on the processor and
by the versions that compiled it, and only if its file is as it was written.
"""

import atexit
import hashlib
import json
import os
import platform
import stat
import warnings
from importlib.metadata import version
from pathlib import Path

from study_keras import files

MAX_BYTES = 256 * 2**20  # a training has some 200 kB
SUFFIX = "-cache"  # JAX' own
DIGESTS = "digests.json"


def enable() -> None:
    """Let this process and those that it starts keep JAX' compiled programs. Call it before JAX is imported.

    Does nothing if the environment says where JAX keeps them, or if the folder cannot be written, or by others too.
    """
    if {"JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"} & os.environ.keys():
        return
    try:
        folder = _private_folder(cache_folder())
        kept = _remove_unknown(folder)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)
    atexit.register(_write_digests, folder, kept)


def cache_folder() -> Path:
    """Return the folder for this processor and these versions."""
    import platformdirs

    made_by = [version("jax"), version("jaxlib"), platform.machine(), _processor(), str(os.cpu_count())]
    key = hashlib.sha256("\n".join(made_by).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("hello-mnist") / f"jax-{key}"


def _processor() -> str:
    """Return the processor's name and instructions."""
    try:
        with Path("/proc/cpuinfo").open() as file:
            first = file.read(16_384).partition("\n\n")[0]  # all cores are alike
    except OSError:
        return platform.processor()
    named = ("vendor_id", "model name", "flags", "CPU implementer", "CPU part", "Features")
    return "\n".join(line for line in first.splitlines() if line.startswith(named))


def _private_folder(folder: Path) -> Path:
    """Create the folder, and return it.

    Raises:
        OSError: it cannot be created, or others may put programs there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise PermissionError(f"{folder}: others may write it")
    return folder


def _remove_unknown(folder: Path) -> dict[str, str]:
    """Remove what is not as it was written, or all if it is too much; return the digests of what is left."""
    try:
        known = json.loads((folder / DIGESTS).read_text())
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    programs = list(folder.glob(f"*{SUFFIX}"))
    is_full = sum(path.stat().st_size for path in programs) > MAX_BYTES
    for path in programs:
        if is_full or known.get(path.name) != _digest(path):
            path.unlink(missing_ok=True)
    return {name: digest for name, digest in known.items() if (folder / name).is_file()}


def _write_digests(folder: Path, kept: dict[str, str]) -> None:
    try:
        found = {path.name: kept.get(path.name) or _digest(path) for path in folder.glob(f"*{SUFFIX}")}
        if found != kept:
            files.write(folder / DIGESTS, json.dumps(found))
    except OSError:
        pass  # the next process removes the programs and compiles them again


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
