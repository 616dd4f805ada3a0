"""The columns of the tables: whether higher or lower is better, and the function of each infrared-visible metric."""

from collections.abc import Callable
from typing import NamedTuple

from .fusion import ag, cc, en, entropy_twice, mi, scd, sd, sd_unnormalised, sf
from .mef_ssim_index import mef_ssim
from .structure import ms_ssim, qabf, ssim_sum, viff

HIGHER, LOWER = 1, -1


class Column(NamedTuple):
    """A metric as a column of a table.

    Attributes:
        direction: HIGHER or LOWER, whichever is better.
        fused: the function (fused) -> float of a metric that needs the fused image only.
        triple: the function (fused, infrared, visible) -> float of a metric that needs the sources.

    Metrics of pansharpening and hyperspectral fusion have neither function: `protocols.py` calls them.
    """

    direction: int
    fused: Callable[..., float] | None = None
    triple: Callable[..., float] | None = None


COLUMNS = {
    "PSNR": Column(HIGHER),
    "SSIM": Column(HIGHER, triple=ssim_sum),  # infrared-visible: summed over the sources; else against the reference
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
    """Return whether HIGHER or LOWER values of a metric are better; 0 for a name that is not in COLUMNS."""
    return COLUMNS[metric].direction if metric in COLUMNS else 0
