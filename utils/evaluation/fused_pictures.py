"""Reads fused images that another program wrote, for a row and a panel beside those of the networks."""

import argparse
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.files.image_file import read_upright, to_gray, to_unit
from data.files.infrared_range import refuse_guess
from data.files.nodata import ALL_MEASURED, declared, missing_pixels
from data.files.remarks import of_role
from data.pair_names import images_by_name
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser


def read_fused(
    file: Path, shape: tuple[int, ...], bits: int | None = None, remedy: str = "--fused-bits"
) -> tuple[np.ndarray, list[str]]:
    """Read a fused image as gray values in [0, 1].

    Args:
        file: the image.
        shape: (H, W) of its sources.
        bits: bit depth of its samples; by default that of their type.
        remedy: the remedy that the error for integers of unknown depth names.

    Returns:
        The image (H, W), and notes about conversions (colour to luma, for example).

    Raises:
        DataError: for a file that cannot be read, another size, NoData pixels, or integers whose depth would have to be
            guessed.
    """
    raw, turned = read_upright(file, nan=True)
    if (count := np.count_nonzero(missing_pixels(raw, declared(file), file))) > 0:
        raise DataError(file, f"NoData in {count} pixels", ALL_MEASURED)
    gray, notes = to_gray(raw)
    refuse_guess(gray, file, bits, remedy)
    unit, more = to_unit(gray, file, bits)
    if unit.shape != shape:
        found, expected = (f"{h}x{w} pixels" for h, w in (unit.shape, shape))
        raise DataError(file, found, f"{expected} of its sources")
    return unit, [*turned, *notes, *more]


def refuse_masked(file: Path, missing: np.ndarray | None) -> None:
    """Raise DataError for a fused image whose sources have NoData pixels, `missing` (H, W) bool; None has none."""
    if missing is not None:
        raise DataError(file, f"NoData in {np.count_nonzero(missing)} pixels of its sources", ALL_MEASURED)


class FusedPictures:
    """The fused images of another method: a folder with one image for each pair, named like the pair.

    Args:
        name: name of the method.
        folder: the folder; images of other names in it are ignored.
        names: names of the pairs, without suffixes.

    Attributes:
        label: name of the method's row and panel.
        remarks: the folder of the images, and the files in it that were skipped.

    Raises:
        DataError: if there is no such folder, or no image for one of the pairs.
    """

    def __init__(self, name: str, folder: Path, names: Sequence[str]) -> None:
        self.label = f"{name} (pictures)"
        if not folder.is_dir():
            raise DataError(folder, "no such folder", f"the fused images of {name}")
        self._files, skipped = images_by_name(folder)
        if lacking := [pair for pair in names if pair not in self._files]:
            raise DataError(folder, f"no image named {lacking[0]}", f"one for each of the {len(names)} pairs")
        said = f"{self.label}: not fused here, read from {folder} and measured as the others."
        self.remarks = [said, *of_role(self.label, skipped)]

    def read(
        self, pair: str, shape: tuple[int, ...], missing: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[str]]:
        """Return the fused image (H, W) in [0, 1] of a pair, and notes on conversions.

        Args:
            pair: name of the pair.
            shape: (H, W) of the pair.
            missing: NoData pixels of the pair, see `refuse_masked`.

        Raises:
            DataError: see `read_fused` and `refuse_masked`.
        """
        file = self._files[unicodedata.normalize("NFC", pair)]
        refuse_masked(file, missing)
        image, notes = read_fused(file, shape, remedy="8 bits, or 16 that fill their range")
        return image, of_role(self.label, notes)


def add_pictures_option(parser: Parser) -> None:
    """Add the option --fused-beside."""
    parser.add_argument(
        "--fused-beside",
        nargs="+",
        default=[],
        type=_name_and_folder,
        metavar="NAME=FOLDER",
        help="folders of images that other methods fused, named like the pairs, as further rows and panels",
    )


def pictures_beside(asked: list[tuple[str, Path]], names: Sequence[str]) -> list[FusedPictures]:
    """Return the fused images in the folders of --fused-beside.

    Args:
        asked: (name of a method, folder) of each.
        names: names of the pairs, without suffixes.

    Raises:
        UsageError: if two folders have the same name.
        DataError: see `FusedPictures`.
    """
    given = [name for name, _ in asked]
    if twice := [name for name in given if given.count(name) > 1]:
        raise UsageError(f"--fused-beside: found two folders for {twice[0]}, expected another name for each")
    return [FusedPictures(name, folder, names) for name, folder in asked]


def _name_and_folder(text: str) -> tuple[str, Path]:
    name, sign, folder = text.partition("=")
    if not (name.strip() and sign and folder):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=FOLDER")
    return name.strip(), Path(folder)
