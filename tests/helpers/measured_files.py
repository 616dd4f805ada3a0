"""Files of measured hyperspectral images: ENVI rasters, and a cube with a photograph of the same ground."""

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


def envi(path, hsi, interleave="bsq", order=0, **fields):
    """An ENVI raster, its header at `path` and its samples beside it without a suffix."""
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    codes = {"u1": 1, "i2": 2, "f4": 4, "f8": 5, "u2": 12}
    kind = hsi.dtype.str[1:]
    path.with_suffix("").write_bytes(b"\0" * 16 + hsi.transpose(axes).astype("<>"[order] + kind).tobytes())
    bands, lines, samples = hsi.shape
    known = {"samples": samples, "lines": lines, "bands": bands, "header offset": 16, "data type": codes[kind]}
    known |= {"interleave": interleave, "byte order": order, "band names": "{\n one,\n two }"}
    known |= {name.replace("_", " "): value for name, value in fields.items()}
    text = "".join(f"{name} = {value}\n" for name, value in known.items() if value is not None)
    path.write_text(f"ENVI\ndescription = {{\n of a = test }}\n{text}")
