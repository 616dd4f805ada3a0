"""Image fusion metrics in NumPy, SciPy and scikit-image."""

from .fusion import ag, en, sd, sd_unnormalised, sf
from .no_reference import d_lambda, d_s, qnr
from .reference import ergas, psnr, sam, ssim

__all__ = ["ag", "d_lambda", "d_s", "en", "ergas", "psnr", "qnr", "sam", "sd", "sd_unnormalised", "sf", "ssim"]
