"""Small infrared-visible GeoTIFFs of one ground, as a folder of pairs, and their fused image."""

import cv2
import numpy as np
import tifffile
from tiny_scenes import geo, write

import test_dcinn_ivf_tno
from data import PairedImages

HEIGHT, WIDTH = 40, 48
GROUND = cv2.GaussianBlur(np.random.default_rng(3).random((100, 100)), (0, 0), 2)
GROUND = (GROUND - GROUND.min()) / np.ptp(GROUND)


def part(top, left, height=HEIGHT, width=WIDTH):
    """A part of the ground, 16 bits, and its tags: pixels of half a metre."""
    image = np.rint(GROUND[top : top + height, left : left + width] * 60000 + 2000).astype(np.uint16)
    return image, geo((5e5 + left / 2, 4.1e6 - top / 2), pixel=0.5)


def pair(folder, visible, infrared, nodata=(None, None)):
    """Write vi/a.tif and ir/a.tif of (image, tags); returns the item."""
    for name, (image, tags), text in zip(("vi", "ir"), (visible, infrared), nodata, strict=True):
        (folder / name).mkdir(exist_ok=True)
        write(folder / name / "a.tif", image, tags, nodata=text)
    return PairedImages(folder)[0]


def fused(folder, *more):
    """Fuse; returns the fused TIFF (H, W) and its tags."""
    test_dcinn_ivf_tno.main(["--data", str(folder), "--output", str(folder / "o"), "--no-metrics", *more])
    with tifffile.TiffFile(folder / "o/fused/a.tif") as tiff:
        return tiff.asarray(), {tag.code: tag.value for tag in tiff.pages[0].tags}
