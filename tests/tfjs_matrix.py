"""The TF.js matrix as a program: export every model of ``tfjs_models``, run them in TF.js, print the count.

Keras' NumPy backend gives the answers: it compiles nothing, so that hundreds of models take seconds.
Usage: KERAS_BACKEND=numpy python tests/tfjs_matrix.py FOLDER, where FOLDER/random.json holds architectures.
"""

import functools
import json
import sys
from pathlib import Path

from tfjs_helpers import answers, difference, inputs_of, randomize
from tfjs_models import EQUAL, REFUSED
from tfjs_random import random_model

from study_keras.formats.tfjs import export_tfjs, load_tfjs
from study_keras.formats.tfjs.node import run_many_tfjs

TOLERANCE = 1e-5


def main(folder: Path) -> None:
    random = json.loads((folder / "random.json").read_text())
    models = EQUAL | {f"random {part}": functools.partial(random_model, *part) for part in random}
    jobs, expected, sizes, wrong = [], [], [], []
    for index, (name, build) in enumerate(models.items()):
        model = randomize(build(), seed=index)
        path, inputs = export_tfjs(model, folder / f"{index}.tfjs"), inputs_of(model)
        jobs.append((path, inputs))
        expected.append(answers(model, inputs))
        sizes.append(model.count_params())
        if (worst := difference(expected[-1], answers(load_tfjs(path), inputs))) > TOLERANCE:
            wrong.append(f"{name}: read back, off by {worst}")
    for backend in ("wasm", "cpu"):
        small = [index for index, size in enumerate(sizes) if size < 10**6 or backend == "wasm"]  # cpu is slow
        runs = run_many_tfjs([jobs[index] for index in small], backend)
        for index, run in zip(small, runs, strict=True):
            name, right = list(models)[index], expected[index]
            worst = float("inf") if run.error else difference(right, run.outputs)
            if worst > TOLERANCE:
                wrong.append(f"{name}: on {backend} off by {worst} {run.error or ''}")
    for name, (build, words) in REFUSED.items():
        model, path = build(), folder / "refused.tfjs"
        try:
            export_tfjs(model, path)
            wrong.append(f"{name}: not refused")
        except ValueError as error:
            if words not in str(error) or path.exists():
                wrong.append(f"{name}: refused with {error}")
    print(json.dumps({"equal": len(EQUAL), "names": list(EQUAL), "refused": len(REFUSED), "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
