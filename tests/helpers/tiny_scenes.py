"""Scenes as they are delivered, of some pixels: GeoTIFFs with a place, a CRS, NoData; and a network for them."""

import numpy as np
import tifffile
import torch

import test_dcinn_ps
from models import dcinn_ps, save_checkpoint

PLACE = (5e5, 4.1e6)  # of the first pixel's outer corner
PIXEL = 0.5  # of the pan


def stirred_network(path):
    """A network of four bands, random but for the last layers, which would add nothing; saved at `path`."""
    torch.manual_seed(0)
    model = dcinn_ps(4).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("conv_out.weight"):
                parameter.normal_().mul_(0.05)
            elif ".se." in name:
                parameter.normal_().mul_(3)  # so that means are felt
    save_checkpoint(path, model)
    return model


def ground(side=48, ratio=4):
    """MS (4, side, side) and pan of one ground, digital numbers of 11 bits."""
    y, x = np.mgrid[: side * ratio, : side * ratio] / ratio
    pan = 900 + 350 * np.sin(x) * np.cos(y * 0.8) + 250 * np.sin((x + 2 * y) * 0.6)
    pan += np.random.default_rng(0).normal(0, 60, pan.shape)
    low = pan.reshape(side, ratio, side, ratio).mean(axis=(1, 3))
    ms = np.stack([low * gain + 50 for gain in (0.7, 0.9, 1.0, 1.1)])
    return ms.round().astype(np.uint16), pan.round().astype(np.uint16)


def geo(place=PLACE, pixel=PIXEL, crs=32633, point=False, matrix=None):
    """GeoTIFF tags as tifffile writes them."""
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2 if point else 1, 3072, 0, 1, crs)
    if matrix is not None:
        return [(34264, 12, 16, tuple(matrix), True), (34735, 3, 16, keys, True)]
    return [
        (33550, 12, 3, (pixel, pixel, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, *map(float, place), 0.0), True),
        (34735, 3, 16, keys, True),
    ]


def write(path, image, tags=(), nodata=None, **options):
    """(H, W) or (B, H, W) into a TIFF, pixel by pixel."""
    tags = [*tags, *([(42113, 2, 0, nodata, True)] if nodata is not None else [])]
    if image.ndim == 3:
        image, options["planarconfig"] = np.ascontiguousarray(np.moveaxis(image, 0, -1)), "contig"
    tifffile.imwrite(path, image, photometric="minisblack", metadata=None, extratags=tags, **options)


def fuse(folder, *more, output="o", tile=0):
    """Run the script on folder/ms.tif, pan.tif and w.pth; returns what it returns, and the open fused TIFF's parts."""
    files = {"--ms": "ms.tif", "--pan": "pan.tif", "--weights": "w.pth", "--output": output}
    options = [str(part) for key, name in files.items() for part in (key, folder / name)]
    result = test_dcinn_ps.main([*options, "--tile", str(tile), *map(str, more)])
    with tifffile.TiffFile(folder / output / "fused.tif") as tiff:
        tags = {code: tag.value for code, tag in ((t.code, t) for t in tiff.pages[0].tags)}
        return result, np.moveaxis(tiff.asarray(), -1, 0), tags
