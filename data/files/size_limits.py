"""Room in memory and on the disk, looked at before it is taken."""

import errno
import os
import shutil
from pathlib import Path

from data.errors import DataError

ALWAYS = 2**28  # bytes that a file of any size may unpack to
LARGE = 2**31  # bytes that a file may unpack to however well it is packed (black images, masks)
UNPACKED = 1100  # times its size that a file may unpack to below that; deflate reaches 1032
USUAL = 100  # times its size above that; photographed cubes reach 10
MOST_BANDS = 1024  # of an image; more are axes taken for each other, or damage
MEMORY = (Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max"))  # Linux; elsewhere memory is not looked at

ceiling: int | None = None  # bytes that any file may unpack to, where a program sets it: one that serves strangers


def check_declared(path: Path, what: str, needed: int, large: int = LARGE, in_memory: bool = True) -> None:
    """Refuse what no sound file of this size holds, and what memory does not, before any is taken for it.

    Args:
        path: the file.
        what: the array, for the message.
        needed: its bytes in memory.
        large: bytes up to which a file may be packed as well as deflate can.
        in_memory: whether it goes into memory; else to the disk.

    Raises:
        DataError: where a damaged header, or a file that is made to fill memory, declares more than the file should
            unpack to, or than is free.
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
    """Refuse an array, never read as a whole, that declares more than deflate makes of a file of this size.

    Raises:
        DataError: as `check_declared`.
    """
    check_declared(path, what, needed, large=needed, in_memory=False)


def check_stored(path: Path, what: str, most: int) -> None:
    """DataError for a file of more than `most` bytes, which is `what`: such a file is read as a whole."""
    stored = path.stat().st_size
    if stored > most:
        raise DataError(path, f"{_gigabytes(stored)}", f"{what} of at most {_gigabytes(most)}")


def free_memory() -> int | None:
    """Bytes that the machine, or the container, can still give; None where nothing says so."""
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
    """DataError about `where`, which is to be written, unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(where, f"{free / 1e9:.2f} GB free", f"{needed / 1e9:.2f} GB for {what}")


def reserve(handle: int, size: int, where: Path) -> None:
    """Take the disk's room for a file now: a process that writes through memory to a full disk is ended (SIGBUS).

    Args:
        handle: of the open file.
        size: its bytes.
        where: the file or its folder, for the message.

    Raises:
        DataError: where there is not enough. Nothing is done on systems that cannot reserve room.
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
