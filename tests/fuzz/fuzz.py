"""Changes files of every format that the project reads, and gives each to its public reader, until the time is over.

Usage: python tests/fuzz/fuzz.py [--seconds 60] [--seed 0] [--only PATTERN] [--jobs 1] [--output output/fuzz]
       python tests/fuzz/fuzz.py --replay output/fuzz/findings/GROUP/1
A reader may read a file or refuse it with a ValueError or an OSError of one line. Findings are all else: another
exception, more than 10 seconds, 500 MB more than a load may take, a process that died, something opened outside
of the file's folder, a warning for programmers, and changed weights under an unchanged checksum. Up to three files of
each kind of finding are kept in OUTPUT/findings; the last lines count the kinds. The exit code is 1 if there are any.
"""

import argparse
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LONGEST = 10  # seconds for one file
LONGEST_START = 180  # seconds to import everything and read the unchanged files
CASES_PER_PROCESS = 2000  # Keras on JAX keeps what it compiled
KEPT = 3  # files of each kind of finding


class DiedError(Exception):
    """The process of a reader ended, or was ended after ``LONGEST`` seconds."""


class Reader:
    """A process that reads files, and is started again when it has died."""

    def __init__(self, seeds: Path, scratch: Path) -> None:
        self.seeds, self.scratch = seeds, scratch
        self.log = scratch.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.cases = 0

    def ask(self, target: str, name: str) -> dict[str, Any]:
        """Return the verdict on one case, also if the process dies of it."""
        answer = self._ask(target, name)
        if answer.get("group", "").startswith("more than"):  # perhaps the machine had other work
            answer = self._ask(target, name)
        return answer

    def _ask(self, target: str, name: str) -> dict[str, Any]:
        if self.cases >= CASES_PER_PROCESS:
            self.close()
        if self.process is None:
            self._start()
        assert self.process
        assert self.process.stdin
        self.cases += 1
        try:
            self.process.stdin.write(f"{target} {name}\n".encode())
            self.process.stdin.flush()
            self._line(LONGEST_START)
            return json.loads(self._line(LONGEST))
        except (DiedError, BrokenPipeError) as error:
            return self._post_mortem(error)

    def close(self) -> None:
        """End the process."""
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.process = None

    def _start(self) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(HERE / "fuzz_worker.py"), str(self.seeds), str(self.scratch)]
        environment = {**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)  # of the tests: JAX would write there as a file is read
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=log, env=environment)
        self.cases, self.rest = 0, b""

    def _line(self, seconds: float) -> str:
        """Return the next line of the process' answers."""
        assert self.process
        assert self.process.stdout
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                if not selector.select(max(0, end - time.monotonic())):
                    raise DiedError(f"more than {seconds} seconds")
                data = os.read(self.process.stdout.fileno(), 65_536)
                if not data:
                    raise DiedError(
                        f"died of {signal.Signals(-self.process.wait()).name}" if self.process.wait() < 0 else "ended"
                    )
                self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def _post_mortem(self, error: Exception) -> dict[str, Any]:
        """Return the verdict on the case of which the process died, by the traceback that it left."""
        self.close()
        text = self.log.read_text(errors="replace")
        frames = re.findall(
            r'File "[^"]*/src/study_keras/([^"]+)", line \d+ in (\S+)', text.rpartition("most recent call")[2]
        )
        place = ":".join(frames[0]) if frames else "outside of the project"
        return {"verdict": "finding", "group": f"{error} {place}", "detail": text[-6000:], "seconds": LONGEST}


@dataclass
class Tally:
    """What was found until now.

    Attributes:
        findings: the folder for them.
        cases, seconds: by target.
        verdicts: how many files were read, refused, and findings.
        groups: of findings, with the number of each and the targets.
    """

    findings: Path
    cases: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Counter[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_case(self, targets: list[str]) -> tuple[str, int]:
        """Return the target that had the least time, and the number of its next case."""
        with self.lock:
            target = min(targets, key=lambda name: (self.seconds[name], self.cases[name]))
            self.cases[target] += 1
            self.seconds[target] += 0.01  # so that two processes do not take the same
            return target, self.cases[target]

    def add(self, target: str, name: str, answer: dict[str, Any], case: Path) -> None:
        """Count an answer, and keep the files of a finding."""
        with self.lock:
            self.seconds[target] += answer["seconds"]
            self.verdicts[answer["verdict"]] += 1
            if answer["verdict"] == "finding":
                group = self.groups.setdefault(answer["group"], Counter())
                group[target] += 1
                if group.total() <= KEPT:
                    folder = self.findings / slug(answer["group"]) / str(group.total())
                    shutil.copytree(case, folder / "case", symlinks=True)
                    (folder / "finding.txt").write_text(
                        f"{target} {name}\n{answer['group']}\n{answer['detail']}\n", errors="replace"
                    )

    def report(self) -> str:
        """Return the summary: a line for each kind of finding, the most frequent first."""
        found = ", ".join(f"{self.verdicts[verdict]:,} {verdict}" for verdict in ("read", "refused", "finding"))
        lines = [f"{self.cases.total():,} files: {found}; {len(self.groups)} kinds of findings"]
        for name, targets in sorted(self.groups.items(), key=lambda item: -item[1].total()):
            shown = ", ".join(target for target, _ in targets.most_common(4))
            lines.append(f"{targets.total():6} {name}  [{shown}]  {self.findings.name}/{slug(name)}")
        return "\n".join(lines)


def slug(text: str) -> str:
    """Return the name of a folder for a kind of finding."""
    return re.sub(r"\W+", "_", text)[:90].strip("_")


def fuzz(seeds: Path, output: Path, targets: list[str], seconds: float, *, seed: int, jobs: int) -> Tally:
    """Read changed files for some seconds, in ``jobs`` processes, and return what was found."""
    shutil.rmtree(output / "findings", ignore_errors=True)
    tally = Tally(output / "findings")
    with tempfile.TemporaryDirectory(prefix="hello_mnist_fuzz_") as scratch:
        readers = [Reader(seeds, Path(scratch, str(job))) for job in range(jobs)]
        end = time.monotonic() + seconds

        def work(reader: Reader) -> None:
            while time.monotonic() < end:
                target, number = tally.next_case(targets)
                name = f"{seed}:{target}:{number}"
                answer = judged(reader, target, name)
                tally.add(target, name, answer, reader.scratch / "case")
            reader.close()

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(work, readers))
    return tally


def judged(reader: Reader, target: str, name: str) -> dict[str, Any]:
    """Return the verdict on a case; one that depends on the machine must occur twice."""
    answer = reader.ask(target, name)
    if answer["verdict"] == "finding" and answer["group"].startswith(("more than", "memory", "died", "MemoryError")):
        first, answer = answer, reader.ask(target, name)
        if answer["verdict"] == "finding":
            return first
    return answer


def write_seeds(folder: Path) -> None:
    """Write the unchanged files."""
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, HERE / "fuzz_seeds.py", folder], check=True, env=environment)


def replay(seeds: Path, folder: Path) -> int:
    """Read the files of a finding once more, print the verdict, and return the exit code."""
    target = (folder / "finding.txt").read_text().split()[0]
    with tempfile.TemporaryDirectory() as scratch:
        reader = Reader(seeds, Path(scratch, "0"))
        answer = reader.ask(target, str(folder / "case"))
        reader.close()
    print(target, answer["verdict"], answer.get("group", ""), answer.get("detail", ""), sep="\n")
    return int(answer["verdict"] == "finding")


def main() -> int:
    """Parse the options, and fuzz or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other files")
    parser.add_argument("--only", default="", help="targets whose name contains this pattern")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("output/fuzz"))
    parser.add_argument("--replay", type=Path, help="the folder of a finding")
    options = parser.parse_args()
    from fuzz_targets import TARGETS

    seeds = options.output.resolve() / "seeds"
    if not options.replay or not seeds.is_dir():
        write_seeds(seeds)
    if options.replay:
        return replay(seeds, options.replay.resolve())
    targets = [name for name in TARGETS if re.search(options.only, name)]
    tally = fuzz(seeds, options.output, targets, options.seconds, seed=options.seed, jobs=options.jobs)
    (options.output / "report.txt").write_text(tally.report() + "\n")
    print(tally.report())
    return int(bool(tally.groups))


if __name__ == "__main__":
    sys.exit(main())
