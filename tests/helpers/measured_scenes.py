"""A small measured hyperspectral image and camera image of one ground, fused by the script or in memory."""

import numpy as np
import scipy.ndimage
import tifffile
import torch
from tiny_scenes import write

import test_dcinn_hmf
from data.simulate import imresize
from models import dcinn_hmf, load_pretrained, save_checkpoint
from utils.tiling import fuse

RATIO, BANDS = 3, 6
SRF = np.array([[5, 1, 0], [3, 2, 0], [2, 4, 1], [1, 4, 2], [0, 2, 4], [0, 1, 5]], float)
SRF /= SRF.sum(axis=0)


def scene(height=24, width=20):
    """HSI (6, h, w) and MSI (3, 3h, 3w) of one smooth ground, in [0, 1], in 12 and 16 bits."""
    rng = np.random.default_rng(0)
    cube = scipy.ndimage.gaussian_filter(rng.random((BANDS, height * RATIO, width * RATIO)), (0, 4, 4), mode="wrap")
    cube = 0.1 + 0.8 * (cube - cube.min()) / np.ptp(cube)
    low = cube.reshape(BANDS, height, RATIO, width, RATIO).mean((2, 4))
    return np.rint(low * 4095).astype(np.uint16), np.rint(np.tensordot(SRF.T, cube, 1) * 65535).astype(np.uint16)


def measured_folder(folder):
    """Write hsi.tif, msi.tif, and w.pth, a small network that is not trained, into a folder; returns it."""
    hsi, msi = scene()
    write(folder / "hsi.tif", hsi)
    write(folder / "msi.tif", msi)
    torch.manual_seed(0)
    model = dcinn_hmf(BANDS, srf=SRF, low_blocks=1).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("conv_out.weight"):
                parameter.normal_().mul_(0.004)
    save_checkpoint(folder / "w.pth", model)
    return folder


def run(folder, *more, hsi="hsi.tif", msi="msi.tif", output="o"):
    """Fuse; returns the fused samples (B, H, W), the TIFF's tags, and the remarks."""
    files = {"--hsi": folder / hsi, "--msi": folder / msi, "--weights": folder / "w.pth", "--output": folder / output}
    words = [str(part) for item in files.items() for part in item]
    notes = test_dcinn_hmf.main([*words, "--bits", "12", *map(str, more)])["notes"]
    with tifffile.TiffFile(folder / output / "fused.tif") as tiff:
        tags = {tag.code: tag.value for tag in tiff.pages[0].tags}
        return np.moveaxis(tiff.asarray(), -1, 0), tags, notes


def expected(folder, tile=0):
    """The fused samples as computed in memory."""
    hsi, msi = scene()
    up = imresize(np.moveaxis(hsi / 4095, 0, -1), RATIO, "bilinear")
    a = torch.from_numpy(up).permute(2, 0, 1)[None].float()
    fused = fuse(load_pretrained(folder / "w.pth"), a, torch.from_numpy(msi / 65535)[None].float(), tile=tile)
    return fused[0].numpy() * 4095
