"""This project as users run it: ``hello-mnist train``, which also saves and tests the model.

The seconds of the process are those of the command alone, without this script around it.
"""

import json
import subprocess
import sys
import tempfile
import time

from work import SEED, report

with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "study_keras.cli", "train", "--seed", str(SEED), "--json", "--output", folder]
    command += sys.argv[2:]  # such as --recipe fast
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - started
figures = json.loads(done.stdout)
report(figures.get("fit_seconds", figures["seconds"]), figures["accuracy"], process_seconds=round(seconds, 3))
