"""What the tests of the page's views share: its functions in Node, and checks in a real browser."""

import json
import subprocess

from conftest import ROOT

from study_keras.runtimes.tfjs import find_node

PAGE = ROOT / "src/study_keras/page"


def node(code, *arguments):
    """Run JavaScript in the folder of the page, and return what it prints as JSON."""
    command = [find_node(), "--input-type=module", "--eval", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_checks(script, spec, folder):
    """Run the checks of a script in tests/browser, and return a function: what came of one of them."""
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [find_node(), ROOT / "tests/browser" / script, folder / "spec.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stderr)
    results = json.loads(done.stdout.splitlines()[-1])

    def result(name):
        failed = isinstance(results[name], dict) and results[name].get("error")
        assert not failed, failed
        return results[name]

    return result
