"""Runs the code in a README.md that `convert --all` wrote, as it stands there."""

import json
import re
import subprocess
import sys
from importlib import invalidate_caches

import keras
import numpy as np

from study_keras.page import FOLDER
from study_keras.runtimes import c_compiler, tfjs

# What a page does in its folder, on the disk.
FETCH = (
    "import { readFile } from 'node:fs/promises'; globalThis.fetch = async (url) => new Response(await readFile(url));"
)
SAVE = {
    "TensorFlow.js": "const found = outputs.map((output) => Array.from(output.dataSync()));",
    "onnxruntime-web": "const found = session.outputNames.map((name) => Array.from(outputs[name].data, Number));",
}


def blocks(folder):
    """The blocks of a README.md: (heading, language) -> code."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    found = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        for language, code in re.findall(r"^```(\w+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            found[heading, language] = code
    return found


def run_python(folder, code, monkeypatch):
    """Return `outputs`, flat and in the order of the names that the comments give."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    invalidate_caches()
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)
    names = re.findall(r"^# (\S+): \(", code, re.MULTILINE)
    outputs = namespace["outputs"]
    if "a dict by the names" in code:
        outputs = [outputs[name] for name in names]
    return [np.asarray(output) for output in keras.tree.flatten(outputs)]


def run_js(folder, code, name, tmp_path):
    """Return the numbers of each output, flat."""
    (tmp_path / "node_modules").exists() or (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "fetch.mjs").write_text(FETCH)
    end = f"{SAVE[name]}\nimport {{ writeFileSync }} from 'node:fs';\n"
    script = tmp_path / "main.mjs"
    script.write_text(
        f"{code}\n{end}writeFileSync({json.dumps(str(tmp_path / 'found.json'))}, JSON.stringify(found));\n"
    )
    command = [tfjs.find_node(), "--import", tmp_path / "fetch.mjs", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return [np.asarray(numbers) for numbers in json.loads((tmp_path / "found.json").read_text())]


def run_c(folder, code, tmp_path):
    """Return all numbers that the program prints."""
    main = tmp_path / "main.c"
    main.write_text(code)
    source = next(path for path in folder.glob("*.c") if f'"{path.stem}.h"' in code)
    c_compiler.compile_c([main, source], tmp_path / "main", ("-O1", f"-I{folder}"))
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    return np.array(done.stdout.split(), float)


def forget(folder):
    """Let Python import other programs of the same name."""
    for path in folder.glob("*.py"):
        sys.modules.pop(path.stem, None)
