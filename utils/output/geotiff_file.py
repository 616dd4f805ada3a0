"""Writes GeoTIFFs as GIS programs expect them: tiled and deflated, and cloud-optimised if rasterio is installed."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile

from utils.commandline.errors import UsageError

TILE = 256  # side of a tile in pixels
BIG = 2**32 - 2**25  # bytes of samples above which a TIFF needs offsets of 64 bits (BigTIFF)


def write_tiled(path: Path, image: Callable[[], np.ndarray], tags: Sequence[tuple] = (), rgb: bool = False) -> None:
    """Write a TIFF of 256x256 tiles, compressed by Deflate with the predictor of its sample type.

    The predictor replaces integers by their differences along rows, and splits floats into bytes before that.

    Args:
        path: the file to write.
        image: function that returns the image (H, W) or (H, W, B). It is called again for each row of tiles, so that
            only one such row of a memory-mapped file has to be in memory.
        tags: further tags, in tifffile's form ("extratags").
        rgb: whether the first three bands are red, green and blue.
    """
    first = image()
    shape, dtype = first.shape, first.dtype
    bands = shape[2] if len(shape) == 3 else 1
    del first
    tifffile.imwrite(
        path,
        _tiles(image, shape),
        shape=shape,
        dtype=dtype,
        tile=(TILE, TILE),
        photometric="rgb" if rgb and bands >= 3 else "minisblack",
        planarconfig="contig" if bands > 1 else None,
        extrasamples=["unspecified"] * (bands - 3) if rgb and bands > 3 else None,
        compression="adobe_deflate",
        predictor=dtype.kind == "f" or dtype.itemsize < 8,  # there is none for integers of 64 bits
        maxworkers=1,
        bigtiff=bool(np.prod(shape, dtype=np.int64) * dtype.itemsize > BIG),
        metadata=None,
        extratags=list(tags),
    )


def _tiles(image: Callable[[], np.ndarray], shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield the tiles of an image row by row; those at the lower and right border are padded with zeros."""
    for top in range(0, shape[0], TILE):
        rows = image()[top : top + TILE]
        for left in range(0, shape[1], TILE):
            part = rows[:, left : left + TILE]
            tile = np.zeros((TILE, TILE, *shape[2:]), part.dtype)
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def check_rasterio() -> None:
    """Raise UsageError if rasterio, which writes cloud-optimised files, is not installed."""
    try:
        import rasterio.shutil  # noqa: F401, PLC0415  optional
    except ImportError:
        raise UsageError("--cog: found no rasterio, expected it installed (pip install rasterio)") from None


def make_cloud_optimised(path: Path) -> None:
    """Replace a TIFF by a cloud-optimised one with the same samples and tags, and with overviews (means of pixels)."""
    import rasterio.shutil  # noqa: PLC0415  optional

    packed = path.with_name(f"{path.stem}_cog.tif")
    options = {"compress": "DEFLATE", "predictor": "YES", "overview_resampling": "AVERAGE", "bigtiff": "IF_SAFER"}
    rasterio.shutil.copy(path, packed, driver="COG", **options)
    packed.replace(path)
    for leftover in path.parent.glob(f"{packed.name}.*"):  # .aux.xml: what GDAL cannot store in a TIFF
        leftover.rename(path.with_name(leftover.name.replace(packed.name, path.name)))
