"""Uploads of one image that has several files: ENVI's header and samples, a GeoTIFF and its world file."""

import os
import shutil
from pathlib import Path

from data.files.array_file import SUFFIXES as ARRAYS
from data.files.image_file import SUFFIXES as PICTURES
from utils.commandline.errors import UsageError

from .handlers import Job, given

HEADER = ".hdr"
SEVERAL = {"file_count": "multiple", "height": 130}  # options of an input for these
OPENED = {*ARRAYS, *PICTURES, ".npy"}  # suffixes of files that can be opened by themselves


def gather(job: Job, label: str, paths: list[str] | None, folder: Path) -> Path | None:
    """Return the path of an uploaded image, with its other files beside it; None without an upload.

    Gradio stores each upload in a folder of its own, while the readers look for an image's other files beside it.

    Args:
        job: the visitor's job.
        label: label of the input: the name of the files' folder, and in messages.
        paths: the uploads.
        folder: the folder to which the files' folder is added, if there are several.

    Raises:
        DataError: for a file over the page's limit.
        UsageError: for files of several images, and for two of the same name.
    """
    files = [found for path in paths or () if (found := given(job, path))]
    if len(files) < 2:
        return files[0] if files else None
    opened = _opened(label, files)
    (folder / label).mkdir()
    for file in files:
        _link(file, folder / label / file.name)
    return folder / label / opened.name


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
