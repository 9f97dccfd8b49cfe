"""This project as users run it: ``hello-mnist train``, which also saves and tests the model."""

import json
import subprocess
import sys
import tempfile

from work import SEED, report

with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "study_keras.cli", "train", "--seed", str(SEED), "--json", "--output", folder]
    command += sys.argv[2:]  # such as --recipe fast
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
figures = json.loads(done.stdout)
report(figures.get("fit_seconds", figures["seconds"]), figures["accuracy"])
