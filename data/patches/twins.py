"""Finds validation files of which an identical copy is trained on under another name."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from data import CAVE, Harvard, PairedImages

from .single_images import FolderImages
from .training_images import MIDDLE


def files_of(images: object, numbers: Sequence[int]) -> list[Path]:
    """Return the files of the pairs, photographs or scenes with these indices.

    CAVE's scenes are represented by one band each. Samples in memory have no files: the list is empty.
    """
    if isinstance(images, PairedImages):
        return [file for number in numbers for file in images.pairs[number]]
    if isinstance(images, CAVE):
        return [images.files[images.scenes[number]][MIDDLE] for number in numbers]
    if isinstance(images, Harvard):
        return [images.files[images.scenes[number]] for number in numbers]
    return [images.files[number] for number in numbers] if isinstance(images, FolderImages) else []


def twins(trained: Iterable[Path], held: Iterable[Path]) -> str:
    """Return a warning if a training file and a validation file are identical to the byte, else an empty string.

    Only files of equal size are compared, so that few are read.

    Args:
        trained: files that are trained on.
        held: files that are held back for validation.
    """
    by_size: dict[int, list[Path]] = {}
    for path in held:
        by_size.setdefault(_size(path), []).append(path)
    found = []
    digests: dict[Path, bytes] = {}
    for path in trained:
        for other in by_size.get(_size(path), ()):
            for file in (path, other):
                if file not in digests:
                    digests[file] = hashlib.sha256(file.read_bytes()).digest()
            if digests[path] == digests[other]:
                found.append((other, path))
    if not found:
        return ""
    count, (other, path) = len({held for held, _ in found}), found[0]
    are = "file of it is" if count == 1 else "files of it are"
    return f"; {count} {are} TRAINED ON as well, the same to the byte ({_last(other)} is {_last(path)})"


def _size(path: Path) -> int:
    """Return the size in bytes; -1 for a missing file, which its reader will report."""
    return path.stat().st_size if path.is_file() else -1


def _last(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
