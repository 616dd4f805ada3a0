"""Pansharpening one scene of any size, from the disk to the disk: an MS and a pan image in, one TIFF out."""

import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import tifffile
import torch
from tqdm import tqdm

from data.errors import DataError
from data.files.raster_windows import Windows
from data.files.size_limits import check_disk, reserve
from data.simulate import interp23
from models.scene_pooling import ScenePooling
from utils import distributed
from utils.commandline.progress import quiet
from utils.commandline.terminal import say
from utils.output.images import stretch, to_eight_bit, write_png
from utils.tiling import Span, Tiling, fused_rows, scene_means

from .pick_network import Network
from .sharing import result_folder

MARGIN = 12  # MS pixels beyond a window that its upsampling depends on: half of 23 taps, twice
PREVIEW = 2048  # pixels of a side, at most
TILE = 512
RATIOS = (2, 4, 8)


class PanScene:
    """Windows of a scene as the network takes them.

    Args:
        ms: (B, h, w) in digital numbers.
        pan: (1, H, W), H and W the same multiple (2, 4 or 8) of h and w.
        scale: digital number of 1.

    Raises:
        DataError: where the sides do not fit.
    """

    def __init__(self, ms: Windows, pan: Windows, scale: int) -> None:
        self.ms, self.pan, self.scale = ms, pan, scale
        if pan.shape[0] != 1:
            raise DataError(pan.path, f"{pan.shape[0]} bands", "one, the pan image")
        self.bands, low_height, low_width = ms.shape
        self.height, self.width = pan.shape[1:]
        self.ratio = self.height // low_height
        if self.ratio not in RATIOS or pan.shape[1:] != (low_height * self.ratio, low_width * self.ratio):
            found = f"{self.height}x{self.width} pixels beside an MS image of {low_height}x{low_width}"
            raise DataError(pan.path, found, "2, 4 or 8 times its sides")

    def read(self, rows: Span, columns: Span) -> tuple[torch.Tensor, torch.Tensor]:
        """lms (1, B, h, w) and pan (1, 1, h, w) of a window, in [0, 1]; lms as `simulate.interp23` of the whole MS."""
        pan = self._unit(self.pan, rows, columns)
        low = [(start // self.ratio, -(-stop // self.ratio)) for start, stop in (rows, columns)]
        ms = self._around(*low)
        lms = np.moveaxis(interp23(np.moveaxis(ms, 0, -1), self.ratio), -1, 0)
        cut = [
            slice(span[0] - (first - MARGIN) * self.ratio, span[1] - (first - MARGIN) * self.ratio)
            for span, (first, _) in zip((rows, columns), low, strict=True)
        ]
        lms = np.ascontiguousarray(lms[:, cut[0], cut[1]], np.float32)
        return torch.from_numpy(lms)[None], torch.from_numpy(pan)[None]

    def _around(self, rows: Span, columns: Span) -> np.ndarray:
        """MS with a margin on every side; circular at the scene's borders, as the toolbox's filter is."""
        _, height, width = self.ms.shape
        parts = []
        for top, bottom in _wrapped(rows, height):
            line = [self._unit(self.ms, (top, bottom), span) for span in _wrapped(columns, width)]
            parts.append(np.concatenate(line, axis=2))
        return np.concatenate(parts, axis=1)

    def _unit(self, image: Windows, rows: Span, columns: Span) -> np.ndarray:
        window = image.read(rows, columns)
        least, most = float(window.min()), float(window.max())
        if least < 0 or most > self.scale:
            raise DataError(image.path, f"values from {least:g} to {most:g}", f"0 to {self.scale} (--bits)")
        return window / np.float32(self.scale)


def _wrapped(span: Span, length: int) -> list[Span]:
    """The span with its margin, in pieces that lie inside 0..length, taken circularly."""
    pieces, start, stop = [], span[0] - MARGIN, span[1] + MARGIN
    while start < stop:
        first = start % length
        last = min(first + stop - start, length)
        pieces.append((first, last))
        start += last - first
    return pieces


def fuse_scene(network: Network, ms: Path, pan: Path, bits: int, output: Path, tile: int, pooling: str) -> Path:
    """Write output/fused.tif (H, W, B) and fused_rgb.png, a preview; returns the TIFF's path.

    Args:
        network: of as many bands as the MS image.
        ms, pan: see `PanScene` and `data.files.raster_windows.Windows`.
        bits: bit depth of the digital numbers.
        output: folder; nothing appears there before all is done.
        tile: side of the tiles in pixels; 0 for 512.
        pooling: "scene" or "tile", see `models.scene_pooling`.

    The samples are of the pan's type where that is an unsigned integer (rounded, and clipped to 0..2^bits - 1 and what
    the type holds), else float32; the GeoTIFF tags are the pan's.

    Raises:
        DataError: for images that do not fit each other or the network, and a disk without room for the result.
    """
    model, main = network.model, distributed.rank() == 0
    scene = PanScene(Windows(ms, bands=network.model.config.bands), Windows(pan, bands=1), 2**bits - 1)
    if scene.bands != model.config.bands:
        raise DataError(ms, f"{scene.bands} bands", f"{model.config.bands} of the weights (--weights)")
    tiling = Tiling(scene.height, scene.width, tile or TILE)
    rows = tiling.share(distributed.rank(), distributed.world())
    start = time.perf_counter()
    pooled = ScenePooling(model) if pooling == "scene" else nullcontext()
    with result_folder(output, [ms, pan]) as folder, pooled as means:
        path = folder.path("fused.tif")
        if main:
            _create(path, scene, output / "fused.tif")
        distributed.wait()
        if means is not None:
            scene_means(model, tiling, scene.read, means, together=True)
        count = tiling.tiles(rows)
        with tqdm(total=count, desc="fusing", unit="tile", disable=not main or quiet(count)) as bar:
            for top, part in fused_rows(model, tiling, scene.read, rows, bar.update):
                _store(path, top, part[0], scene.scale, network.label)
        distributed.wait()
        if main:
            _preview(path, folder.path("fused_rgb.png"))
    if main:
        say(f"{scene.height}x{scene.width} pixels in {time.perf_counter() - start:.1f} s; results in {output}")
    return output / "fused.tif"


def _create(path: Path, scene: PanScene, goal: Path) -> None:
    """An empty TIFF of the fused image's size and type; `goal` is what messages call it."""
    dtype = scene.pan.dtype if scene.pan.dtype.kind == "u" else np.dtype(np.float32)
    shape = (scene.height, scene.width, scene.bands)
    options = {"photometric": "minisblack", "planarconfig": "contig", "extratags": scene.pan.tags}
    if scene.bands == 1:
        shape, options = shape[:2], {"photometric": "minisblack", "extratags": scene.pan.tags}
    big = np.prod(shape) * dtype.itemsize > 2**32 - 2**25
    check_disk(path.parent, int(np.prod(shape)) * dtype.itemsize, "the fused image", goal)
    tifffile.memmap(path, shape=shape, dtype=dtype, bigtiff=bool(big), metadata=None, **options).flush()
    with path.open("r+b") as file:
        reserve(file.fileno(), path.stat().st_size, goal)


def _store(path: Path, top: int, part: torch.Tensor, scale: int, label: str) -> None:
    """Write rows (B, rows, W) in [0, 1]. The file is opened anew each time, so that its pages leave the memory."""
    numbers = np.moveaxis(part.numpy(), 0, -1) * np.float32(scale)
    if not np.isfinite(numbers).all():
        raise DataError(label, "NaN or infinity in the fused image", "finite values; the weights diverge")
    target = tifffile.memmap(path, mode="r+")
    if target.dtype.kind == "u":
        numbers = np.rint(numbers.clip(0, min(scale, np.iinfo(target.dtype).max)))
    target[top : top + len(numbers)] = numbers.reshape(len(numbers), *target.shape[1:])
    target.flush()


def _preview(path: Path, png: Path) -> None:
    """Every n-th pixel, for the eye."""
    fused = tifffile.memmap(path, mode="r")
    step = -(-max(fused.shape[:2]) // PREVIEW)
    small = np.asarray(fused[::step, ::step], np.float32).reshape(
        -(-fused.shape[0] // step), -(-fused.shape[1] // step), -1
    )
    write_png(png, to_eight_bit(stretch(np.moveaxis(small, -1, 0))))
