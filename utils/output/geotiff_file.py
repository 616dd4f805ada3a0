"""GeoTIFFs as programs for maps expect them: in tiles, deflated with a predictor; cloud-optimised by rasterio."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile

from utils.commandline.errors import UsageError

TILE = 256  # pixels of a side
BIG = 2**32 - 2**25  # bytes from which a TIFF needs offsets of 64 bits


def write_tiled(path: Path, image: Callable[[], np.ndarray], tags: Sequence[tuple] = (), rgb: bool = False) -> None:
    """Write a TIFF of 256x256 tiles, deflated, integers as differences along rows, floats by bytes.

    Args:
        path: to write.
        image: gives (H, W) or (H, W, B), asked anew for each row of tiles, so that no more of a mapped file than that
            has to stay in memory.
        tags: as tifffile takes them ("extratags").
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
        predictor=True,
        maxworkers=1,
        bigtiff=bool(np.prod(shape, dtype=np.int64) * dtype.itemsize > BIG),
        metadata=None,
        extratags=list(tags),
    )


def _tiles(image: Callable[[], np.ndarray], shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Row by row, those at the lower and right border filled up with zeros."""
    for top in range(0, shape[0], TILE):
        rows = image()[top : top + TILE]
        for left in range(0, shape[1], TILE):
            part = rows[:, left : left + TILE]
            tile = np.zeros((TILE, TILE, *shape[2:]), part.dtype)
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def check_rasterio() -> None:
    """UsageError where rasterio, which writes cloud-optimised files, is not installed."""
    try:
        import rasterio.shutil  # noqa: F401, PLC0415  optional
    except ImportError:
        raise UsageError("--cog: found no rasterio, expected it installed (pip install rasterio)") from None


def make_cloud_optimised(path: Path) -> None:
    """Replace a TIFF by a cloud-optimised one of the same samples and tags, with overviews (means of pixels)."""
    import rasterio.shutil  # noqa: PLC0415  optional

    packed = path.with_name(f"{path.stem}_cog.tif")
    options = {"compress": "DEFLATE", "predictor": "YES", "overview_resampling": "AVERAGE", "bigtiff": "IF_SAFER"}
    rasterio.shutil.copy(path, packed, driver="COG", **options)
    packed.replace(path)
    for leftover in path.parent.glob(f"{packed.name}.*"):  # what GDAL could not put into the file
        leftover.rename(path.with_name(leftover.name.replace(packed.name, path.name)))
