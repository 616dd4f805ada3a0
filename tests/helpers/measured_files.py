"""A measured hyperspectral image and a photograph of the same ground, as files."""

import cv2
import numpy as np
import tifffile

from data.simulate import spectral_response


def measured_files(folder, ratio=4):
    """A smooth cube of 12 bits and a photograph of 8 bits, hsi.tif and msi.png; returns the cube (31, h, w)."""
    rng = np.random.default_rng(1)
    shape = cv2.GaussianBlur(rng.random((24, 20)), (0, 0), 2)
    shape = (shape - shape.min()) / np.ptp(shape)
    low = np.stack([shape * (1000 + 60 * band) + 200 for band in range(31)])
    tifffile.imwrite(folder / "hsi.tif", low.astype(np.uint16), photometric="minisblack", planarconfig="separate")
    camera = np.kron(np.tensordot(spectral_response().T, low, 1), np.ones((ratio, ratio)))  # blue, green, red
    cv2.imwrite(str(folder / "msi.png"), np.moveaxis(camera / 4095 * 255, 0, -1).round().astype(np.uint8))
    return low
