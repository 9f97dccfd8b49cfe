"""Checks what an HDF5 file declares against what it stores, before any of it is read."""

import math
import zlib
from collections.abc import Iterable
from typing import Any

import h5py

from study_keras import limits

MAX_ITEMS = 100_000  # groups, arrays and attributes
CHECKSUM_BYTES = 4  # of fletcher32, which may come before gzip
DEFLATE = h5py.h5z.FILTER_DEFLATE
# What h5py writes with its own options; the others are rare, or plugins, which are code.
FILTERS = {
    DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
}


def check(file: h5py.File, items: Iterable[tuple[str, Any]]) -> None:
    """Check that a file contains only plain data of the size that it stores.

    Args:
        file: an open file.
        items: path and object of all of its groups and datasets.

    Raises:
        ValueError: an external or virtual dataset, one of another dtype than numbers, an array much larger than its
            stored data, or more arrays than a load may take.
    """
    count = stored = texts = 0
    for path, item in items:
        count += 1 + len(item.attrs)
        if count > MAX_ITEMS:
            raise ValueError(f"it has more than {MAX_ITEMS:,} groups, arrays and attributes")
        texts += sum(_text_count(path, item.attrs.get_id(key)) for key in item.attrs)
        if isinstance(item, h5py.Dataset):
            stored += _check_dataset(path, item)
    size = file.id.get_filesize()
    if stored > size:
        raise ValueError(f"its arrays store {stored:,} bytes, but the file has {size:,}")
    # All texts may refer to the same bytes: those that are not in an array.
    limits.take(texts * (size - stored), f"{texts:,} texts of up to {size - stored:,} bytes")


def _text_count(path: str, attribute: Any) -> int:
    """Return how many texts of variable length an attribute has."""
    count, kind = math.prod(attribute.shape or ()), attribute.get_type()
    if kind.get_class() == h5py.h5t.VLEN or kind.get_class() in (h5py.h5t.COMPOUND, h5py.h5t.ARRAY, h5py.h5t.REFERENCE):
        raise ValueError(
            f"{path or '/'} has the attribute {attribute.name!r} of {attribute.dtype}; expected text or numbers"
        )
    return count if kind.get_class() == h5py.h5t.STRING and kind.is_variable_str() else 0


def _check_dataset(path: str, item: h5py.Dataset) -> int:
    """Check one array, and return how many bytes are stored for it."""
    if item.is_virtual or item.external:
        raise ValueError(f"{path} reads its data from another file; expected a file that contains all of its data")
    if item.dtype.kind not in "biufV" or item.dtype.hasobject:
        raise ValueError(f"{path} contains {item.dtype}; expected numbers")
    if item.shape is None:
        raise ValueError(f"{path} has no shape; expected an array")
    size, stored = limits.byte_count(item.shape, item.dtype.itemsize), item.id.get_storage_size()
    chunk = limits.byte_count(item.chunks, item.dtype.itemsize) if item.chunks else 0
    if max(size, chunk) > 1000 * stored + 4096:
        raise ValueError(f"{path} has {size:,} bytes but stores only {stored:,}")
    limits.take(max(0, size - stored) + chunk, f"the array {path}")
    if item.chunks:
        _check_chunks(path, item, chunk)
    return stored


def _check_chunks(path: str, item: h5py.Dataset, size: int) -> None:
    """Check that each chunk unpacks to ``size`` bytes: HDF5 would allocate whatever a chunk unpacks to."""
    plist = item.id.get_create_plist()
    filters = [plist.get_filter(position)[0] for position in range(plist.get_nfilters())]
    if not set(filters) <= FILTERS or len(set(filters)) != len(filters):
        raise ValueError(f"{path} has the filters {filters}; expected gzip, lzf, shuffle or fletcher32, each once")
    if DEFLATE not in filters:
        return
    if filters[filters.index(DEFLATE) + 1 :] not in ([], [h5py.h5z.FILTER_FLETCHER32]):
        raise ValueError(f"{path} has the filters {filters}; expected gzip, or gzip and fletcher32, as the last")
    for position in range(item.id.get_num_chunks()):
        _, packed = item.id.read_direct_chunk(item.id.get_chunk_info(position).chunk_offset)
        if not _unpacks_to(bytes(packed), size + CHECKSUM_BYTES):
            raise ValueError(f"{path} has a chunk that unpacks to more than its {size:,} bytes")


def _unpacks_to(packed: bytes, most: int) -> bool:
    unpacker = zlib.decompressobj()
    try:
        return len(unpacker.decompress(packed, most + 1)) <= most
    except zlib.error:
        return True  # HDF5 reports it
