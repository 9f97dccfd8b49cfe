"""Ways to train that were found good: settings by name. Each was chosen on a held-out part of the training images.

A recipe is what ``hello-mnist train`` takes as options, and five settings more: ``network``, a name in
``models.NETWORKS``; ``rate``, the peak of one cycle of the learning rate, ``None`` for the optimizer's constant one;
``augment``, how far images are warped, as ``augmentation.warp`` takes it; ``average``, the momentum of a running
average of the weights, which takes their place at the end; ``betas``, Adam's. What they reach is in the README,
with the command.
"""

from typing import Any

TUTORIAL: dict[str, Any] = {
    "network": "mlp",
    "units": [128],
    "activation": "relu",
    "dropout": 0.2,
    "optimizer": "adam",
    "one_hot": False,
    "epochs": 5,
    "batch_size": 32,
    "validation": 0.0,
    "seed": None,
    "rate": None,
    "augment": None,
    "average": None,
    "betas": None,
}
# Degrees, pixels and parts, as `augmentation.warp` tells.
WARP = {"shift": 1.5, "rotation": 12.0, "scale": 0.1, "shear": 0.15, "elastic": 1.0}
# Shorter memories than Adam's usual ones, for trainings of a few hundred steps.
BETAS = [0.8, 0.95]

RECIPES: dict[str, dict[str, Any]] = {
    "tutorial": TUTORIAL,
    "fast": {**TUTORIAL, "epochs": 5, "batch_size": 250, "rate": 1.6e-2, "dropout": 0.0, "betas": BETAS},
    "mlp": {**TUTORIAL, "epochs": 120, "batch_size": 250, "rate": 8e-3, "dropout": 0.0, "augment": WARP},
    "cnn": {**TUTORIAL, "network": "cnn", "epochs": 1, "batch_size": 100, "rate": 8e-3, "betas": BETAS},
    "best": {**TUTORIAL, "network": "best", "epochs": 20, "batch_size": 125, "rate": 4e-3, "augment": WARP},
    "tiny": {**TUTORIAL, "network": "tiny", "epochs": 20, "batch_size": 125, "rate": 8e-3, "augment": WARP},
}
# What only the tutorial's kind of network takes.
OF_MLP = ("units", "activation", "dropout")


def backend(settings: dict[str, Any]) -> str:
    """Return the backend that trains such a network faster, as measured: ``jax`` dense ones, ``tensorflow`` others."""
    return "jax" if settings["network"] == "mlp" else "tensorflow"
