"""The process in which files are read: a reader may abort it, hang it, or fill its memory.

Usage: python tests/fuzz/fuzz_worker.py SEEDS SCRATCH
It prepares by reading each unchanged seed that it is asked for, then answers each line ``TARGET NUMBER`` or
``TARGET FOLDER`` with a line of JSON: ``verdict``, and for a finding its ``group`` and ``detail``. The changed files
are in SCRATCH/case.
"""

import faulthandler
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import fuzz_mutations
from fuzz_hdf5 import CHECKSUM

from study_keras import limits

ROOT = Path(__file__).resolve().parents[2]
HANGS_AFTER = 3  # seconds, when a traceback is taken
MORE_MEMORY = 6 * 2**30  # bytes of address space over those that the libraries take
# Bytes of memory that reading may take at its peak: HDF5 takes 4 GiB for a text that declares them.
MAY_TAKE = limits.MAX_BYTES + 500 * 2**20
LONGEST_MESSAGE = 2000
EVENTS = ("open", "socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.system", "os.exec")
EVENTS += ("os.posix_spawn", "os.fork", "os.remove", "os.rename", "shutil.rmtree", "pickle.find_class")
READABLE = ("/proc", "/sys", "/dev", "/etc/localtime", "/usr/share/zoneinfo", str(ROOT), sys.prefix, sys.base_prefix)


class Watch:
    """Records what a reader opens outside of the folder that it reads."""

    def __init__(self, case: Path, temporary: Path) -> None:
        self.inside = (str(case), str(temporary))
        self.temporary = str(temporary)
        self.armed, self.found = False, ""
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed or event not in EVENTS or self.allowed(event, arguments):
            return
        self.found = self.found or f"{event} {arguments!r}"[:300] + "\n" + "".join(traceback.format_stack())
        raise PermissionError(f"{event} is not allowed while a file is read")

    def allowed(self, event: str, arguments: tuple[Any, ...]) -> bool:
        """Return whether a reader may do this: open what it was given and the installation, write to temp."""
        if event in ("open", "os.remove", "os.rename", "shutil.rmtree"):
            if not isinstance(arguments[0], str | bytes | os.PathLike):
                return True  # a descriptor
            if event == "os.remove" and arguments[1] != -1:
                return True  # below a folder that it has opened
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100  # a link is judged by where it lies
            flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else os.O_WRONLY
            writes = event != "open" or bool(flags & (os.O_WRONLY | os.O_RDWR))
            return path.startswith(self.inside if writes else (*self.inside, *READABLE)) or path == os.devnull
        # The child process in which a file for LiteRT is tried first.
        return event == "subprocess.Popen" and arguments[0] == sys.executable and "trial.run" in str(arguments[1])


def peak() -> int:
    """Return the largest memory in use since ``reset_peak``, in bytes; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def reset_peak() -> None:
    """Let ``peak`` count anew."""
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def judge(read: Any, case: Path, watch: Watch) -> dict[str, str]:
    """Read the files in ``case`` and say how it went."""
    watch.found, size = "", sum(file.stat().st_size for file in case.rglob("*") if file.is_file())
    reset_peak()
    before = peak()
    answer = {"verdict": "read"}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            watch.armed = True
            answer["digest"] = str(read(case))
        except (ValueError, OSError) as error:
            watch.armed = False
            answer = refusal(error)
        except BaseException as error:
            watch.armed = False
            answer = finding(type(error).__name__, error)
        finally:
            watch.armed = False
    if watch.found:
        return {"verdict": "finding", "group": "reaches outside", "detail": watch.found}
    if peak() - before > MAY_TAKE + 50 * size:
        detail = f"{(peak() - before) >> 20} MiB\n{answer.get('detail', '')}"
        return {
            "verdict": "finding",
            "group": f"memory, {answer['verdict']}, {answer.get('place', '')}",
            "detail": detail,
        }
    for each in told:
        if not issubclass(each.category, UserWarning | ResourceWarning | DeprecationWarning):  # the last is not shown
            where = f"{Path(each.filename).name} {str(each.message)[:60]}"
            return {"verdict": "finding", "group": f"{each.category.__name__} {where}", "detail": str(each.message)}
    return answer


def refusal(error: Exception) -> dict[str, str]:
    """Return the verdict on an error that is meant for users: it has one line that can be printed."""
    text = str(error)
    try:
        text.encode()
    except UnicodeEncodeError:
        return finding("message that cannot be printed", error)
    if not text.strip() or len(text) > LONGEST_MESSAGE:
        return finding("message of no text" if not text.strip() else "message too long", error)
    if len(text.splitlines()) != 1 or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        return finding("message of several lines or with control characters", error)
    return {"verdict": "refused", "place": place(error), "detail": text}


def finding(kind: str, error: BaseException) -> dict[str, str]:
    """Return the verdict on what users should never see."""
    lines = traceback.format_exception(error)
    detail = "".join(lines if len(lines) < 60 else [*lines[:20], "...\n", *lines[-30:]])
    return {"verdict": "finding", "group": f"{kind} {place(error)}", "place": place(error), "detail": detail[-8000:]}


def place(error: BaseException) -> str:
    """Return file and function of the innermost frame of the project."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "study_keras" in frame.filename]
    return (
        f"{frames[-1].filename.partition('study_keras/')[2]}:{frames[-1].name}" if frames else "outside of the project"
    )


def make_case(target: Any, seeds: Path, case: Path, name: str, outside: Path) -> None:
    """Fill ``case`` with the changed files of a target's seed, or with the files of a stored finding."""
    shutil.rmtree(case, ignore_errors=True)
    stored = Path(name)
    if stored.is_dir():
        shutil.copytree(stored, case)
        return
    shutil.copytree(seeds / target.seed, case)
    if name != "unchanged":
        fuzz_mutations.mutate(case, random.Random(name), str(outside))


def main() -> None:
    """Answer the lines of standard input."""
    seeds, scratch = map(Path, sys.argv[1:])
    answers = os.fdopen(os.dup(1), "w", buffering=1)  # libraries print to standard output, too
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    case, temporary, outside = scratch / "case", scratch / "tmp", scratch / "secret.txt"
    temporary.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(temporary)
    outside.write_text("secret")
    os.chdir(scratch)
    faulthandler.enable()
    from study_keras.startup import import_keras

    keras = import_keras()
    import tensorflow  # noqa: F401
    from fuzz_targets import SEALED, TARGETS

    warnings.simplefilter("ignore")
    watch, digests = Watch(case, temporary), {}
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        target_name, _, name = line.rstrip("\n").partition(" ")
        target = TARGETS[target_name]
        if target_name not in digests and target.accepts_seed:  # imports what it needs
            make_case(target, seeds, case, "unchanged", outside)
            digests[target_name] = str(target.read(case))
            resource.setrlimit(resource.RLIMIT_AS, (address_space() + MORE_MEMORY, resource.RLIM_INFINITY))
        keras.utils.clear_session(free_memory=False)
        make_case(target, seeds, case, name, outside)
        answers.write("started\n")
        started = time.perf_counter()
        answer = watched(target.read, case, watch, outside)
        other = answer.get("digest", digests.get(target_name)) != digests.get(target_name)
        if other and target_name in SEALED and is_sealed(case):
            answer = {"verdict": "finding", "group": "other weights than the checksum promises", "detail": ""}
        answers.write(json.dumps({**answer, "seconds": time.perf_counter() - started}) + "\n")


def watched(read: Any, case: Path, watch: Watch, outside: Path) -> dict[str, str]:
    """Judge a reader, with a traceback in the log if it takes long, and see whether anything has read ``outside``."""
    os.utime(outside, (1, 2))  # reading it sets the first time, whoever reads it
    faulthandler.dump_traceback_later(HANGS_AFTER, file=sys.stderr)
    answer = judge(read, case, watch)
    faulthandler.cancel_dump_traceback_later()
    if outside.stat().st_atime != 1:
        return {"verdict": "finding", "group": "reaches outside, from a library", "detail": str(outside)}
    return answer


def is_sealed(case: Path) -> bool:
    """Return whether the HDF5 file in ``case`` still has the checksum that the project wrote."""
    import h5py

    with h5py.File(next(case.iterdir())) as file:
        return CHECKSUM in file.attrs


def address_space() -> int:
    """Return the bytes of address space in use; a huge number where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[0]) * resource.getpagesize() if status.exists() else 2**60


if __name__ == "__main__":
    main()
