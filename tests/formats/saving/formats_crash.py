"""What must happen in a process of its own: damaged files (``fuzz``), and saving until killed (``save``)."""

import contextlib
import os
import random
import shutil
import signal
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow  # noqa: F401 - so that no child needs to

from study_keras import formats

NAMES = ("m.keras", "m.h5", "m.weights.h5", "m.json", "m.yaml", "m.ckpt", "saved")


def model():
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, name="hidden")(inputs)
    made = keras.Model(inputs, keras.layers.Dense(2, name="last")(hidden), name="made")
    made.compile("sgd", "mse")
    return made


def answer(path, inputs):
    """Load whatever is at ``path`` and return what it computes; ValueError if it refuses."""
    if formats.detect(path).name in ("weights_h5", "tf_checkpoint"):
        made = model()
        formats.load_weights(made, path)
    else:
        made = formats.load(path)
    return made(inputs) if formats.detect(path).name == "saved_model" else np.asarray(made(inputs))


def damage(content, dice):
    """Return ``content`` with a few bytes changed, or cut short."""
    if dice.random() < 0.25:
        return content[: dice.randrange(len(content))]
    content = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        content[dice.randrange(len(content))] = dice.randrange(256)
    return bytes(content)


def fuzz(folder, rounds):
    """Damage each format ``rounds`` times; what is not a ValueError must be a model that computes numbers."""
    refused = loaded = 0
    good, bad = folder / "good", folder / "bad"
    good.mkdir()
    made = model()
    for name in NAMES:
        formats.save(made, good / name)
    dice = random.Random(7)
    for turn in range(rounds):
        for name in NAMES:
            shutil.rmtree(bad, ignore_errors=True)
            shutil.copytree(good, bad)
            victims = [path for path in bad.rglob("*") if path.relative_to(bad).as_posix().startswith(name)]
            victim = dice.choice([path for path in victims if path.is_file() and path.stat().st_size])
            victim.write_bytes(damage(victim.read_bytes(), dice))
            try:
                found = answer(bad / name, np.ones((2, 3), "float32"))
            except (ValueError, UserWarning):  # the warning names the settings that were left out
                refused += 1
                continue
            finally:
                keras.utils.clear_session(free_memory=False)
            assert np.asarray(found).dtype.kind == "f", (turn, name, found)
            loaded += 1
    print(f"refused {refused} loaded {loaded}")


def save(folder, kills):
    """Fork a child that saves one format over and over and kill it at a random moment, ``kills`` times.

    After each, what is there must be one whole save: its answer says which.
    """
    dice = random.Random(11)
    for name in NAMES:
        pid = os.fork()
        if pid == 0:
            saving(folder / name, 1, None)
        assert os.waitpid(pid, 0)[1] == 0
    for kill in range(kills):
        name = NAMES[kill % len(NAMES)]
        ready, started = os.pipe()
        pid = os.fork()
        if pid == 0:
            saving(folder / name, 2 + 10 * kill, started)
        os.close(started)
        os.read(ready, 1)
        os.close(ready)
        with contextlib.suppress(TimeoutError):
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(0.0005, 1.5 if name == "saved" else 0.15))
            signal.sigwait({signal.SIGALRM})
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        checker = os.fork()
        if checker == 0:  # a child, so that TensorFlow never starts in the process that forks
            check(folder / name)
        assert os.waitpid(checker, 0)[1] == 0, (kill, name)
        print("whole", flush=True)


def check(path):
    """In a child: exit well if one whole save stands at ``path``."""
    found = answer(path, np.ones((2, 3), "float32"))
    if path.suffix not in (".json", ".yaml"):  # with all weights k: hidden 3k + k, last 4k * 4k + k
        assert any(np.array_equal(found, np.full((2, 2), 16 * k * k + k, "float32")) for k in range(1, 8)), found
    os._exit(0)


def saving(path, number, started):
    """In a child: save models whose weights are all one number, until killed; or once."""
    made = model()
    while True:
        for variable in made.trainable_variables:
            variable.assign(np.full(variable.shape, number % 7 + 1, "float32"))
        if started is not None:
            os.write(started, b".")
        formats.save(made, path)
        if started is None:
            os._exit(0)
        number += 1


if __name__ == "__main__":
    warnings.simplefilter("error")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    {"fuzz": fuzz, "save": save}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
