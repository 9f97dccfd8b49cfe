"""Gives mutated files of every format to its reader: `python tools/fuzz.py [SECONDS] [SEED] [FOLDER]`.

A reader may read a file or refuse it with one clear line. Anything else is a finding: another exception, a message of
no or many lines, more than 10 s, 500 MB more than before, a process that dies, or a file opened outside. Findings of
one kind are one line; FOLDER (default output/fuzz) gets the first input of each. Exit status: the number of kinds.
"""

import json
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_mutations import mutate

WORKER = Path(__file__).with_name("fuzz_worker.py")
SECONDS_FOR_ONE = 10.0
RESTART_AFTER = 400  # inputs: compiled programs and fragments of memory add up


class Worker:
    """A process that reads one file after another, and is replaced if it dies or hangs."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.count = 0

    def ask(self, reader: str, path: Path) -> dict:
        """Return what came of reading ``path``: ``kind`` and, for a finding, ``what``."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
            self._reply(120)  # until everything is imported
            self.count = 0
        self.count += 1
        self.process.stdin.write(json.dumps([reader, str(path)]) + "\n")
        self.process.stdin.flush()
        answer = self._reply(SECONDS_FOR_ONE)
        if answer["kind"] in ("died", "hung") or self.count >= RESTART_AFTER:
            self.close()
        return answer

    def _reply(self, seconds: float) -> dict:
        end = time.monotonic() + seconds
        while select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            line = self.process.stdout.readline()
            if not line:
                return {"kind": "died", "what": f"exit status {self.process.wait()}"}
            if line.startswith('{"kind"'):
                return json.loads(line)
        return {"kind": "hung", "what": f"more than {SECONDS_FOR_ONE:g} s"}

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def make_seeds(folder: Path) -> dict[str, Path]:
    """Write a small valid input for each reader, in a process of its own, and return reader -> path."""
    done = subprocess.run([sys.executable, WORKER, folder], capture_output=True, text=True, check=True)
    return {reader: Path(path) for reader, path in json.loads(done.stdout.splitlines()[-1]).items()}


def copy(source: Path, folder: Path) -> Path:
    """Copy an input, a file, a folder, or the files of a checkpoint, to ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, folder / source.name)
    for file in source.parent.glob(f"{source.name}*"):
        if file.is_file():
            shutil.copy(file, folder / file.name)
    return folder / source.name


def fuzz(seconds: float, seed: int, output: Path) -> Counter:
    """Return how often each kind of finding occurred; print each kind once, and keep its first input."""
    findings: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    worker = Worker()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        seeds = make_seeds(Path(name, "seeds"))
        for reader, source in seeds.items():
            if (answer := worker.ask(reader, source))["kind"] != "read":
                raise SystemExit(f"the seed of {reader} is not read: {answer}")
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            reader = sorted(seeds)[number % len(seeds)]
            path = copy(seeds[reader], Path(name, "input"))
            mutate(path, random.Random(f"{seed}/{number}"))
            answer = worker.ask(reader, path)
            if answer["kind"] in (
                "hung",
                "slow",
                "memory",
                "died",
            ):  # which may be the machine's fault, or earlier inputs'
                worker.close()
                answer = worker.ask(reader, path)
            verdicts[answer["kind"] if answer["kind"] in ("read", "refused") else "finding"] += 1
            if answer["kind"] not in ("read", "refused"):
                kind = f"{reader}: {answer['kind']}: {answer['what']}"
                findings[kind] += 1
                if findings[kind] == 1:
                    copy(path, output / f"{len(findings):03}")
                    print(f"{len(findings):03} {kind} (seed {seed}, input {number})", flush=True)
            number += 1
    worker.close()
    print(f"{number} inputs: {dict(verdicts)}, {len(findings)} kinds of findings")
    return findings


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv[1:]))
    folder = Path(arguments.get(2, "output/fuzz"))
    sys.exit(min(100, len(fuzz(float(arguments.get(0, 60)), int(arguments.get(1, time.time())), folder))))
