"""Refuses chunks of HDF5 datasets that decompress to more than they declare.

HDF5 decompresses a chunk completely, whatever size the dataset declares, and returns its first bytes. A chunk of one
megabyte can thus take a gigabyte of memory. Chunks that could fill memory are therefore first decompressed here piece
by piece, and their size is counted.
"""

import zlib
from itertools import product
from math import ceil, prod
from pathlib import Path

import h5py

from data.errors import DataError

from .size_limits import ALWAYS, UNPACKED

DEFLATE = h5py.h5z.FILTER_DEFLATE
PIECE = 2**20  # bytes that are decompressed at a time
MOST_CHUNKS = 2**20  # largest number of chunks to read at once
SMALL = ALWAYS // UNPACKED  # bytes of a compressed chunk that cannot become large


def unpacked_at_once(dataset: h5py.Dataset) -> int:
    """Return the declared size in bytes of one decompressed chunk; 0 for a dataset without chunks."""
    return prod(dataset.chunks) * dataset.dtype.itemsize if dataset.chunks else 0


def check_chunks(path: Path, name: str, dataset: h5py.Dataset, at: int | None = None, axis: int = 0) -> None:
    """Raise DataError if a chunk holds more than the dataset declares, before HDF5 decompresses it.

    Args:
        path: the file, for messages.
        name: the dataset's name, for messages.
        dataset: the dataset.
        at: index of the part that will be read, along `axis`; None is all of it.
        axis: the axis of `at`.

    Raises:
        DataError: for a chunk that decompresses to more than its declared size, for data that are compressed twice, and
            for more than 2^20 chunks.
    """
    if not dataset.chunks:
        return
    numbers = [range(ceil(side / chunk)) for side, chunk in zip(dataset.shape, dataset.chunks, strict=True)]
    if at is not None:
        first = at % dataset.shape[axis] // dataset.chunks[axis]
        numbers[axis] = range(first, first + 1)
    if (count := prod(map(len, numbers))) > MOST_CHUNKS:
        raise DataError(path, f"{name} in {count} chunks", f"at most {MOST_CHUNKS}")
    if dataset.id.get_storage_size() <= SMALL:
        return
    created = dataset.id.get_create_plist()
    filters = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
    if filters.count(DEFLATE) > 1:
        raise DataError(path, f"{name} packed twice", "data packed once")
    if DEFLATE not in filters:
        return
    for place in product(*numbers):
        offset = tuple(number * side for number, side in zip(place, dataset.chunks, strict=True))
        info = dataset.id.get_chunk_info_by_coord(offset)
        skipped = info.filter_mask >> filters.index(DEFLATE) & 1
        if info.byte_offset is None or info.size <= SMALL or skipped:
            continue
        most = unpacked_at_once(dataset)
        if info.size > most + most // 100 + PIECE or _is_longer(dataset.id.read_direct_chunk(offset)[1], most):
            found = f"a chunk of {name} of {info.size} bytes that unpacks to more than its {most}"
            raise DataError(path, found, "an undamaged file")


def _is_longer(packed: bytes, most: int) -> bool:
    """Whether a deflated chunk decompresses to more than `most` bytes; False for a damaged one, which HDF5 refuses."""
    stream, length = zlib.decompressobj(), 0
    try:
        while packed and not stream.eof and length <= most:
            length += len(stream.decompress(packed, PIECE))
            packed = stream.unconsumed_tail
    except zlib.error:
        return False
    return length > most
