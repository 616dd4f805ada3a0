"""The configuration from which a DCINN network is rebuilt. Every checkpoint stores it, and loading validates it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypedDict

import numpy as np
import torch

from .decomposition import BASE_RULES, DETAIL_RULES

TASKS = ("ps", "hmf", "ivf")
MOST_CHANNELS = 1024
ABLATIONS = ("anet", "detail", "cinn")  # values of `without`
LOW_BLOCKS = {"ps": 3, "hmf": 4, "ivf": 4}  # blocks at the lowest scale in the released networks


class FurtherFields(TypedDict, total=False):
    """The fields of DCINNConfig that every builder takes as keyword arguments."""

    detail_rule: str
    low_blocks: int | None
    terms: int
    exact: bool
    without: str | None


@dataclass(frozen=True)
class DCINNConfig:
    """Everything that defines a DCINN network except its weights.

    Invalid values raise ValueError with one line: what was found and what was expected.

    Attributes:
        task: "ps" (pansharpening), "hmf" (hyperspectral-multispectral) or "ivf" (infrared-visible).
        bands: channels of the base image and of the fused image; 1 for ivf.
        guide_bands: channels of the guide; 1 for ps and ivf.
        srf: hmf only, the spectral response of the guide's camera, (bands, guide_bands), each column summing to one.
        base_rule: ivf only, "max" or "mean" of the two low-passes.
        detail_rule: ivf only, how the two high-passes are combined: "sum" (released), "mean" (Eq. 20 of the paper),
            "max" (Table 10) or "brighter" (ours), see `GaussianDecomposition`.
        low_blocks: blocks at the lowest scale; None is the released number (3 ps, 4 hmf, 4 ivf). The paper's text
            has 4 for ps.
        terms: terms of the convolution exponential after the identity.
        exact: both directions sum as many terms as the floating-point precision needs, see `DCINN.exact`.
        without: "anet", "detail" or "cinn" removes that part, see `ablation`; None keeps the whole network.
    """

    task: str
    bands: int = 1
    guide_bands: int = 1
    srf: tuple[tuple[float, ...], ...] | None = None
    base_rule: str | None = None
    detail_rule: str = "sum"
    low_blocks: int | None = None
    terms: int = 10
    exact: bool = False
    without: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.task, str) or self.task not in TASKS:
            raise ValueError(f"task: found {self.task!r}, expected one of {', '.join(TASKS)}")
        if self.low_blocks is None:
            object.__setattr__(self, "low_blocks", LOW_BLOCKS[self.task])
        object.__setattr__(self, "terms", _plain(self.terms))
        for name in ("bands", "guide_bands", "low_blocks"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        for name, least, most in (
            ("bands", 1 if self.task == "ivf" else 2, 1 if self.task == "ivf" else MOST_CHANNELS),
            ("guide_bands", 1, MOST_CHANNELS if self.task == "hmf" else 1),
            ("low_blocks", 1, 64),
            ("terms", 1, 100),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise ValueError(f"{name} of {self.task}: found {value!r}, expected an integer from {least} to {most}")
        if not isinstance(self.exact, bool):
            raise ValueError(f"exact: found {self.exact!r}, expected true or false")
        if self.without is not None and self.without not in ABLATIONS:
            raise ValueError(f"without: found {self.without!r}, expected one of {', '.join(ABLATIONS)}")
        for name, rules in (("detail_rule", DETAIL_RULES), ("base_rule", BASE_RULES)):
            value = getattr(self, name)
            if name == "base_rule" and self.task != "ivf":
                if value is not None:
                    raise ValueError(f"base_rule of {self.task}: found one, expected none")
            elif not isinstance(value, str) or value not in rules:
                raise ValueError(f"{name} of {self.task}: found {value!r}, expected one of {', '.join(rules)}")
        if self.task != "hmf":
            if self.srf is not None:
                raise ValueError(f"srf of {self.task}: found one, expected none")
        else:
            object.__setattr__(self, "srf", checked_srf(self.srf, self.bands, self.guide_bands))

    def as_dict(self) -> dict:
        """Return all fields as plain Python values, as a checkpoint stores them."""
        return asdict(self)


def _plain(value: object) -> object:
    """Return a NumPy integer as a Python integer, anything else unchanged."""
    return int(value) if isinstance(value, np.integer) else value


def checked_srf(srf: object, bands: int | None = None, guide_bands: int | None = None) -> tuple[tuple[float, ...], ...]:
    """Check a spectral response and return it as nested tuples of floats, (bands, channels).

    Args:
        srf: array, tensor or nested sequence, (bands, channels), more bands than channels, each column summing to one.
        bands, guide_bands: the expected numbers of bands and channels; None accepts any.

    Raises:
        ValueError: for anything but a table of finite numbers, for another shape, and for columns whose sums differ
            from one by more than 0.001.
    """
    if srf is None:
        raise ValueError("srf: found none, expected the (bands, channels) spectral response of the guide's camera")
    try:
        if isinstance(srf, torch.Tensor):
            srf = srf.detach().cpu().double().numpy() if not srf.is_complex() else srf.tolist()
        table = np.asarray(srf)
        table = table.astype(np.float64, casting="same_kind" if table.dtype.kind == "c" else "unsafe")
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(f"srf: found {type(srf).__name__}, expected a (bands, channels) table of numbers") from None
    expected = f"({bands or 'bands'}, {guide_bands or 'channels'})"
    if table.ndim != 2 or table.shape[0] <= table.shape[1]:
        swapped = ", the axes look swapped" if table.ndim == 2 else ""
        raise ValueError(f"srf: found shape {table.shape}{swapped}, expected {expected} with more bands than channels")
    if (bands and table.shape[0] != bands) or (guide_bands and table.shape[1] != guide_bands):
        raise ValueError(f"srf: found shape {table.shape}, expected {expected}")
    if not np.isfinite(table).all():
        raise ValueError("srf: found NaN or infinity, expected finite numbers")
    sums = table.sum(axis=0)
    if np.abs(sums - 1).max() > 1e-3:
        found = ", ".join(f"{s:.4g}" for s in sums)
        raise ValueError(f"srf: found columns summing to {found}, expected each column to sum to 1")
    return tuple(tuple(float(v) for v in row) for row in table)


def config_from_dict(values: object) -> DCINNConfig:
    """Return the DCINNConfig that a dictionary from `as_dict` describes. Raises ValueError for invalid entries."""
    if not isinstance(values, dict):
        raise ValueError(f"config: found {type(values).__name__}, expected a dictionary")
    unknown = sorted(str(k) for k in set(values) - set(DCINNConfig.__dataclass_fields__))
    if unknown:
        raise ValueError(f"config: found unknown entries {', '.join(unknown)}")
    if "task" not in values:
        raise ValueError("config: found no task")
    return DCINNConfig(**values)


def srf_tensor(srf: Sequence[Sequence[float]]) -> torch.Tensor:
    """Return a spectral response as a float64 tensor (bands, channels)."""
    return torch.tensor(srf, dtype=torch.float64)
