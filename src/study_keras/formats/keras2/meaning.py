"""Settings of Keras 2 that Keras 3 accepts with another meaning."""

from typing import Any

_ACTIVATIONS = ("activation", "recurrent_activation")


def kept(node: Any) -> Any:
    """Return a config of Keras 2, plain values, with which Keras 3 computes what Keras 2 did."""
    if isinstance(node, list):
        return [kept(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: kept(item) for key, item in node.items()}
    if node.keys() == {"type", "value"} and node["type"] == "ndarray":  # Keras before 2.3, of an array
        return node["value"]
    name, config = node.get("class_name"), node.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        return node
    if name in ("GRU", "GRUCell"):
        config.setdefault("reset_after", False)  # as it was before Keras had the option
    if name.startswith("ConvLSTM"):
        config.setdefault("recurrent_activation", "hard_sigmoid")
    for key in _ACTIVATIONS:
        if key in config and _is_hard_sigmoid(config[key]):
            config[key] = hard_sigmoid(config.get("dtype"))
    return node


def hard_sigmoid(dtype: Any = None) -> dict[str, Any]:
    """Return Keras 2's ``hard_sigmoid``, 0.2 x + 0.5 cut off at 0 and 1, as layers in the place of an activation.

    Keras 3's is x / 6 + 0.5. Layers need no custom object in any format that the model is saved in, and leave the
    weights unchanged, so that those may come from another file.
    """
    settings = {} if dtype is None else {"dtype": dtype}
    line = _layer("Rescaling", {"scale": 0.2, "offset": 0.5, **settings})
    ends = _layer("ReLU", {"max_value": 1.0, **settings})
    return _layer("Pipeline", {"layers": [line, ends]})


def number(value: Any) -> Any:
    """Return the number in an array of one number, in any form that Keras 2 wrote; other values unchanged."""
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        config = value.get("config")
        value = config.get("value") if isinstance(config, dict) else value
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _is_hard_sigmoid(value: Any) -> bool:
    """Return whether an activation is hard_sigmoid, by name or, as in ``.keras``, as a function."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    return isinstance(value, str) and value == "hard_sigmoid"


def _layer(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}
