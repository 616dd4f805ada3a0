"""Every column of the tables: which way is better, and of which images it is a function."""

from collections.abc import Callable
from typing import NamedTuple

from .fusion import ag, cc, en, entropy_twice, mi, scd, sd, sd_unnormalised, sf
from .mef_ssim_index import mef_ssim
from .structure import ms_ssim, qabf, ssim_sum, viff

HIGHER, LOWER = 1, -1


class Column(NamedTuple):
    """A metric as a column.

    Attributes:
        direction: HIGHER or LOWER, whichever is better.
        fused: the function (fused) -> float, where the fused image alone is measured.
        triple: the function (fused, infrared, visible) -> float, where the sources are needed.

    Metrics of pansharpening and hyperspectral fusion have neither: what they are given is said in `protocols.py`.
    """

    direction: int
    fused: Callable[..., float] | None = None
    triple: Callable[..., float] | None = None


COLUMNS = {
    "PSNR": Column(HIGHER),
    "SSIM": Column(HIGHER, triple=ssim_sum),  # of infrared-visible pairs the sum; else that of the reference
    "Q2n": Column(HIGHER),
    "SCC": Column(HIGHER),
    "UQI": Column(HIGHER),
    "QNR": Column(HIGHER),
    "HQNR": Column(HIGHER),
    "SAM": Column(LOWER),
    "ERGAS": Column(LOWER),
    "D_lambda": Column(LOWER),
    "D_s": Column(LOWER),
    "D_lambda_K": Column(LOWER),
    "EN": Column(HIGHER, fused=en),
    "2EN": Column(HIGHER, fused=entropy_twice),
    "SD": Column(HIGHER, fused=sd),
    "SD*": Column(HIGHER, fused=sd_unnormalised),
    "SF": Column(HIGHER, fused=sf),
    "AG": Column(HIGHER, fused=ag),
    "MI": Column(HIGHER, triple=mi),
    "SCD": Column(HIGHER, triple=scd),
    "VIF": Column(HIGHER, triple=viff),
    "Qabf": Column(HIGHER, triple=qabf),
    "CC": Column(HIGHER, triple=cc),
    "MS-SSIM": Column(HIGHER, triple=ms_ssim),
    "MEF-SSIM": Column(HIGHER, triple=mef_ssim),
}


def direction(metric: str) -> int:
    """HIGHER or LOWER; 0 for a column that is not listed."""
    return COLUMNS[metric].direction if metric in COLUMNS else 0
