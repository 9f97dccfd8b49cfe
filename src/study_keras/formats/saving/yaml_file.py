"""A model's structure as YAML. Keras removed it because its loader could run code from the file.

This loader reads only plain data.
"""

from pathlib import Path
from typing import Any, ClassVar

import keras
import yaml

from study_keras import files, limits, plain_text
from study_keras.formats.saving import safe_config
from study_keras.startup import quiet

MAX_BYTES = 4 * 2**20  # PyYAML reads some 100 kB in a second
_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader restricted to plain values and Keras 2's tuples."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        f"tag:yaml.org,2002:{name}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{name}"] for name in _PLAIN
    } | {
        "tag:yaml.org,2002:python/tuple": yaml.SafeLoader.construct_sequence,
        None: yaml.SafeLoader.construct_undefined,
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse ``<<``: merged maps can grow exponentially."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "a merge key (<<)", node.start_mark)


def save_yaml(model: keras.Model, path: str | Path) -> Path:
    """Write the structure of ``model``, without its weights, to ``path`` and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.yaml`` or ``.yml``.
        OSError: the file cannot be written.
    """
    path = files.check_suffix(path, ".yaml", ".yml")
    with quiet():
        config = plain_text.parse_json(model.to_json())
    return files.write(path, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


@limits.reader
def load_yaml(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Build a model with new weights from the structure in ``path``, written by ``save_yaml`` or Keras up to 2.4.

    The only YAML tag that is read is ``!!python/tuple``, which Keras 2 wrote for shapes.

    Raises:
        ValueError: the file is missing or broken, contains more than plain data, or needs an object that is neither
            in Keras nor in ``custom_objects``.
    """
    path = Path(path)
    try:
        config = yaml.load(limits.read_bytes(path, MAX_BYTES), _PlainLoader)
        return safe_config.build_model(config, custom_objects)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: cannot be read as a model's structure: {reason}") from error
