"""Training recipes: named settings, each chosen on a held-out part of the training images.

``notes/study_keras/5_training.en.md`` has the accuracy of each, with the command that measures it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from study_keras import plain_text


@dataclass(frozen=True)
class Warp:
    """How far ``augmentation.make_warp`` moves images at random.

    Attributes:
        shift: pixels.
        rotation: degrees.
        scale: fraction of the size.
        shear: fraction of the height.
        elastic: pixels, the largest displacement of the coarse grid's points.
    """

    shift: float = 1.5
    rotation: float = 12.0
    scale: float = 0.1
    shear: float = 0.15
    elastic: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; the defaults are the tutorial's.

    Attributes:
        network: a key of ``models.NETWORKS``.
        units: the widths of the hidden layers; for the network ``ridge``, how many principal components.
        activation: of the hidden layers, the name of a Keras activation; for ``mlp`` only.
        dropout: rate after each hidden layer, in [0, 1); for ``mlp`` only.
        optimizer: the name of a Keras optimizer.
        one_hot: whether labels become one-hot rows.
        epochs: passes over the training images.
        batch_size: images per step.
        images: how many of the training images, drawn with a fixed seed; None for all.
        validation: the fraction of these images that is held out, in [0, 1).
        seed: from 0 to 2**32 - 1; None for a random one.
        rate: the peak of a one-cycle learning rate; None for the optimizer's constant rate.
        augment: the limits of random warps; None for no augmentation.
        average: the momentum of a moving average of the weights, which replaces them at the end; None for none.
        betas: Adam's decay rates; None for Keras' defaults, 0.9 and 0.999.
    """

    network: str = "mlp"
    units: tuple[int, ...] = (128,)
    activation: str = "relu"
    dropout: float = 0.2
    optimizer: str = "adam"
    one_hot: bool = False
    epochs: int = 5
    batch_size: int = 32
    images: int | None = None
    validation: float = 0.0
    seed: int | None = None
    rate: float | None = None
    augment: Warp | None = None
    average: float | None = None
    betas: tuple[float, float] | None = None


TUTORIAL = Recipe()
BETAS = (0.8, 0.95)  # shorter averages than Adam's defaults, for trainings of a few hundred steps
RECIPES = {
    "tutorial": TUTORIAL,
    "fast": Recipe(epochs=5, batch_size=250, rate=1.6e-2, dropout=0.0, betas=BETAS),
    "mlp": Recipe(epochs=120, batch_size=250, rate=8e-3, dropout=0.0, augment=Warp()),
    "cnn": Recipe("cnn", epochs=1, batch_size=100, rate=8e-3, betas=BETAS),
    "ridge": Recipe("ridge", units=(72,), epochs=1, batch_size=500),
    "best": Recipe("best", epochs=20, batch_size=125, rate=4e-3, augment=Warp()),
    "tiny": Recipe("tiny", epochs=20, batch_size=125, rate=8e-3, augment=Warp(1.05, 8.4, 0.07, 0.105, 0.7)),
    "micro": Recipe("micro", epochs=50, batch_size=125, rate=2.4e-2, augment=Warp(0.75, 6.0, 0.05, 0.075, 0.5)),
}
MLP_ONLY = ("units", "activation", "dropout")
GRADIENT_ONLY = ("optimizer", "epochs", "rate", "betas", "augment", "average")


def backend(recipe: Recipe) -> str:
    """Return the backend that trains the network faster: JAX for dense networks, TensorFlow for others, as measured."""
    return "jax" if recipe.network == "mlp" else "tensorflow"


def unused_settings(network: str) -> set[str]:
    """Return the settings that have no meaning for a network; ``ridge`` needs no optimizer and one epoch."""
    if network == "ridge":
        return {*MLP_ONLY, *GRADIENT_ONLY} - {"units"}
    return set() if network == "mlp" else {*MLP_ONLY}


def is_number(value: Any, low: float, high: float = 1e9) -> bool:
    """Return whether a value from JSON is a number in a range, which NaN never is."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: Any, low: int, high: int = 2**31) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_warp(value: Any) -> bool:
    names = {field.name for field in fields(Warp)}
    return isinstance(value, dict) and set(value) <= names and all(is_number(item, 0) for item in value.values())


_VALID: dict[str, Callable[[Any], bool]] = {
    "network": lambda value: value in [recipe.network for recipe in RECIPES.values()],
    "units": lambda value: isinstance(value, list) and bool(value) and all(_is_count(item, 1) for item in value),
    "activation": lambda value: isinstance(value, str),
    "dropout": lambda value: is_number(value, 0, 1),
    "optimizer": lambda value: isinstance(value, str),
    "one_hot": lambda value: isinstance(value, bool),
    "epochs": lambda value: _is_count(value, 1),
    "batch_size": lambda value: _is_count(value, 1),
    "images": lambda value: value is None or _is_count(value, 1),
    "validation": lambda value: is_number(value, 0, 1),
    "seed": lambda value: value is None or _is_count(value, 0, 2**32 - 1),
    "rate": lambda value: value is None or is_number(value, 0),
    "augment": lambda value: value is None or _is_warp(value),
    "average": lambda value: value is None or is_number(value, 0, 1),
    "betas": lambda value: (
        value is None or (isinstance(value, list) and len(value) == 2 and all(is_number(item, 0, 1) for item in value))
    ),
}


def to_settings(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as plain values that survive JSON unchanged."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(recipe).items()}


def from_settings(settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe for the result of ``to_settings``; missing settings have the tutorial's values.

    Raises:
        ValueError: a setting has another type, or is out of its range.
    """
    for name, value in settings.items():
        if name in _VALID and not _VALID[name](value):
            raise ValueError(
                f"settings.{name} is {plain_text.shorten(value)}; expected a value that hello-mnist train takes"
            )
    known: dict[str, Any] = {field.name: settings[field.name] for field in fields(Recipe) if field.name in settings}
    if known.get("augment") is not None:
        known["augment"] = Warp(**known["augment"])
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return Recipe(**known)
