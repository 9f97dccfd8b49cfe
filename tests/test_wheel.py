"""What `pip install .` gives: the command, the lessons and the data, in an environment with nothing else."""

import json
import re
import shutil
import subprocess
import sys
import venv

from conftest import ROOT


def test_the_wheel_works_in_an_empty_environment(checkout, tmp_path):
    # The ranges of the wheel's own metadata decide what comes; the lock only says which version of it.
    lock = (ROOT / "requirements/run.txt").read_text()
    (tmp_path / "versions.txt").write_text("\n".join(re.findall(r"^[a-z][^\\\n]+", lock, re.MULTILINE)))
    pip_wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path]
    subprocess.run([*pip_wheel, checkout], check=True)
    (wheel,) = tmp_path.glob("*.whl")

    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    try:
        pip = [
            environment / "bin/python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-compile",
            "--constraint",
            tmp_path / "versions.txt",
        ]
        subprocess.run([*pip, wheel], check=True)
        folder = tmp_path / "folder"
        folder.mkdir()
        command = [environment / "bin/hello-mnist", "train", "--epochs", "1", "--json"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        figures = json.loads(result.stdout)
        assert figures["images"] == 10_000
        assert figures["accuracy"] > 0.94
        assert figures["model"] == str(folder / "output/hello_mnist.keras")
        lesson = [environment / "bin/python", "-c", "import study_keras.hello_mnist_1 as lesson; print(lesson.output)"]
        assert subprocess.run(lesson, cwd=folder, capture_output=True, text=True, check=True).stdout.endswith(
            f"{folder / 'output'}\n"
        )
    finally:
        shutil.rmtree(environment)  # 2 GB
