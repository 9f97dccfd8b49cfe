"""Several devices and processes train as one does: the same losses, the same weights."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import keras
import numpy as np
import psutil
import pytest
from conftest import COMMAND, hello_mnist

from study_keras.cli import main
from study_keras.train import launcher

TRAIN = """
import sys
from study_keras.startup import import_keras
keras = import_keras(with_tensorflow=False)
import numpy as np
from study_keras import mnist
from study_keras.train import models, fit
(images, labels), _ = mnist.load_data()
fit.set_seed(3)
model = models.mlp((16,), dropout=0.3)
models.compile(model)
how = {"epochs": 2, "batch_size": 50, "validation": 0.2, "seed": 3, "augment": {"shift": 1.0}}
history = fit.train(model, images[:507], labels[:507], **how).history
np.savez(sys.argv[1], *model.get_weights(), **history)
"""


@pytest.mark.slow
def test_several_devices_of_one_process_end_with_the_same_weights(tmp_path):
    found = []
    for count in (1, 4):  # neither a batch of 50 nor the last of 6 can be divided by 4
        path = tmp_path / f"{count}.npz"
        flags = f"--xla_force_host_platform_device_count={count}"
        environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
        subprocess.run([sys.executable, "-c", TRAIN, path], check=True, env=environment)
        found.append(dict(np.load(path)))
    one, four = found
    assert one.keys() == four.keys()
    for name, values in one.items():
        assert values == pytest.approx(four[name], abs=1e-5), name


@pytest.fixture(scope="module")
def six_thousand(tmp_path_factory):
    """6,010 images, so that the last of the batches is a short one."""
    from study_keras import mnist

    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    path = tmp_path_factory.mktemp("data") / "images.npz"
    test = {"x_test": x_test[:500], "y_test": y_test[:500]}
    np.savez(path, x_train=x_train[:6010], y_train=y_train[:6010], **test)
    return path


def command(data, folder, *more):
    return ["train", "--data", data, "--epochs", "3", "--seed", "3", "--output", folder, "--json", *more]


@pytest.fixture(scope="module")
def alone(six_thousand, tmp_path_factory):
    """The folder and the figures of a training by a single process."""
    folder = tmp_path_factory.mktemp("alone")
    done = hello_mnist(*command(six_thousand, folder))
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def assert_same(folder, figures, alone):
    """The same losses and weights as one process', within what another order of additions makes of float32."""
    for name, values in alone[1]["history"].items():
        assert figures["history"][name] == pytest.approx(values, abs=1e-4), name
    one, several = (keras.saving.load_model(place / "hello_mnist.keras") for place in (alone[0], folder))
    for ours, theirs in zip(one.get_weights(), several.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_several_processes_learn_as_one(six_thousand, alone, tmp_path):
    done = hello_mnist(*command(six_thousand, tmp_path, "--processes", 3))  # of which batches of 32 are no multiple
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path, json.loads(done.stdout), alone)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hello_mnist.json", "hello_mnist.keras"]
    assert done.stderr.count("epoch 3/3") == 1


@pytest.fixture
def hosts():
    """Of two hosts, what a command is begun with to run there, and the address of the first.

    Where the machine allows it, each has a network of its own and a wire between them; else both are this machine.
    """
    names = [f"hello-mnist-{os.getpid()}-{number}" for number in range(2)]
    orders = [f"netns add {name}" for name in names]
    orders.append(f"link add wire netns {names[0]} type veth peer name wire netns {names[1]}")
    for number, name in enumerate(names):
        orders += [f"-n {name} address add 192.0.2.{number + 1}/24 dev wire"]
        orders += [f"-n {name} link set {device} up" for device in ("wire", "lo")]
    try:
        for order in orders:
            subprocess.run(["ip", *order.split()], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        yield [[], []], f"127.0.0.1:{free_port()}"
    else:
        yield [["ip", "netns", "exec", name] for name in names], f"192.0.2.1:{free_port()}"
    finally:
        if shutil.which("ip"):
            for name in names:
                subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start_on(hosts, folders, data, *more):
    """Start a training on two hosts; return both processes."""
    places, address = hosts
    several = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": f"{address},127.0.0.1:1", "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    return [
        subprocess.Popen(
            [*place, COMMAND, *map(str, command(data, folder, *more))],
            env={**os.environ, **several, "KERAS_DISTRIBUTION_PROCESS_ID": str(number)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, (place, folder) in enumerate(zip(places, folders, strict=True))
    ]


@pytest.mark.slow
def test_two_hosts_learn_as_one(six_thousand, alone, tmp_path, hosts):
    folders = [tmp_path / "0", tmp_path / "1"]
    processes = start_on(hosts, folders, six_thousand)
    (first, said), (second, _) = (process.communicate(timeout=300) for process in processes)
    assert [process.returncode for process in processes] == [0, 0], said
    assert ("use a private network" in said) == bool(hosts[0][0])  # is what others can reach
    assert_same(folders[0], json.loads(first), alone)
    assert second == ""
    assert not list(folders[1].iterdir())


@pytest.mark.slow
def test_a_host_that_falls_silent_ends_the_other_with_one_line(six_thousand, tmp_path, hosts):
    processes = start_on(hosts, [tmp_path / "0", tmp_path / "1"], six_thousand, "--epochs", 5000)
    try:
        if hosts[0][0]:
            assert processes[0].stderr.readline().endswith("use a private network\n")
        assert processes[0].stderr.readline().startswith("epoch")
        if hosts[0][1]:
            subprocess.run(["ip", "-n", hosts[0][1][-1], "link", "set", "wire", "down"], check=True)
        else:
            processes[1].kill()
        said = processes[0].communicate(timeout=20)[1]
        processes[1].communicate(timeout=20)
    finally:
        for process in processes:
            process.kill()
    lines = [line for line in said.splitlines() if not line.startswith("epoch")]
    assert len(lines) == 1, said
    assert lines[0].startswith("Error: another process is gone or cannot be reached; resume all processes with: ")
    assert processes[0].returncode == 1


def children_of(parent):
    """The numbers of the processes that ``parent`` started."""
    lines = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in lines.splitlines()]
    return sorted(child for child, its_parent in pairs if its_parent == parent)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_one_that_is_killed_ends_the_others_and_resume_goes_on(six_thousand, alone, tmp_path, victim):
    arguments = [COMMAND, *map(str, command(six_thousand, tmp_path, "--processes", 2))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("epoch 1/3")
        children = children_of(process.pid)
        assert len(children) == 2
        os.kill(children[victim], signal.SIGKILL)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    lines = [line for line in said.splitlines() if not line.startswith("epoch ")]
    assert len(lines) == 1, said
    assert lines[0].startswith(
        f"Error: process {victim} of 2 was killed by SIGKILL; the others were ended. Resume with: "
    )
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
    processes = 1 + victim  # as many, or another number
    done = hello_mnist(*command(six_thousand, tmp_path, "--resume", "--processes", processes))
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path, json.loads(done.stdout), alone)


def test_ctrl_c_ends_all_of_them_with_130_and_one_line(six_thousand, tmp_path):
    arguments = [COMMAND, *map(str, command(six_thousand, tmp_path, "--processes", 2, "--epochs", 500))]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        process.stderr.readline()
        children = children_of(process.pid)
        try:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            said = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 130
    (line,) = [line for line in said.splitlines() if line and not line.startswith("epoch")]
    assert line.startswith("hello-mnist: stopped; finished epochs are saved, resume with: ")
    assert line.endswith(f"train --resume --output {tmp_path}")
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_no_process_outlives_the_one_that_started_it(six_thousand, tmp_path):
    arguments = [COMMAND, *map(str, command(six_thousand, tmp_path, "--processes", 2, "--epochs", 500))]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        process.stderr.readline()
        process.kill()
        process.stderr.read()  # ends when the last of them has closed it
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--join", "127.0.0.1:9"], "--join needs --processes N and --process-id K"),
        (["--process-id", "1"], "--process-id needs --join"),
        (["--join", "127.0.0.1:9", "--processes", "2", "--process-id", "2"], "--process-id 2 of 2 processes"),
        (["--processes", "33"], "--processes 33 is more than the batch size, 32"),
        (["--join", "nowhere", "--processes", "2", "--process-id", "1"], "--join nowhere: expected ADDRESS:PORT"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(options, complaint, tmp_path, capsys):
    assert main(["train", *options, "--output", str(tmp_path)]) in (1, 2)
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


def test_several_processes_need_jax(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert main(["train", "--processes", "2", "--output", str(tmp_path)]) == 2
    assert "--processes needs the jax backend" in capsys.readouterr().err


def test_who_joins_over_a_network_is_warned(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(launcher, "launch", lambda *_: 0)
    for address, warned in (("192.0.2.1:9", 1), ("[2001:db8::1]:9", 1), ("127.0.0.1:9", 0), ("[::1]:9", 0)):
        several = ["--join", address, "--processes", "2", "--process-id"]
        for number, lines in (("0", warned), ("1", 0)):
            assert main(["train", *several, number, "--output", str(tmp_path)]) == 0
            said = capsys.readouterr().err
            assert said.count("\n") == said.count("anyone who can reach the ports of this training") == lines


STRANGERS = {
    "silence": b"",
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "ones": b"\xff" * 100,
    "a large message": b"\x7f" * 1_000_000,
}


def listening(parent):
    """The addresses on which the processes that ``parent`` started listen."""
    found = set()
    for child in psutil.Process(parent).children():
        with suppress(psutil.Error):
            found |= {one.laddr for one in child.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    return found


@pytest.mark.slow
def test_strangers_on_the_ports_of_one_host_change_nothing(six_thousand, alone, tmp_path):
    arguments = [COMMAND, *map(str, command(six_thousand, tmp_path, "--processes", 2))]
    clients, seen = [], {}
    with (
        ExitStack() as stack,
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        while process.poll() is None:
            for host, port in listening(process.pid) - seen.keys():
                seen[host, port] = host.removeprefix("::ffff:")  # an IPv4 address as IPv6 writes it
                for content in STRANGERS.values():
                    with suppress(ConnectionError, TimeoutError):
                        clients.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1)))
                        clients[-1].sendall(content)
            time.sleep(0.05)
        first, said = process.communicate()
    assert process.returncode == 0, said
    assert {*seen.values()} == {"127.0.0.1"}
    assert len(seen) >= 3  # the coordinator's, and that of each process for the gradients
    assert len(clients) >= 3 * len(STRANGERS)
    assert_same(tmp_path, json.loads(first), alone)
