"""Atomic writing of files, and messages of one line.

data/ has functions of the same names (data/files/atomic.py, data/errors.py). They are repeated here because models
imports no other folder of the project, so that it can be installed and loaded alone.
"""

import os
import re
import tempfile
import unicodedata
from pathlib import Path

SUFFIX = ".part"  # name ending of a file that is still being written


def write_whole(path: str | os.PathLike, content: bytes | memoryview) -> None:
    """Write a file atomically: under a temporary name beside `path`, flushed to disk, then renamed.

    A reader sees the old file or the new one. After an error or Ctrl-C the old file is unchanged.

    Raises:
        OSError: naming a path, if the file cannot be written.
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
    """Return `text` in one line: line breaks become spaces, other unprintable characters become escapes.

    A text of more than `longest` characters is cut there and ends in "...".
    """
    plain = re.sub(r"\s*[\r\n]\s*", " ", str(text).strip())
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(ord(c)) for c in plain)
    return plain if len(plain) <= longest else f"{plain[:longest]} ..."


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # Python's stand-in for a byte that is not UTF-8
        code -= 0xDC00
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return r"\t" if code == 9 else f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
