"""A model's structure as YAML. Keras removed it because its loader ran whatever code the file named.

This one reads plain data only, so that it cannot.
"""

from pathlib import Path
from typing import Any, ClassVar

import keras
import yaml

from study_keras import files
from study_keras.formats.saving import structure
from study_keras.startup import quiet

_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader with still less: plain values and Keras 2's tuples."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        f"tag:yaml.org,2002:{name}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{name}"] for name in _PLAIN
    } | {
        "tag:yaml.org,2002:python/tuple": yaml.SafeLoader.construct_sequence,
        None: yaml.SafeLoader.construct_undefined,
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse ``<<``: merged maps can grow without end."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "a merge key (<<)", node.start_mark)


def save_yaml(model: keras.Model, path: str | Path) -> Path:
    """Write the structure of ``model``, without its weights, to ``path`` and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.yaml`` or ``.yml``.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".yaml", ".yml"):
        raise ValueError(f"{path}: expected a name that ends in .yaml or .yml")
    with quiet():
        config = structure.parse(model.to_json())
    with files.atomic_write(path) as temporary:
        temporary.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def load_yaml(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Build the model whose structure ``path`` holds, as ``save_yaml`` or Keras up to 2.4 wrote it.

    Its weights are fresh. Of YAML's tags only ``!!python/tuple`` is read, which Keras 2 wrote for shapes.

    Raises:
        ValueError: the file is missing, broken, or more than plain data, or names what is not of Keras nor in
            ``custom_objects``.
    """
    path = Path(path)
    try:
        config = yaml.load(path.read_bytes(), _PlainLoader)
        return structure.build(config, custom_objects)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: cannot be read as a model's structure: {reason}") from error
