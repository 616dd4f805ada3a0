"""Fuses one scene of any size by tiles: it reads two images from disk and writes one TIFF."""

import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import tifffile
import torch

from data.errors import DataError
from data.files.geotiff import NODATA
from data.files.moved_tags import moved_tags
from data.files.raster_windows import Windows
from data.files.size_limits import check_disk, reserve
from models.scene_pooling import ScenePooling
from utils import distributed
from utils.commandline.progress import progress
from utils.output.geotiff_file import BIG, check_rasterio, make_cloud_optimised, write_tiled
from utils.output.images import rgb_bands, stretch, to_eight_bit, write_png
from utils.output.stored_numbers import as_stored
from utils.tiling import Span, Tiling, fused_rows, scene_means

from .pick_network import Network
from .report import tell
from .scene_pair import ScenePair
from .sharing import result_folder

PREVIEW = 2048  # largest side of the preview in pixels
TILE = 512  # default side of a tile in pixels


def fuse_scene(
    network: Network,
    scene: ScenePair,
    output: Path,
    tile: int,
    pooling: str,
    cog: bool = False,
    verbose: bool = False,
) -> Path:
    """Fuse a scene and write OUTPUT/fused.tif (H, W, B) and a preview, OUTPUT/fused_rgb.png.

    The samples are those of `ScenePair.dtype`; integers are rounded and clipped to the bit depth and to the type's
    range. The GeoTIFF tags are those of `ScenePair.tags`, moved to the fused part; names and colours of the bands are
    the low image's. Masked pixels hold the NoData value, and no others do. All processes write one uncompressed file;
    at the end the first process packs it into compressed tiles.

    Args:
        network: the network, for as many bands as the low image has.
        scene: the two images.
        output: folder of the results; they appear only when all is done.
        tile: side of the tiles in pixels; 0 is 512.
        pooling: "scene" or "tile", see `models.scene_pooling`.
        cog: write a cloud-optimised GeoTIFF, which needs rasterio.
        verbose: print every remark in a line of its own.

    Returns:
        The path of the TIFF.

    Raises:
        DataError: for images that do not fit the network, values outside the bit depth, and too little free disk space.
        UsageError: for `cog` without rasterio.
    """
    if cog:
        check_rasterio()
    model, main = network.model, distributed.rank() == 0
    check_bands(network, scene)
    valid_in = scene.valid if scene.masked else None
    tiling = Tiling(scene.height, scene.width, tile or TILE)
    rows = tiling.share(distributed.rank(), distributed.world())
    start = time.perf_counter()
    pooled = ScenePooling(model) if pooling == "scene" or scene.masked else nullcontext()
    with result_folder(output, [scene.low.path, scene.guide.path]) as folder, pooled as means:
        path = folder.path("fused.tif")
        if main:
            _create(path, scene, output / "fused.tif", cog)
        distributed.wait()
        if pooling == "scene":
            scene_means(model, tiling, scene.read, means, valid_in, together=True)
        count = tiling.tiles(rows)
        with progress(total=count, desc="fusing", unit="tile", disable=not main) as bar:
            for top, part in fused_rows(model, tiling, scene.read, rows, bar.update, means):
                valid = None if valid_in is None else valid_in((top, top + part.shape[-2]), (0, scene.width))
                _store(path, top, part[0], scene.scale, network.label, scene.nodata, valid, scene.kind.slack)
        distributed.wait()
        if main:
            _preview(path, folder.path("fused_rgb.png"), scene.nodata if scene.masked else None)
            _pack(path, scene, cog)
    if main:
        done = f"{scene.height}x{scene.width} pixels in {time.perf_counter() - start:.1f} s; results in {output}"
        tell([], scene.notes, [done], few=not verbose)
    return output / "fused.tif"


def check_bands(network: Network, scene: ScenePair) -> None:
    """Raise DataError unless both images of a scene have as many bands as the network takes."""
    config = network.model.config
    for image, bands in ((scene.low, config.bands), (scene.guide, config.guide_bands)):
        if image.shape[0] != bands:
            raise DataError(image.path, bands_of(image), f"{bands} of the weights (--weights)")


def bands_of(image: Windows) -> str:
    """Return the number of bands as text, for messages: "one band", "3 bands"."""
    return "one band" if image.shape[0] == 1 else f"{image.shape[0]} bands"


def _create(path: Path, scene: ScenePair, goal: Path, cog: bool) -> None:
    """Create an empty TIFF of the fused image's size and type; messages name the file `goal`."""
    dtype, shape = scene.dtype, (scene.height, scene.width, scene.bands)
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    if scene.bands == 1:
        shape, options = shape[:2], {"photometric": "minisblack"}
    size = int(np.prod(shape)) * dtype.itemsize
    big = size > BIG
    check_disk(path.parent, (4 if cog else 2) * size, "the fused image, and again while it is packed", goal)
    tifffile.memmap(path, shape=shape, dtype=dtype, bigtiff=bool(big), metadata=None, **options).flush()
    with path.open("r+b") as file:
        reserve(file.fileno(), path.stat().st_size, goal)


def _pack(path: Path, scene: ScenePair, cog: bool) -> None:
    """Replace the uncompressed TIFF by a tiled and deflated one with all tags, cloud-optimised if `cog` is set."""
    packed = path.with_name("packed.tif")
    write_tiled(packed, lambda: tifffile.memmap(path, mode="r"), fused_tags(scene), scene.low.described.rgb)
    if cog:
        make_cloud_optimised(packed)
    packed.replace(path)


def fused_tags(scene: ScenePair, row: int = 0, column: int = 0) -> list[tuple]:
    """Return the TIFF tags of a fused image: the georeference, NoData, and names and colours of the low image's bands.

    Args:
        scene: the scene.
        row, column: first row and column of the scene, for a part of it.
    """
    tags = [*moved_tags(scene.tags, row, column), *scene.low.described.tags]
    if scene.nodata_text is not None:
        tags.append((NODATA, 2, 0, scene.nodata_text, True))
    return tags


def write_crop(path: Path, fused: np.ndarray, scene: ScenePair, rows: Span, columns: Span) -> None:
    """Write a fused crop as `fuse_scene` writes a scene: with the same sample type, tiles, tags and NoData.

    Args:
        path: the TIFF to write.
        fused: the crop (B, h, w) in [0, 1].
        scene: the scene.
        rows, columns: rows and columns of the crop in pixels of the guide.
    """
    valid = scene.valid(rows, columns) if scene.masked else None
    numbers = np.moveaxis(fused, 0, -1) * np.float32(scene.scale)
    stored = as_stored(numbers, scene.dtype, scene.scale, scene.nodata, valid, scene.kind.slack)
    stored = stored[..., 0] if scene.bands == 1 else stored
    write_tiled(path, lambda: stored, fused_tags(scene, rows[0], columns[0]), scene.low.described.rgb)


def _store(
    path: Path,
    top: int,
    part: torch.Tensor,
    scale: int,
    label: str,
    nodata: np.generic | None = None,
    valid: np.ndarray | None = None,
    slack: float = 0.0,
) -> None:
    """Write rows (B, rows, W) in [0, 1] to the TIFF, from row `top` on.

    The file is opened anew each time, so that its pages leave the memory. If there is a NoData value, measured samples
    equal to it are moved by one digital number, and pixels that are not `valid` (rows, W) are set to it.
    """
    numbers = np.moveaxis(part.numpy(), 0, -1) * np.float32(scale)
    if not np.isfinite(numbers).all():
        raise DataError(label, "NaN or infinity in the fused image", "finite values; the weights diverge")
    target = tifffile.memmap(path, mode="r+")
    stored = as_stored(numbers, target.dtype, scale, nodata, valid, slack)
    target[top : top + len(stored)] = stored.reshape(len(stored), *target.shape[1:])
    target.flush()


def _preview(path: Path, png: Path, nodata: np.generic | None) -> None:
    """Write a preview of every n-th pixel, stretched, with NoData black."""
    fused = tifffile.memmap(path, mode="r")
    step = -(-max(fused.shape[:2]) // PREVIEW)
    bands = np.atleast_3d(fused)[::step, ::step]  # still on disk; one band is read at a time
    masked = np.full(bands.shape[:2], nodata is not None)
    for band in range(bands.shape[-1]) if nodata is not None else ():
        masked &= np.isnan(bands[..., band]) if np.isnan(nodata) else bands[..., band] == nodata
    blue_first = reversed(rgb_bands(bands.shape[-1]))
    small = np.array([bands[..., band] for band in blue_first], np.float32)
    shown = stretch(small, small[:, ~masked][..., None] if masked.any() and not masked.all() else small)
    write_png(png, to_eight_bit(np.where(masked[..., None], 0, shown)))
