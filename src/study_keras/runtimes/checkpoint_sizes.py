"""Checks what a TensorFlow checkpoint declares against its files, before TensorFlow allocates anything."""

import glob
import math
from pathlib import Path

from study_keras import limits
from study_keras.runtimes.runner import first_words


def check(prefix: str | Path) -> int:
    """Check a checkpoint, ``PREFIX.index`` and ``PREFIX.data-*``, and return how many bytes it stores.

    Raises:
        OSError: the index cannot be read.
        ValueError: it is no checkpoint, a file of it is not a regular one, or its arrays are larger than its files or
            than a load may take.
    """
    import tensorflow as tf

    prefix = Path(prefix)
    limits.take(limits.check_file(f"{prefix}.index"), f"{prefix}.index")
    data = sorted(prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*"))
    stored = sum(limits.check_file(file) for file in data)
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except Exception as error:  # TensorFlow raises errors of many classes
        raise ValueError(f"not a complete checkpoint: {first_words(error)}") from error
    declared = sum(math.prod(shape) * _item_bytes(dtypes[name]) for name, shape in shapes.items())
    if declared > stored:
        raise ValueError(f"not a complete checkpoint: its arrays have {declared:,} bytes, but its files {stored:,}")
    limits.take(stored, str(prefix))
    return stored


def _item_bytes(dtype: object) -> int:
    size = getattr(dtype, "size", 1)
    return 1 if getattr(dtype, "name", "") == "string" else int(size or 1)
