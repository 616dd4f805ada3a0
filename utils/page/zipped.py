"""Safe unpacking of a zipped folder of band images."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from data.errors import DataError
from data.files.image_file import SUFFIXES

from .limits import MOST_UNPACKED, megabytes

MOST_FILES = 2000
MOST_DEEP = 4  # largest depth of nested folders


def unpack(path: Path, folder: Path, step: Callable[[float, str], object] = lambda *_: None) -> Path:
    """Unpack the images of a .zip into `folder`; returns the folder that holds the folders of images.

    Only images are unpacked, and only by names that stay inside the folder. The declared sizes are checked first, and
    no more than these is read.

    Args:
        path: the .zip file.
        folder: an empty folder.
        step: function that shows the progress, see `handlers.Job.step`.

    Raises:
        DataError: for another type, damage, a password, no images, too many files or bytes.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            wanted = [entry for entry in packed.infolist() if _is_image(entry)]
            if not wanted:
                raise DataError(path, "no images", f"files ending in {', '.join(SUFFIXES)}")
            if len(wanted) > MOST_FILES:
                raise DataError(path, f"{len(wanted)} images", f"at most {MOST_FILES}, the page's limit")
            if (total := sum(entry.file_size for entry in wanted)) > MOST_UNPACKED:
                limit = f"at most {megabytes(MOST_UNPACKED)}, the page's limit"
                raise DataError(path, f"{megabytes(total)} unpacked", limit)
            for number, entry in enumerate(wanted):
                step(number / len(wanted), "unpacking")
                parts = PurePosixPath(entry.filename).parts
                target = folder.joinpath(*(parts if len(parts) > 1 else (path.stem, *parts)))
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)  # zipfile reads no more than the declared size
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(path, f"no readable zip ({error})", "a zipped folder of images, no password") from None
    return _root(folder)


def _is_image(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is an image that would be unpacked inside the folder; files that macOS adds are not."""
    name = PurePosixPath(entry.filename)
    inside = not name.is_absolute() and ".." not in name.parts and "\\" not in entry.filename
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    shallow = len(name.parts) <= MOST_DEEP + 1
    return inside and not hidden and shallow and not entry.is_dir() and name.suffix.lower() in SUFFIXES


def _root(folder: Path) -> Path:
    """Return the deepest folder whose subfolders hold all images: the data set may be packed in folders of its own."""
    while True:
        inner = [p for p in folder.iterdir() if p.is_dir()]
        if len(inner) != 1 or any(p.is_file() for p in inner[0].iterdir()):
            return folder
        (scene,) = inner
        if (scene / scene.name).is_dir():  # balloons_ms/balloons_ms, as CAVE has them
            return folder
        folder = scene
