"""Atomic replacement of a TensorFlow checkpoint, although it consists of two files."""

import glob
from pathlib import Path

from study_keras import files

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"  # the tensor that maps objects to the other tensors


def replace(path: Path, folder: Path) -> None:
    """Move the checkpoint ``folder/one`` to ``path`` so that ``path`` is a complete checkpoint at any time.

    A checkpoint is replaced when its index is renamed, so the data of the current index must not change. If the
    current index refers to one data file, the new checkpoint is first moved there as two data files, which have other
    names; once the index refers to these, the single data file can be replaced.
    """
    if _parts(Path(f"{path}.index")) == 1:
        _split(folder)
        _rename(folder / "two", path, ["data-00000-of-00002", "data-00001-of-00002", "index"])
    _rename(folder / "one", path, ["data-00000-of-00001", "index"])
    for data in path.parent.glob(f"{glob.escape(path.name)}.data-?????-of-?????"):
        if not data.name.endswith("-00000-of-00001"):
            data.unlink()


def _rename(source: Path, target: Path, suffixes: list[str]) -> None:
    for suffix in suffixes:
        files.fsync(Path(f"{source}.{suffix}"))
    moved: list[Path] = []
    try:
        for suffix in suffixes:
            moved.append(Path(f"{source}.{suffix}").replace(f"{target}.{suffix}"))
    except OSError:
        for data in moved:  # the index, which is moved last, still refers to the other data files
            data.unlink(missing_ok=True)
        raise


def _parts(index: Path) -> int | None:
    """Return the number of data files: the first field of the first entry of the index, or None."""
    if not index.is_file():
        return None
    with index.open("rb") as file:
        head = file.read(5)  # two lengths of the key (both 0), the length of the value, the field number (1), the field
    return head[4] if head[:2] == b"\0\0" and head[3:4] == b"\x08" else 1


def _split(folder: Path) -> None:
    """Copy ``folder/one`` to ``folder/two``, with two data files."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(folder / "one"))
    names = sorted(reader.get_variable_to_shape_map())
    parts = {
        "graph": [name for name in names if name == GRAPH],
        "rest": [name for name in names if name != GRAPH],
    }
    for part, inside in parts.items():
        tensors = [tf.constant(reader.get_tensor(name)) for name in inside]
        prefix, slices = str(folder / part), [""] * len(inside)
        tf.raw_ops.SaveV2(prefix=prefix, tensor_names=inside, shape_and_slices=slices, tensors=tensors)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(folder / part) for part in parts],
        destination_prefix=str(folder / "two"),
        delete_old_dirs=False,
    )
