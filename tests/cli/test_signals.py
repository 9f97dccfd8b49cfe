"""Ctrl-C and other signals end every verb at once, with one line and nothing left behind; and streams may be closed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import COMMAND, ROOT, hello_mnist

DIGIT = str(ROOT / "tests/golden/plain_3.png")
SECONDS = 2 + 2  # to end, and for a busy machine to notice
VERBS = {
    "run": ["--output", "{out}"],
    "train": ["--epochs", "100000", "--output", "{out}"],
    "compare": ["--epochs", "1000", "--output", "{out}"],
    "data": ["--output", "{out}/data.png"],
    "evaluate": ["{model}"],
    "report": ["{model}", "--output", "{out}/report.html"],
    "show": ["{model}"],
    "convert": ["{model}", "{out}/model.onnx"],
    "verify": ["{model}", "{tfjs}"],
    "predict": ["-"],
    "serve": ["--port", "0"],
}


@pytest.fixture(scope="module")
def tfjs(trained, tmp_path_factory):
    """The path of the trained model for TensorFlow.js."""
    path = tmp_path_factory.mktemp("tfjs") / "model.tfjs"
    assert hello_mnist("convert", trained, path, "--no-proof").returncode == 0
    return path


@pytest.fixture
def start(trained, tfjs, tmp_path):
    """A function that starts a verb, with its own folder for temporary files, and kills it at the end of the test."""
    started = []

    def start(verb):
        (tmp_path / "temporary").mkdir()
        places = {"out": tmp_path / "out", "model": trained, "tfjs": tfjs}
        (tmp_path / "out").mkdir()
        command = [str(COMMAND), verb, *(argument.format(**places) for argument in VERBS[verb])]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        )
        started.append(process)
        poll(lambda: handles_signals(process.pid) or process.poll() is not None)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def handles_signals(pid):
    """Whether the command's first lines have run: Python alone does not handle SIGTERM."""
    return has_signal(pid, "SigCgt", signal.SIGTERM)


def has_signal(pid, field, number):
    """Whether a set of signals in the process' status, those caught or those ignored, has a signal."""
    with Path(f"/proc/{pid}/status").open() as status:
        (signals,) = [line.split()[1] for line in status if line.startswith(field)]
    return int(signals, 16) >> (number - 1) & 1


def poll(true, seconds=60):
    """Wait until ``true`` returns a true value, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
    return found


def descendants(pid, command=""):
    """The processes that ``pid`` started, and those that they started, with ``command`` in what they run."""
    columns = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    lines = subprocess.run(columns, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=3) for line in lines.splitlines()]
    rows = [row for row in rows if not row[2].startswith("Z")]
    children = [row for row in rows if int(row[1]) == pid]
    below = [each for row in children for each in descendants(int(row[0]), command)]
    return [*(int(row[0]) for row in children if command in row[-1]), *below]


def run_for(process, seconds):
    """Let it work for a while, unless it is done before; what it prints is not read."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def is_done(process):
    """Hold the process, and return whether its work is done: it ignores signals then and ends by itself."""
    os.killpg(process.pid, signal.SIGSTOP)
    return process.poll() is not None or has_signal(process.pid, "SigIgn", signal.SIGINT)


def stop(process, tmp_path, number=signal.SIGINT):
    """Send the signal as a terminal does, and check how the command ends; return its last line."""
    children = descendants(process.pid)
    before = time.monotonic()
    os.killpg(process.pid, number)
    os.killpg(process.pid, signal.SIGCONT)
    said = process.communicate(timeout=30)[1]
    assert time.monotonic() - before < SECONDS
    assert process.returncode == 128 + number, said
    (line,) = [line for line in said.splitlines() if line and not line.startswith(("epoch", "exporting", "--host"))]
    assert line.startswith("hello-mnist: stopped")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert [path for path in (tmp_path / "out").rglob("*") if path.name.endswith(".tmp")] == []
    poll(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 5)
    return line


@pytest.mark.parametrize("seconds", [0, 0.05, 0.4])
@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_during_the_imports_ends_every_verb(start, tmp_path, verb, seconds):
    process = start(verb)
    assert run_for(process, seconds)
    stop(process, tmp_path)


@pytest.mark.parametrize("verb", ["train", pytest.param("run", marks=pytest.mark.slow)])
def test_ctrl_c_in_a_training_says_how_to_resume_it(start, tmp_path, verb):
    process = start(verb)
    assert process.stderr.readline().startswith("epoch")
    line = stop(process, tmp_path)
    assert re.search(rf"epochs are saved, resume with: \S*hello-mnist train --resume --output {tmp_path}/out$", line)
    assert (tmp_path / "out/hello_mnist.unfinished.keras").exists()


@pytest.mark.parametrize(("verb", "number"), [("convert", signal.SIGINT), ("verify", signal.SIGTERM)])
def test_a_signal_ends_a_verb_together_with_the_process_that_works_for_it(start, tmp_path, verb, number):
    process = start(verb)
    poll(lambda: descendants(process.pid) or process.poll() is not None)
    stop(process, tmp_path, number)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM, signal.SIGKILL]
)
def test_the_processes_of_compare_end_with_it(start, tmp_path, number):
    process = start("compare")
    poll(lambda: len(descendants(process.pid)) > 1)
    if number == signal.SIGKILL:
        children = descendants(process.pid)
        process.kill()
        poll(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 5)
    else:
        stop(process, tmp_path, number)


def test_a_killed_process_of_compare_is_one_line(start):
    process = start("compare")
    os.kill(poll(lambda: descendants(process.pid, "sweep.work"))[0], signal.SIGKILL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert said.startswith("hello-mnist: a process that trains was killed by SIGKILL")
    assert said.count("\n") == 1


@pytest.mark.parametrize("verb", [pytest.param("convert", marks=pytest.mark.slow), "verify"])
def test_a_killed_verb_leaves_no_process(start, verb):
    process = start(verb)
    poll(lambda: descendants(process.pid))
    children = descendants(process.pid)
    process.kill()
    poll(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 5)


def test_ctrl_c_in_the_middle_of_native_code_ends_it(tmp_path):
    code = """if True:
        import ctypes, sys
        from study_keras import startup, stopping
        stopping.handle_signals()
        with startup.silence_output(2):  # as while TensorFlow is imported
            print("ready", flush=True)
            for _ in range(2):  # a signal ends the first one
                ctypes.CDLL(None).nanosleep((ctypes.c_long * 2)(60, 0), None)"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=SECONDS)[1] == b"hello-mnist: stopped\n"
    assert process.returncode == 130


def test_ctrl_c_while_keras_writes_a_model_leaves_no_folder(tmp_path):
    code = f"""if True:
        import os, signal, sys, time, keras
        from study_keras import formats, stopping
        class Stopped(keras.layers.Dense):
            def save_own_variables(self, store):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)
        model = keras.Sequential([keras.Input((3,)), Stopped(2)])
        stopping.handle_signals()
        formats.save_keras(model, {str(tmp_path / "m.keras")!r})"""
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, env=environment, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "hello-mnist: stopped")
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


def test_importing_the_library_or_calling_main_handles_no_signal():
    code = "import signal; from study_keras import files, formats; from study_keras.cli import main; main(['--help'])\n"
    code += "print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{int(signal.SIG_DFL)} True"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_as_if_nothing_were_read_or_printed(tmp_path, closed):
    command = f'exec "$0" predict "$1" --show "$2" {closed}'
    arguments = ["sh", "-c", command, str(COMMAND), DIGIT, str(tmp_path / "shown")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else hello_mnist("predict", DIGIT).stdout)
    kinds = {path.read_bytes()[:4] for path in (tmp_path / "shown").iterdir()}
    assert kinds == {b"\x89PNG"}  # nothing was printed into them


def test_a_full_disk_behind_the_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "predict", DIGIT], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    expected = "hello-mnist: standard output: cannot be written (No space left on device); send it elsewhere\n"
    assert done.stderr == expected


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.01, 0.02, 0.1, 0.2, 0.7, 1, 1.5, 2, 3, 5])
@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_at_any_moment_ends_every_verb(start, tmp_path, verb, seconds):
    process = start(verb)
    if run_for(process, seconds) and not is_done(process):
        stop(process, tmp_path)
    elif process.returncode is None:
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGCONT)
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 0, said
    else:
        assert process.returncode == 0
