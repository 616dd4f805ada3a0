"""Uploads of one image that has several files: ENVI's header and samples, a photograph and its world file."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.files.array_file import SUFFIXES as ARRAYS
from data.files.image_file import SUFFIXES as PICTURES
from utils.commandline.errors import UsageError

from .handlers import Job, given

HEADER = ".hdr"
OPENED = {*ARRAYS, *PICTURES, ".npy"}  # suffixes of files that can be opened by themselves


@contextmanager
def image_upload(job: Job, label: str, paths: list[str] | None) -> Iterator[Path | None]:
    """Inside the block, give the path of an uploaded image with its other files beside it; None without an upload.

    Gradio stores each upload in a folder of its own, while the readers look for an image's other files beside it.

    Args:
        job: the visitor's job.
        label: label of the input, for messages.
        paths: the uploads.

    Raises:
        DataError: for a file over the page's limit.
        UsageError: for files of several images, and for two of the same name.
    """
    files = [found for path in paths or () if (found := given(job, path))]
    if len(files) < 2:
        yield files[0] if files else None
        return
    opened = _opened(label, files)
    folder = job.visitor.fresh("upload")
    try:
        for file in files:
            _link(file, folder / file.name)
        yield folder / opened.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _opened(label: str, files: list[Path]) -> Path:
    """Return the file to open: the ENVI header, or else the only one that is an image by its suffix."""
    names = [file.name for file in files]
    headers = [file for file in files if file.suffix.lower() == HEADER]
    images = headers or [file for file in files if file.suffix.lower() in OPENED]
    if len(images) != 1 or len({name.lower() for name in names}) < len(names):
        expected = f"one image with its own files, such as an ENVI header ({HEADER}) and its samples"
        raise UsageError(f"{label}: found {', '.join(sorted(names)[:4])}, expected {expected}")
    return images[0]


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # another disk, or a disk without links
        shutil.copyfile(file, target)
