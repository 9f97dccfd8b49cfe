"""The matrix as a program: every model of ``models`` in every target, run in its real runtime, against Keras.

Usage: KERAS_BACKEND=tensorflow python tests/matrix/matrix.py FOLDER [--only PATTERN] [--rooms A,B]
       [--targets tfjs,litert,onnx,onnx_web,openvino,numpy,torch,c] [--prove] [--jobs N] [--share 1/3]
FOLDER/results.jsonl has a line for each model and target, FOLDER/report.json the lists. A run that was cut off goes on.
On another backend of Keras: TF.js' layers models only.
"""

import argparse
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = ("numpy", "torch", "c")  # programs of few layers
TARGETS = ("tfjs", "litert", "onnx", "onnx_web", "openvino", *SOURCE)
CHUNK = 30  # models that share a Node process, which fails for want of memory after hundreds
OUTCOMES = ("equal", "refused", "refused by proof", "wrong", "internal error", "no answer of Keras")
Row = dict[str, Any]


def run(
    folder: Path, names: list[str], targets: Iterable[str], *, prove: bool = False, jobs: int = 1
) -> dict[str, Any]:
    """Run models in processes of their own, and return the report."""
    targets = list(targets) if os.environ.get("KERAS_BACKEND") == "tensorflow" else ["tfjs"]
    parts = [folder / f"part{index}" for index in range(jobs)]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as pool:
        shares = [names[index::jobs] for index in range(jobs)]
        list(pool.map(lambda part, share: supervise(part, share, targets, prove=prove), parts, shares))
    wanted = {(name, target) for name in names for target in targets}
    rows = [row for part in parts for row in read(part) if (row["name"], row["target"]) in wanted]
    found = report(rows, targets)
    (folder / "report.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return found


def supervise(folder: Path, names: list[str], targets: list[str], *, prove: bool) -> None:
    """Start workers until each model has a result: a runtime may bring its whole process down."""
    chunk = CHUNK
    while True:
        done = {(row["name"], row["target"]) for row in read(folder)}
        todo = [(name, [target for target in targets if (name, target) not in done]) for name in names]
        todo = [(name, missing) for name, missing in todo if missing]
        if not todo:
            return
        (folder / "todo.json").write_text(json.dumps(todo))
        with (folder / "stderr").open("a") as errors:
            command = [
                sys.executable,
                HERE / "matrix_worker.py",
                folder,
                "prove" if prove else "-",
                folder / "todo.json",
                str(chunk),
            ]
            code = subprocess.run(command, stderr=errors, stdout=errors, check=False).returncode
        if code:
            chunk = blame(folder, todo, code)


def blame(folder: Path, todo: list[tuple[str, list[str]]], code: int) -> int:
    """Write which model and target ended the process; return how many may share a Node process from now on."""
    if not (folder / "current.json").exists():
        raise RuntimeError(f"the matrix did not start: {(folder / 'stderr').read_text()[-2000:]}")
    name, target = json.loads((folder / "current.json").read_text())
    last = (folder / "stderr").read_text()[-300:]
    if not name:  # several models were in Node: each will be by itself
        return 1
    missing = dict(todo).get(name, [])
    rows = [
        {
            "name": name,
            "target": each,
            "outcome": "internal error",
            "why": f"the process ended with code {code}: {last}",
        }
        for each in (missing if target == "keras" else [target])
    ]
    with (folder / "results.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return CHUNK


def read(folder: Path) -> list[Row]:
    """The results so far, the last of each model and target."""
    path = folder / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return list({(row["name"], row["target"]): row for row in rows}.values())


def report(rows: list[Row], targets: Iterable[str]) -> dict[str, Any]:
    """Counts and lists of each target."""
    found: dict[str, Any] = {"counts": {}, "seconds": {}, "lists": {}}
    for target in targets:
        ours = [row for row in rows if row["target"] == target]
        found["counts"][target] = {outcome: sum(row["outcome"] == outcome for row in ours) for outcome in OUTCOMES}
        found["seconds"][target] = {
            part: round(sum(row.get(part, 0) for row in ours), 1) for part in ("built", "seconds", "ran")
        }
        found["lists"][target] = {
            outcome: {row["name"]: row["why"] for row in ours if row["outcome"] == outcome} for outcome in OUTCOMES[1:]
        }
        if target == "tfjs":
            equal = [row for row in ours if row["outcome"] == "equal"]
            found["kinds"] = {
                kind: sum(row["kind"] == kind for row in equal) for kind in ("layers-model", "graph-model")
            }
        settled = [row["name"] for row in ours if row["outcome"] == "equal" and row["difference"] > 1e-5]
        found["lists"][target]["equal within rounding"] = settled
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="a pattern (re.search) that the models' names must hold")
    parser.add_argument("--rooms", default="", help="modules of tests/matrix/models")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--prove", action="store_true", help="let each export prove itself, as users do")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--share", default="1/1", help="1/3: the first, fourth, seventh, ... model")
    chosen = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    part, parts = map(int, chosen.share.split("/"))
    names = [name for name in names_of(chosen.rooms) if re.search(chosen.only, name)][part - 1 :: parts]
    found = run(chosen.folder, names, chosen.targets.split(","), prove=chosen.prove, jobs=chosen.jobs)
    for target, lists in found["lists"].items():
        for outcome in OUTCOMES[2:]:
            for name, why in lists[outcome].items():
                print(f"{target}: {outcome}: {name}: {why.strip().splitlines()[0][:200] if why.strip() else ''}")
    print(f"{len(names)} models; of TF.js equal by kind: {found.get('kinds')}; seconds: {found['seconds']}")
    for target, counts in found["counts"].items():
        print(f"{target}: {', '.join(f'{outcome} {count}' for outcome, count in counts.items())}")


@functools.cache
def names_by_room() -> dict[str, list[str]]:
    """The names of all models; asked of a process that may import Keras."""
    code = "import json, models; print(json.dumps({room: models.names(room) for room in models.ROOMS}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def names_of(rooms: str = "") -> list[str]:
    """The names of all models, or of those in some rooms."""
    return [name for room in (rooms.split(",") if rooms else names_by_room()) for name in names_by_room()[room]]


if __name__ == "__main__":
    main()
