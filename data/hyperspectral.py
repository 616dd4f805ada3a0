"""Hyperspectral scenes: CAVE's folders of band images, and the simulation of fusion inputs from them.

The simulation follows the CAVE tables of the DCINN authors' group, see `degrade_hsi`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.folders import files_in, folders_in, natural
from .files.image_file import SUFFIXES, read_raster
from .simulate import degrade_hsi, imresize
from .splits import split

CAVE_BANDS = 31
CAVE_BITS = 16
CAVE_TEST = split("cave_11")  # the test scenes of the published tables


class CAVE:
    """CAVE scenes, read on access: folders of 31 band images, 400 to 700 nm in steps of 10.

    Args:
        root: a folder with `<scene>_ms/<scene>_ms/<scene>_ms_01.png`, ... as in Columbia's archive;
            `<scene>_ms/*.png` and `<scene>/01.png`, ... are accepted as well.
        scenes: names without `_ms`; all by default.
        bits: bit depth of the samples. The default is 16, the depth of the original files; then a scene that never
            exceeds 4095 is refused, because it has 12 bits or fewer and would be nearly black.

    Items are dictionaries: `name` and `gt` (31, H, W) float32 in [0, 1], the samples divided by 2**bits - 1.

    Attributes:
        scenes: names of the scenes, in the order of the items.
        files: name -> paths of the 31 band images.
        remarks: notes on what was skipped in the folders.

    Raises:
        DataError: when created, for missing scenes and bands; on access, for unreadable bands, unequal sizes and values
            outside the bit depth.
    """

    def __init__(self, root: str | os.PathLike, scenes: tuple[str, ...] | None = None, bits: int | None = None) -> None:
        self.root, self.bits, self.declared = Path(root), bits or CAVE_BITS, bits is not None
        there, self.remarks = _scene_folders(self.root)
        if not there:
            raise DataError(self.root, "no scenes", "<scene>_ms/<scene>_ms/<scene>_ms_01.png and on")
        lacking = [s for s in scenes or () if s not in there]
        if lacking:
            raise DataError(self.root, f"no scene {lacking[0]}", f"one of {', '.join(sorted(there))}")
        self.scenes = tuple(scenes or sorted(there, key=natural))
        self.files = {scene: _band_files(there[scene], self.remarks) for scene in self.scenes}

    def __len__(self) -> int:
        return len(self.scenes)

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        scene = self.scenes[index]
        top, cube, most = 2**self.bits - 1, None, 0
        for band, path in enumerate(self.files[scene]):
            image = read_raster(path)
            if image.ndim == 3:  # some tools store a gray band as equal channels, with or without alpha
                if not (image[..., :3] == image[..., :1]).all():
                    raise DataError(path, "a colour image", "one gray band")
                image = image[..., 0]
            if image.dtype.kind != "u" or image.max() > top or self.bits > 8 * image.dtype.itemsize:
                found = f"{image.dtype} samples up to {image.max()}"
                raise DataError(path, found, f"unsigned integers of the declared {self.bits} bits (--bits)")
            if cube is None:
                cube = np.empty((len(self.files[scene]), *image.shape), np.float32)
            if image.shape != cube.shape[1:]:
                found, expected = (f"{h}x{w} pixels" for h, w in (image.shape, cube.shape[1:]))
                raise DataError(path, found, f"{expected} as in band 1")
            cube[band] = image / np.float64(top)
            most = max(most, int(image.max()))
        if most < 4096 and not self.declared:
            raise DataError(
                self.files[scene][0].parent, f"samples up to {most}", "16 bits, or a declared depth (--bits)"
            )
        return {"name": scene, "gt": cube}


def fusion_inputs(gt: np.ndarray, srf: np.ndarray, ratio: int = 4) -> dict[str, np.ndarray]:
    """Simulate the inputs of hyperspectral-multispectral fusion from the reference.

    Args:
        gt: (B, H, W) in [0, 1], sides divisible by `ratio`.
        srf: spectral response (B, channels), columns summing to one.
        ratio: resolution ratio.

    Returns:
        A dictionary of float32 arrays: `lr` (B, H / ratio, W / ratio), the low-resolution image; `hsi_up` (B, H, W),
        its bilinear upsampling; `bicubic` (B, H, W), its bicubic upsampling, the baseline of the tables; and `rgb`
        (channels, H, W).

    Raises:
        ValueError: for sides that `ratio` does not divide.
    """
    cube = np.moveaxis(gt, 0, -1)
    low = degrade_hsi(cube, ratio)
    images = {
        "lr": low,
        "hsi_up": imresize(low, ratio, "bilinear"),
        "bicubic": imresize(low, ratio, "bicubic"),
        "rgb": cube @ srf,
    }
    return {name: np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32) for name, image in images.items()}


def _scene_folders(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return scene name -> the folder with its band images, and notes on what was skipped."""
    if not root.is_dir():
        raise DataError(root, "no such folder" if not root.exists() else "a file", "a folder of scenes")
    folders = {}
    there = folders_in(root)
    for outer in there.paths:
        inner = outer / outer.name
        folder = inner if inner.is_dir() else outer
        if any(_band_number(p) for p in files_in(folder, SUFFIXES).paths):
            folders[outer.name.removesuffix("_ms")] = folder
    return folders, there.notes


def _band_number(path: Path) -> int | None:
    match = re.search(r"(?:^|_)(\d{1,3})$", path.stem)
    return int(match.group(1)) if match else None


def _band_files(folder: Path, remarks: list[str]) -> list[Path]:
    """Return the band images in order; notes on what was skipped are added to `remarks`."""
    bands: dict[int, Path] = {}
    found = files_in(folder, SUFFIXES)
    remarks += [f"{folder.name}: {note}" for note in found.notes]
    for path in found.paths:
        number = _band_number(path)
        if number in bands:
            raise DataError(folder, f"{bands[number].name} and {path.name}", "one image of each band")
        if number:
            bands[number] = path
    missing = [b for b in range(1, CAVE_BANDS + 1) if b not in bands]
    if missing or len(bands) != CAVE_BANDS:
        lacks = f", lacking {missing[0]:02d}" if missing else ""
        raise DataError(folder, f"{len(bands)} bands{lacks}", f"bands 01 to {CAVE_BANDS}")
    return [bands[b] for b in range(1, CAVE_BANDS + 1)]
