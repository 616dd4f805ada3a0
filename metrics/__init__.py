"""Image fusion metrics in NumPy, SciPy and scikit-image, checked against the programs behind published tables.

`reference.py` compares with a reference image, `no_reference.py` needs none (full resolution), `fusion.py`,
`structure.py` and `mef_ssim_index.py` are for infrared-visible fusion, and `released.py` holds the DCINN authors' own
four metrics, faults included. `pip install` names this folder `dcinn.metrics`. It imports no other folder of the
project.
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
