"""Compiles a C source of this folder at its first use, with the system's compiler if there is one.

The library is kept in the user's cache folder (XDG_CACHE_HOME, else ~/.cache); a hash of the source, the headers
beside it, the compiler's command and the processor's macros is part of its name. If that folder cannot be written, the
library lives as long as the process. After any failure the functions return None without a message, because every
caller has a slower fallback.
DCINN_COMPILE=0 in the environment switches compilation off.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

NATIVE = (("-march=native",), ("-mcpu=native",), ())  # the first one that the compiler accepts is used
FLAGS = ("-O2", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
PATIENCE = 120  # seconds that one run of the compiler may take


@functools.cache
def compiler() -> tuple[tuple[str, ...], str] | None:
    """Return the compiler's command with the flags for this processor, and the macros it predefines, as text.

    Return None if there is no compiler, or if compilation is switched off.
    """
    if os.environ.get("DCINN_COMPILE") == "0" or os.name != "posix":
        return None
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            command = shlex.split(name)
            if command and shutil.which(command[0]):
                for native in NATIVE:
                    done = _run(*command, *native, "-dM", "-E", "-x", "c", os.devnull)
                    if done.returncode == 0 and b"__GNUC__" in done.stdout:
                        return (*command, *native), done.stdout.decode(errors="replace")
    return None


def vectors() -> tuple[int, ...]:
    """Return the vector lengths to compile for, in floats, longest first: 16 with AVX-512, 8 with AVX, always 4.

    Empty without a compiler.
    """
    found = compiler()
    if found is None:
        return ()
    return (*((16,) if "__AVX512F__" in found[1] else ()), *((8,) if "__AVX__" in found[1] else ()), 4)


def lanes_for(channels: int) -> int | None:
    """Return the longest vector length that the channels fill; None for fewer than 8, or without a compiler."""
    return next((lanes for lanes in vectors() if lanes <= channels), None) if channels >= 8 else None


@functools.cache
def loaded(source: Path, *defines: str) -> ctypes.CDLL | None:
    """Return the library of a C source compiled with macros such as "VEC=8", or None if that fails."""
    found = compiler()
    if found is None:
        return None
    with contextlib.suppress(OSError, RuntimeError, subprocess.SubprocessError):
        command = (*found[0], *FLAGS, *(f"-D{define}" for define in defines))
        texts = [path.read_bytes() for path in (source, *sorted(source.parent.glob("*.h")))]
        said = b"\0".join(("\0".join((*command, found[1])).encode(), *texts))
        name = f"{source.stem}-{hashlib.sha256(said).hexdigest()[:32]}.so"
        with contextlib.suppress(OSError, RuntimeError):
            folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "dcinn"
            kept = folder / name
            if not _ours(kept):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _compile(command, source, kept)
            return ctypes.CDLL(str(kept))
        with tempfile.TemporaryDirectory(prefix="dcinn-") as passing:
            _compile(command, source, Path(passing) / name)
            return ctypes.CDLL(str(Path(passing) / name))
    return None


def _ours(path: Path) -> bool:
    """Whether the file exists, belongs to this user or root, and nobody else may write it."""
    return path.is_file() and path.stat().st_uid in {os.getuid(), 0} and not path.stat().st_mode & 0o022


def _compile(command: tuple[str, ...], source: Path, target: Path) -> None:
    """Compile to a temporary file and rename it, so that several processes may do so at once.

    Raises OSError if the compiler fails.
    """
    handle, part = tempfile.mkstemp(prefix=f".{target.stem}-", dir=target.parent)
    os.close(handle)
    try:
        if _run(*command, str(source), "-o", part).returncode != 0:
            raise OSError(f"{command[0]}: failed")
        Path(part).chmod(0o755)
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)


def _run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
