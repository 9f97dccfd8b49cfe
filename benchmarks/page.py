"""Training in the page: seconds to 97 % in Chromium, beside TensorFlow.js, and how smooth drawing stays.

    make bench, or: python benchmarks/page.py

The tutorial's network, 60,000 images, batches of 32, Adam, as the page that `hello-mnist serve` serves trains it when
one presses Start; and the same network in TensorFlow.js, of whose pass some steps are measured. The ways alternate for
several rounds; the output is the median and the range. Last come the sizes of the page.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from study_keras.runtimes.tfjs import find_node
from study_keras.serve import single_file
from study_keras.train import models

ROUNDS = 3


def spread(values: list[float], digits: int = 1) -> str:
    return f"{median(values):6.{digits}f}  ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    site = single_file.build()
    script = Path(__file__).with_suffix(".mjs")
    serve = [sys.executable, "-m", "study_keras.cli", "serve", "--port", "0"]
    command = [find_node(), str(script), str(ROUNDS), *serve]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    results = json.loads(done.stdout)
    learned = results["learn"]
    print(f"Chromium {results['browser']}, {os.cpu_count()} cores, {ROUNDS} rounds, load {os.getloadavg()[0]:.1f}")
    print(f"97 % of the test images, seconds        {spread([one['seconds'] for one in learned])}")
    print(f"  passes until then                     {spread([one['passes'] for one in learned], 0)}")
    print(f"a pass of 60,000 images, seconds        {spread([one['seconds'] / one['passes'] for one in learned])}")
    print(f"  the same in TensorFlow.js on wasm     {spread(results['wasm'])}")
    print(f"  the same in TensorFlow.js on cpu      {spread(results['cpu'])}")
    for name, what in (("idle", "while drawing"), ("busy", "while drawing and training")):
        print(f"frames a second {what:27} {spread([one['perSecond'] for one in results[name]], 0)}")
        print(f"  the longest wait for one, in ms       {spread([one['longest'] for one in results[name]], 0)}")
    with tempfile.TemporaryDirectory() as folder:
        one_file = single_file.write_page(models.mlp(), Path(folder) / "page.html", prove=False).stat().st_size
    view, worker = (sum(path.stat().st_size for path in site.glob(f"{name}-*.js")) for name in ("view", "worker"))
    print(f"the one-file page with the tutorial's network: {one_file:,} bytes")
    print(f"what opening the view fetches besides MNIST's 11 MB: {view + worker:,} bytes")


if __name__ == "__main__":
    main()
