"""Image fusion metrics in NumPy, SciPy and scikit-image, checked against the codes that published tables come from.

With a reference (`reference.py`), at full resolution without one (`no_reference.py`), of infrared and visible images
(`fusion.py`, `structure.py`, `mef_ssim_index.py`), and the DCINN authors' own four with their faults (`released.py`).
Installed, this folder is the package `dcinn.metrics`: it imports nothing of the other folders.
"""

from . import released
from .fusion import ag, cc, en, entropy_twice, mi, scd, sd, sd_unnormalised, sf
from .mef_ssim_index import mef_ssim
from .no_reference import d_lambda, d_lambda_k, d_s, hqnr, qnr
from .q2n_index import q2n, q2n_map
from .reference import cut_border, ergas, psnr, sam, scc, ssim, uqi
from .structure import ms_ssim, qabf, ssim_sum, viff

__all__ = [
    "ag",
    "cc",
    "cut_border",
    "d_lambda",
    "d_lambda_k",
    "d_s",
    "en",
    "entropy_twice",
    "ergas",
    "hqnr",
    "mef_ssim",
    "mi",
    "ms_ssim",
    "psnr",
    "q2n",
    "q2n_map",
    "qabf",
    "qnr",
    "released",
    "sam",
    "scc",
    "scd",
    "sd",
    "sd_unnormalised",
    "sf",
    "ssim",
    "ssim_sum",
    "uqi",
    "viff",
]
