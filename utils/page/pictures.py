"""Pictures of arrays: signed maps, mosaics of channels, quick-looks, angles, spectra."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from utils.output.images import to_eight_bit, write_png

MOST_CHANNELS = 8  # channels of a condition that are shown


def save(path: Path, image: np.ndarray) -> str:
    """Write (H, W), (3, H, W) or (H, W, 3) in [0, 1] as an 8-bit PNG; returns its path."""
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] != 3:
        image = np.moveaxis(image, 0, -1)
    write_png(path, np.ascontiguousarray(to_eight_bit(image)))
    return str(path)


def signed(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return an image (H, W) of both signs mapped to [0, 1] with 0 at mid gray, and the value of white.

    White is the 99th percentile of the absolute values.
    """
    most = float(np.quantile(np.abs(image), 0.99)) or 1.0
    return (0.5 + image / (2 * most)).clip(0, 1), most


def mosaic(channels: np.ndarray) -> np.ndarray:
    """Return the first 8 channels of (C, h, w) as one picture in two rows, each from its 1st to 99th percentile."""
    tiles = []
    for channel in channels[:MOST_CHANNELS]:
        low, high = np.percentile(channel, (1, 99))
        tiles.append(np.pad(((channel - low) / max(high - low, 1e-6)).clip(0, 1), 1, constant_values=1))
    half = len(tiles) // 2
    return np.vstack([np.hstack(tiles[:half]), np.hstack(tiles[half : 2 * half])])


def framed(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Return (H, W, 3) in [0, 1] with a red frame around rows box[0]:box[1] and columns box[2]:box[3]."""
    shown, wide = image.copy(), max(2, max(image.shape) // 128)
    top, bottom, left, right = box
    for rows, columns in (
        (slice(top, top + wide), slice(left, right)),
        (slice(max(bottom - wide, 0), bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + wide)),
        (slice(top, bottom), slice(max(right - wide, 0), right)),
    ):
        shown[rows, columns] = (1.0, 0.1, 0.1)
    return shown


def angle_map(angles: np.ndarray, title: str) -> Figure:
    """Return a figure of spectral angles (H, W) in degrees, with their scale and their mean in the title."""
    figure = _figure(5.4, 4.6)
    axis = figure.subplots()
    known = angles[np.isfinite(angles)]
    top = float(np.percentile(known, 99)) if known.size else 1.0
    shown = axis.imshow(angles, cmap="inferno", vmin=0, vmax=top or 1.0)
    axis.set_axis_off()
    axis.set_title(f"{title}, mean {known.mean() if known.size else float('nan'):.2f} degrees", fontsize=9)
    figure.colorbar(shown, ax=axis, fraction=0.046, pad=0.02, label="degrees")
    return figure


def spectra(lines: dict[str, np.ndarray], place: tuple[int, int], waves: np.ndarray | None = None) -> Figure:
    """Return a plot of the spectra of one pixel.

    Args:
        lines: name of an image -> its spectrum (B,); at most three are drawn.
        place: (column, row), for the title.
        waves: wavelengths of the bands in nm; None plots against band numbers.
    """
    figure = _figure(5.4, 3.6)
    axis = figure.subplots()
    for style, (name, values) in zip(("-", "--", ":"), lines.items(), strict=False):
        x = np.arange(1, len(values) + 1) if waves is None else waves
        axis.plot(x, values, style, label=name, marker="." if waves is None else None)
    axis.set_xlabel("band" if waves is None else "wavelength, nm")
    axis.set_ylabel("value, of 1")
    axis.set_title(f"pixel in column {place[0]}, row {place[1]}", fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
