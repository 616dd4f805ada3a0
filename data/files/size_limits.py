"""Limits on memory and disk space, checked before either is used."""

import errno
import os
import shutil
from pathlib import Path

from data.errors import DataError

ALWAYS = 2**28  # bytes to which a file of any size may decompress
LARGE = 2**31  # bytes to which a file may decompress at any rate up to `UNPACKED` (black images, masks)
UNPACKED = 1100  # largest compression rate up to `LARGE`; deflate reaches 1032
USUAL = 100  # largest compression rate beyond `LARGE`; photographed cubes reach 10
MOST_BANDS = 1024  # bands of an image; one with more has swapped axes or is damaged
MEMORY = (Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max"))  # Linux; elsewhere free memory is not checked

ceiling: int | None = None  # bytes to which any file may decompress; set by programs that serve strangers


def check_declared(path: Path, what: str, needed: int, large: int = LARGE, in_memory: bool = True) -> None:
    """Refuse an array that is too large for an undamaged file of this size or for the free memory.

    Args:
        path: the file.
        what: the array, for the message.
        needed: its bytes in memory.
        large: bytes up to which the compression rate may reach `UNPACKED`.
        in_memory: whether the array goes into memory; else free memory is not checked.

    Raises:
        DataError: if the declared size is too large, because of a damaged header or a file made to fill memory.
    """
    stored = path.stat().st_size
    most = max(ALWAYS, min(UNPACKED * stored, max(large, USUAL * stored)))
    if needed > most:
        found = f"{what}, {_gigabytes(needed)} declared in {stored} bytes"
        raise DataError(path, found, f"an undamaged file, at most {_gigabytes(most)} from one of this size")
    if ceiling is not None and needed > ceiling:
        raise DataError(path, f"{what}, {_gigabytes(needed)}", f"at most {_gigabytes(ceiling)}, the limit set here")
    free = free_memory() if in_memory and needed > ALWAYS else None
    if free is not None and needed > free:
        raise DataError(
            path, f"{what}, {_gigabytes(needed)}", f"what fits into memory, of which {_gigabytes(free)} are free"
        )


def check_packed(path: Path, what: str, needed: int) -> None:
    """Refuse an array that declares more than deflate can store in a file of this size.

    It is for arrays that are read in parts, so free memory is not checked. Arguments as for `check_declared`.

    Raises:
        DataError: if the declared size is too large.
    """
    check_declared(path, what, needed, large=needed, in_memory=False)


def check_stored(path: Path, what: str, most: int) -> None:
    """Raise DataError for a file of more than `most` bytes that would be read as a whole; messages call it `what`."""
    stored = path.stat().st_size
    if stored > most:
        raise DataError(path, f"{_gigabytes(stored)}", f"{what} of at most {_gigabytes(most)}")


def free_memory() -> int | None:
    """Return the free memory in bytes, at most the container's limit; None if it is unknown."""
    known = []
    for file in MEMORY:
        try:
            text = file.read_text()
        except OSError:
            continue
        numbers = [line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")]
        if numbers:
            known.append(int(numbers[0]) * 1024)
        elif text.strip().isdecimal():
            known.append(int(text))
    return min(known, default=None)


def check_disk(folder: Path, needed: int, what: str, where: Path) -> None:
    """Raise DataError, naming `where`, unless the disk of `folder` has `needed` bytes free for `what`."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(where, f"{free / 1e9:.2f} GB free", f"{needed / 1e9:.2f} GB for {what}")


def reserve(handle: int, size: int, where: Path) -> None:
    """Reserve disk space for a file, because writing through a memory map to a full disk kills the process (SIGBUS).

    On systems that cannot reserve space, nothing is done.

    Args:
        handle: handle of the open file.
        size: bytes to reserve.
        where: the file or its folder, for the message.

    Raises:
        DataError: if there is not enough space.
    """
    if not hasattr(os, "posix_fallocate") or not size:
        return
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise DataError(where, f"no room ({error.strerror})", f"{size / 1e9:.2f} GB free") from None


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
