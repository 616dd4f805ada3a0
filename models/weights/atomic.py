"""Checkpoints that are complete or not there, and messages of one line.

The readers of data/files have the same two; models imports nothing of the other folders, so that it can be installed
and loaded by itself.
"""

import os
import re
import tempfile
import unicodedata
from pathlib import Path

SUFFIX = ".part"  # of a file that is not complete yet


def write_whole(path: str | os.PathLike, content: bytes | memoryview) -> None:
    """Write a file under a temporary name beside `path`, on the disk, then rename it.

    A reader sees the old file or the new one; after an error, Ctrl-C among them, the old one is as it was.

    Raises:
        OSError: naming `path`, where it cannot be written.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=SUFFIX)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.umask(mask := os.umask(0))
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None and error.strerror:  # a full disk
            error.filename = str(path)
        raise


def one_line(text: object, longest: int) -> str:
    """At most `longest` characters of `text`; line breaks are spaces, what does not print is as metrics shows it."""
    plain = re.sub(r"\s*[\r\n]\s*", " ", str(text).strip())
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(ord(c)) for c in plain)
    return plain if len(plain) <= longest else f"{plain[:longest]} ..."


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps the bytes of a name that are no UTF-8
        code -= 0xDC00
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return r"\t" if code == 9 else f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
