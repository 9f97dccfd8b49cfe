"""Several devices and processes train as one does: the same losses, the same weights."""

import os
import subprocess
import sys

import numpy as np
import pytest

TRAIN = """
import sys
from study_keras.startup import import_keras
keras = import_keras(with_tensorflow=False)
import numpy as np
from study_keras import mnist
from study_keras.mnist import models, training
(images, labels), _ = mnist.load_data()
training.set_seed(3)
model = models.mlp((16,), dropout=0.3)
models.compile(model)
how = {"epochs": 2, "batch_size": 50, "validation": 0.2, "seed": 3, "augment": {"shift": 1.0}}
history = training.train(model, images[:507], labels[:507], **how).history
np.savez(sys.argv[1], *model.get_weights(), **history)
"""


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
