"""tinygrad on the CPU: one training step in TinyJit, which slices its batch out of the shuffled images.

tinygrad compiles with ``clang``, or, if it is not installed, with the one in the package ziglang.
"""

import os
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

os.environ["DEV"] = "CPU"
folder = tempfile.TemporaryDirectory()
if not shutil.which("clang"):
    clang = Path(folder.name) / "clang"
    clang.write_text(f'#!/bin/sh\nexec "{Path(find_spec("ziglang").origin).with_name("zig")}" clang "$@"\n')
    clang.chmod(0o755)
    os.environ["CC"] = str(clang)

import numpy as np
from tinygrad import Context, Tensor, TinyJit, Variable, nn
from work import BATCH, DROPOUT, EPOCHS, EPSILON, RATE, SEED, load, report

Tensor.manual_seed(SEED)
(x_train, y_train), (x_test, y_test) = load()
layers = [nn.Linear(784, 128), nn.Linear(128, 10)]
optimizer = nn.optim.Adam(nn.state.get_parameters(layers), lr=RATE, eps=EPSILON)
images, labels = Tensor(x_train).realize(), Tensor(y_train).realize()
start = Variable("start", 0, len(x_train) - BATCH)


@TinyJit
def step(start):
    optimizer.zero_grad()
    hidden = layers[0](images.shrink(((start, start + BATCH), None))).relu().dropout(DROPOUT)
    loss = layers[1](hidden).sparse_categorical_crossentropy(labels.shrink(((start, start + BATCH),)))
    loss.backward()
    return loss.realize(*optimizer.schedule_step())


started = time.perf_counter()
generator = np.random.default_rng(SEED)
with Context(TRAINING=1):
    for _ in range(EPOCHS):
        order = generator.permutation(len(x_train))
        images.assign(Tensor(x_train[order])).realize()
        labels.assign(Tensor(y_train[order])).realize()
        for first in range(0, len(x_train), BATCH):
            loss = step(start.bind(first))
loss.item()  # wait for the last step
seconds = time.perf_counter() - started
answers = layers[1](layers[0](Tensor(x_test)).relu()).argmax(1).numpy()
report(seconds, (answers == y_test).mean())
