"""Changes JSON and YAML as trees: another value, key, class or place; too deep, too large, no JSON at all."""

import json
import random
from typing import Any

import yaml
from fuzz_values import CLASSES, INTEGERS, KEYS, MODULES, TEXTS

# Text that ``json.dumps`` cannot write, put in where a string with this name stands.
RAW = {
    "@deep": "[" * 3000 + "]" * 3000,
    "@objects": '{"a":' * 120 + "1" + "}" * 120,
    "@digits": "9" * 5000,
    "@float": "1e999",
    "@twice": '{"a": 1, "a": 2}',
    "@rest": "1} {",
}


def change_json(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Return JSON with one change."""
    text = json.dumps(change_tree(json.loads(content), rng, outside))
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text.encode("utf-8", "surrogatepass")


def change_yaml(content: bytes, rng: random.Random, outside: str) -> bytes:
    """Return YAML with one change."""
    tree = change_tree(yaml.safe_load(content.replace(b"!!python/tuple", b"")), rng, outside)
    text = yaml.safe_dump(tree, sort_keys=False)
    for name, raw in {**RAW, "@twice": "&a [*a]", "@rest": "!!python/name:os.system x"}.items():
        text = text.replace(f"'{name}'", raw)
    return text.encode("utf-8", "surrogatepass")


def change_tree(tree: Any, rng: random.Random, outside: str) -> Any:
    """Change one place of nested dicts and lists, and return it."""
    holder = {"root": tree}
    places = list(_places(holder))
    parent, key = rng.choice(places)
    other, other_key = rng.choice(places)
    match rng.randrange(9):
        case 0 | 1 | 2 | 3:
            parent[key] = nasty(rng, outside, key, parent[key])
        case 4:
            del parent[key]
        case 5:
            parent[key] = json.loads(json.dumps(other[other_key]))
        case 6:
            parent[key], other[other_key] = json.loads(json.dumps([other[other_key], parent[key]]))
        case 7 if isinstance(parent, dict):
            parent[rng.choice(KEYS)] = parent.pop(key)
        case 8 if isinstance(parent, dict):
            name = rng.choice(KEYS)
            parent[name] = nasty(rng, outside, name, None)
        case _:
            parent[key] = [parent[key]] * rng.choice((1, 2, 50))
    return holder.get("root")


def nasty(rng: random.Random, outside: str, key: Any, value: Any) -> Any:
    """Return another value for ``key``, often one that it could have."""
    if key == "class_name" and rng.random() < 0.7:
        return rng.choice(CLASSES)
    if key == "module" and rng.random() < 0.7:
        return rng.choice(MODULES)
    if isinstance(value, list) and value and rng.random() < 0.4:
        return rng.choice(
            (value[::-1], value[:-1], value * 2, [*value, None], [value], value[0], dict(enumerate(value)))
        )
    return rng.choice(
        (
            *(None, True, False, -1, 0.5, -0.0, float("nan"), float("inf"), 1e308, [], {}, [[]], [None], {"": {}}),
            *(rng.choice(INTEGERS), rng.choice(INTEGERS), rng.choice(TEXTS), rng.choice(TEXTS), rng.choice((*RAW,))),
            *([rng.choice(INTEGERS)] * 2, [None, rng.choice(INTEGERS)], [rng.choice(TEXTS)], outside),
            {"class_name": rng.choice(CLASSES), "config": rng.choice(({}, None, [], "x", 1, {"name": "a"}))},
            {
                "module": rng.choice(MODULES),
                "class_name": rng.choice(CLASSES),
                "config": rng.choice(
                    ({}, {"value": 1}, {"dtype": "float32", "value": [1]}, {"fn": "relu"}, "relu", None)
                ),
                "registered_name": rng.choice((None, "x", rng.choice(CLASSES))),
            },
        )
    )


def _places(tree: Any) -> Any:
    """Yield container and key of each value below ``tree``."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            yield node, key
            if isinstance(value, dict | list):
                waiting.append(value)
