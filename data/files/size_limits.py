"""Room in memory and on the disk, looked at before it is taken."""

import errno
import os
import shutil
from pathlib import Path

from data.errors import DataError

ALWAYS = 2**28  # bytes that a file of any size may unpack to
MOST_BANDS = 1024  # of an image; more are axes taken for each other, or damage
UNPACKED = 1100  # times its size that a file may unpack to; deflate reaches 1032


def check_declared(path: Path, what: str, needed: int) -> None:
    """Refuse what no file of this size can hold, before memory is taken for it.

    Args:
        path: the file.
        what: the array, for the message.
        needed: its bytes in memory.

    Raises:
        DataError: where a damaged header declares more than the file could unpack to.
    """
    stored = path.stat().st_size
    if needed > max(ALWAYS, UNPACKED * stored):
        raise DataError(path, f"{what}, {needed / 1e9:.3g} GB declared in {stored} bytes", "an undamaged file")


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
