"""Translates the optimizer, loss and metrics of a compiled model, with which TF.js can continue the training."""

import warnings
from typing import Any, NoReturn

import keras

# Keras' class -> TF.js' class and the options that both have
OPTIMIZERS = {
    "Adadelta": ("Adadelta", ("rho", "epsilon")),
    "Adagrad": ("Adagrad", ("initial_accumulator_value",)),
    "Adam": ("Adam", ("beta_1", "beta_2", "epsilon")),
    "Adamax": ("Adamax", ("beta_1", "beta_2", "epsilon")),
    "RMSprop": ("RMSProp", ("rho", "momentum", "epsilon", "centered")),
    "SGD": ("SGD", ()),
}
# Options that TF.js lacks; each must be off.
ABSENT = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "amsgrad", "loss_scale_factor",
    "gradient_accumulation_steps",
)  # fmt: skip
LOSSES = {
    **{
        name: name
        for name in (
            "binary_crossentropy", "categorical_crossentropy", "categorical_hinge", "hinge",
            "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
            "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
        )
    },
    "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error", "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error", "kl_divergence": "kullback_leibler_divergence",
}  # fmt: skip
METRICS = {"acc", "accuracy", "mae", "mape", "mse"}


def training_config(model: keras.Model) -> dict[str, Any]:
    """Return TF.js' ``trainingConfig`` of a compiled model, without the state of the optimizer.

    Raises:
        ValueError: the model is not compiled, or TF.js lacks one of its settings.
    """
    if not getattr(model, "compiled", False):
        raise ValueError(f"model {model.name!r} is not compiled; call model.compile or leave training=True out")
    with warnings.catch_warnings():  # Keras reads its variables in a way that NumPy 2 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        config, optimizer = model.get_compile_config(), model.optimizer.get_config()
    if config is None or config.get("loss_weights") or config.get("weighted_metrics"):
        _refuse("loss_weights or weighted_metrics", "leave them out")
    losses = config["loss"] if isinstance(config["loss"], list) else [config["loss"]]
    metrics = config.get("metrics") or []
    if not isinstance(metrics, list) or not all(isinstance(name, str) and name in METRICS for name in metrics):
        _refuse(f"metrics {metrics!r}", f"use a list of {', '.join(sorted(METRICS))}")
    names = [_loss(loss) for loss in losses]
    return {
        "optimizer_config": _optimizer(type(model.optimizer).__name__, optimizer),
        "loss": names if isinstance(config["loss"], list) else names[0],
        "metrics": metrics,
    }


def _optimizer(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    if kind not in OPTIMIZERS:
        _refuse(f"optimizer {kind}", f"use one of {', '.join(OPTIMIZERS)}")
    for name in ABSENT:
        if config.get(name):
            _refuse(f"{kind} with {name}={config[name]!r}", "leave it out")
    rate = config["learning_rate"]
    if not isinstance(rate, float):
        _refuse("learning rate schedule", "use a number")
    class_name, names = OPTIMIZERS[kind]
    options = {"decay" if name == "rho" and kind == "RMSprop" else name: config[name] for name in names}
    if kind == "SGD" and config["momentum"]:
        class_name, options = "Momentum", {"momentum": config["momentum"], "use_nesterov": config["nesterov"]}
    return {"class_name": class_name, "config": {"learning_rate": rate, **options}}


def _loss(loss: Any) -> str:
    """Return TF.js' name of a loss given by name or as an object with default options."""
    name, options = loss, {}
    if isinstance(loss, dict):
        options = loss.get("config", {})
        options = options if isinstance(options, dict) else {}
        name = options.get("name", loss.get("config"))
    changed = [key for key in ("from_logits", "label_smoothing", "ignore_class") if options.get(key)]
    if changed or not isinstance(name, str) or name not in LOSSES:
        _refuse(f"loss {name!r} with {changed or 'its options'}", f"use one of {', '.join(sorted(LOSSES))}")
    return LOSSES[name]


def _refuse(what: str, instead: str) -> NoReturn:
    raise ValueError(f"TF.js has no {what}; {instead}")
