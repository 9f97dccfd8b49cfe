"""The notebooks in the package: the course's text and code, and a first cell that installs the library."""

import os
import re
import shutil
import subprocess
import sys
import venv

import make_notebooks
import nbformat
import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "src/study_keras/notebooks").iterdir())
# Runs notebooks as Jupyter does, each in a kernel of its own, and prints the accuracies that they print.
EXECUTE = """
import re, sys, nbclient, nbformat
for path in sys.argv[1:]:
    notebook = nbclient.NotebookClient(nbformat.read(path, as_version=4), timeout=600).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    print(*re.findall(r"accuracy: ([.\\d]+)", printed))
"""
# In a kernel, before the first cell: 1,000 images to learn from, as many to be tested on.
FEW_IMAGES = """
from study_keras import mnist
few = [tuple(part[:1000] for part in pair) for pair in mnist.load_data()]
mnist.load_data = lambda few=few: few
del few, mnist
"""


def test_the_notebooks_are_what_their_tool_writes(tmp_path):
    make_notebooks.main(tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(written) == [path.name for path in NOTEBOOKS], "run: make notebooks"
    for path in NOTEBOOKS:
        assert path.read_text() == written[path.name], f"{path.name} is out of date; run: make notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_holds_the_lesson_and_its_pictures_and_no_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    install, *cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert install == notebook.cells[0]
    assert re.search(r"^ +%pip install .*hello-mnist$", install.source, re.MULTILINE)
    source = (ROOT / "src/study_keras" / f"{path.name.partition('.')[0]}.py").read_text()
    lesson = source.replace("\n\n\n", "\n\n")  # two blank lines around a function
    if path.stem.partition(".")[0] != "hello_mnist":  # the quiz is about the lessons from 1 on
        number, language = path.stem[12], "en" if ".en" in path.name else "zh"
        assert notebook.cells[-1].source == f'from study_keras import quiz\n\nquiz.show({number}, "{language}")'
        assert cells.pop() == notebook.cells[-1]
    assert "\n\n".join(cell.source for cell in cells) + "\n" == lesson
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert notebook.metadata.title in notebook.cells[1].source
    for cell in notebook.cells:
        targets = re.findall(r"\]\((\S+?)\)", cell.source) if cell.cell_type == "markdown" else []
        # Nothing else in the repository can be reached from a copy of the notebook.
        assert {target.partition(":")[2] for target in targets} == set(cell.get("attachments", {}))


@pytest.mark.slow
def test_the_notebooks_run_from_top_to_bottom(checkout, tmp_path):
    startup = tmp_path / "profile_default/startup/few_images.py"  # the notebooks themselves stay as they are
    startup.parent.mkdir(parents=True)
    startup.write_text(FEW_IMAGES)
    path = os.pathsep.join([str(checkout / "src"), os.environ.get("PYTHONPATH", "")])
    # In Chinese the cells are the same; the other lessons' cells do nothing that these do not.
    # Lessons 6 and 7 name images by their place among the 60,000, so they get all.
    for lessons, profile in (("135", tmp_path), ("67", tmp_path / "all_images")):
        paths = [path for path in NOTEBOOKS if re.search(rf"_[{lessons}].en.ipynb", path.name)]
        environment = {**os.environ, "IPYTHONDIR": str(profile), "PYTHONPATH": path}
        command = [sys.executable, "-c", EXECUTE, *paths]
        result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    assert (checkout / "output/hello_mnist_5.tflite").exists()


@pytest.mark.slow
def test_a_notebook_installs_the_library_by_its_first_cell(checkout, tmp_path):
    """In an environment with Jupyter's kernel alone, as an editor or an online service has it."""
    wheels, environment, folder = tmp_path / "wheels", tmp_path / "environment", tmp_path / "folder"
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, checkout]
    subprocess.run(wheel, check=True)
    # The ranges of the wheel's own metadata decide what comes; the locks only say which version of it.
    locks = "".join((ROOT / f"requirements/{name}.txt").read_text() for name in ("dev", "run"))
    versions = tmp_path / "versions.txt"
    versions.write_text("\n".join(dict.fromkeys(re.findall(r"^[a-z][^\\\n]+", locks, re.MULTILINE))))
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    alone |= {"PIP_CONSTRAINT": str(versions), "PIP_FIND_LINKS": f"{wheels} {os.environ.get('PIP_FIND_LINKS', '')}"}
    alone |= {"PIP_NO_COMPILE": "1", "IPYTHONDIR": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}
    venv.create(environment, with_pip=True)
    try:
        python = environment / "bin/python"
        subprocess.run([python, "-m", "pip", "install", "-q", "nbclient", "ipykernel"], env=alone, check=True)
        missing = subprocess.run([python, "-c", "import study_keras"], env=alone, capture_output=True, check=False)
        assert b"No module named 'study_keras'" in missing.stderr
        folder.mkdir()
        notebook = ROOT / "src/study_keras/notebooks/hello_mnist.ipynb"
        command = [python, "-c", EXECUTE, notebook]
        result = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert 0.97 < float(result.stdout.split()[-1]) < 0.985
        lesson = [environment / "bin/hello-mnist", "lesson", "5", "--notebook", "--language", "en"]
        subprocess.run(lesson, cwd=folder, env=alone, check=True, capture_output=True)
        assert (folder / "hello_mnist_5.en.ipynb").is_file()
    finally:
        shutil.rmtree(environment)  # 2 GB
