"""PyTorch with a plain loop: tensors in memory, fused Adam, and torch.compile if an argument is ``compile``."""

import sys
import time

import torch
from torch.nn.functional import cross_entropy
from work import BATCH, DROPOUT, EPOCHS, EPSILON, RATE, SEED, load, report

torch.manual_seed(SEED)
(x_train, y_train), (x_test, y_test) = [
    [torch.from_numpy(array).to(kind) for array, kind in zip(part, (torch.float32, torch.int64), strict=True)]
    for part in load()
]
model = torch.nn.Sequential(
    torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT), torch.nn.Linear(128, 10)
)
optimizer = torch.optim.Adam(model.parameters(), lr=RATE, eps=EPSILON, fused=True)


def loss_of(images, labels):
    return cross_entropy(model(images), labels)


if "compile" in sys.argv:
    loss_of = torch.compile(loss_of)

started = time.perf_counter()
for _ in range(EPOCHS):
    for batch in torch.randperm(len(x_train)).split(BATCH):
        optimizer.zero_grad()
        loss_of(x_train[batch], y_train[batch]).backward()
        optimizer.step()
seconds = time.perf_counter() - started
model.eval()
with torch.no_grad():
    report(seconds, (model(x_test).argmax(1) == y_test).float().mean())
