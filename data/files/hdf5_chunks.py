"""Chunks of HDF5 datasets that unpack to more than they should.

HDF5 unpacks a chunk wholly, whatever size the dataset declares, and gives the first bytes of it: a chunk of a megabyte
can so take a gigabyte. Chunks that could fill memory are unpacked here first, piece by piece, and counted.
"""

import zlib
from itertools import product
from math import ceil, prod
from pathlib import Path

import h5py

from data.errors import DataError

from .size_limits import ALWAYS, UNPACKED

DEFLATE = h5py.h5z.FILTER_DEFLATE
PIECE = 2**20  # bytes at a time
MOST_CHUNKS = 2**20  # of one image
SMALL = ALWAYS // UNPACKED  # bytes of a chunk that cannot unpack to much


def unpacked_at_once(dataset: h5py.Dataset) -> int:
    """The bytes in memory of a chunk as the dataset declares it; 0 where it has none."""
    return prod(dataset.chunks) * dataset.dtype.itemsize if dataset.chunks else 0


def check_chunks(path: Path, name: str, dataset: h5py.Dataset, at: int | None = None, axis: int = 0) -> None:
    """Refuse chunks that hold more than the dataset declares, before HDF5 unpacks them.

    Args:
        path: of the file, for messages.
        name: of the dataset, likewise.
        dataset: any.
        at, axis: of the part that is to be read, an index along one axis; None for all.

    Raises:
        DataError: for such a chunk, for data that are packed twice, and for more chunks than seconds are enough for.
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
    """Whether a deflated chunk unpacks to more than `most` bytes; damaged ones are for HDF5 to refuse."""
    stream, length = zlib.decompressobj(), 0
    try:
        while packed and not stream.eof and length <= most:
            length += len(stream.decompress(packed, PIECE))
            packed = stream.unconsumed_tail
    except zlib.error:
        return False
    return length > most
