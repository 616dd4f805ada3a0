"""The comparison figure of a run: inputs, fused image, and an error map if there is a reference."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from metrics.outside_text import shown

MOST_ROWS = 4
PANEL_INCHES = 3.2


@dataclass
class Panel:
    """One image of the figure.

    Attributes:
        title: its title.
        image: (H, W) gray or (H, W, 3) RGB in [0, 1]; or an error map (H, W).
        error_unit: unit of an error map; None for an image.
    """

    title: str
    image: np.ndarray
    error_unit: str | None = None


def telling_window(a: np.ndarray, b: np.ndarray) -> tuple[slice, slice]:
    """Return rows and columns of the square, a quarter of the shorter side wide, where both images (H, W) vary most."""
    side = max(min(a.shape) // 4, 1)

    def means(image: np.ndarray) -> np.ndarray:
        """Return the means of all such squares, by their top left pixels."""
        found = scipy.ndimage.uniform_filter(image.astype(np.float64), side, mode="constant")[side // 2 :, side // 2 :]
        return found[: a.shape[0] - side + 1, : a.shape[1] - side + 1]

    variances = [(means(x.astype(np.float64) ** 2) - means(x) ** 2).clip(0) for x in (a, b)]
    both = variances[0] * variances[1]
    top, left = np.unravel_index(both.argmax(), both.shape)
    return slice(int(top), int(top) + side), slice(int(left), int(left) + side)


def error_map(fused: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the mean over bands of the absolute difference of two images (B, H, W), (H, W)."""
    return np.abs(fused - reference).mean(axis=0)


def comparison_figure(path: Path, rows: list[list[Panel]], caption: str) -> None:
    """Write the panels as one PNG, one row per image, at most four rows; nothing without rows.

    All error maps of a figure share one scale.
    """
    if not rows:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = rows[:MOST_ROWS]
    columns = max(len(row) for row in rows)
    heights = [max(min(max(p.image.shape[0] / p.image.shape[1], 0.2), 3) for p in row) for row in rows]
    size = (PANEL_INCHES * columns, PANEL_INCHES * sum(heights) + 0.35 * len(rows) + 0.4)
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(shown(caption), fontsize=9, parse_math=False)
    errors = [p.image for row in rows for p in row if p.error_unit]
    top = max((float(np.percentile(e, 99.5)) for e in errors), default=1.0) or 1.0
    axes = figure.subplots(len(rows), columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, row in zip(axes, rows, strict=True):
        for axis in line:
            axis.set_axis_off()
        for axis, panel in zip(line, row, strict=False):
            axis.set_title(shown(panel.title), fontsize=9, wrap=True, parse_math=False)
            if panel.error_unit:
                drawn = axis.imshow(panel.image, cmap="inferno", vmin=0, vmax=top)
                figure.colorbar(drawn, ax=axis, fraction=0.046, pad=0.02, label=panel.error_unit)
            else:
                axis.imshow(panel.image, cmap="gray", vmin=0, vmax=1)
    figure.savefig(path, format="png")
