"""Composes images with titles to one picture, a sheet, in the same style for all pictures of README and docs.

Images are (H, W) or (H, W, 3) floats in [0, 1]. Titles are black on white, so that they can be read on dark pages, too.
"""

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.files.atomic import whole_file

GAP, LETTERS = 8, 19  # width of gaps, height of titles, in pixels
MOST_BYTES = 150_000  # size of a file above which its quality is reduced


class Panel(NamedTuple):
    """An image, and the title above it."""

    title: str
    image: np.ndarray


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which matplotlib contains, in a size in pixels."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", size)


def picture(image: np.ndarray) -> Image.Image:
    """Return an image as 8-bit RGB."""
    eight = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(eight).convert("RGB")


def row(panels: list[Panel], width: int) -> Image.Image:
    """Return a sheet of panels side by side, all of one height, each under its title.

    Args:
        panels: the panels.
        width: width of the sheet in pixels.
    """
    shapes = [panel.image.shape[1] / panel.image.shape[0] for panel in panels]
    height = round((width - GAP * (len(panels) + 1)) / sum(shapes))
    sheet = Image.new("RGB", (width, height + LETTERS + 2 * GAP), "white")
    draw = ImageDraw.Draw(sheet)
    left = GAP
    for panel, shape in zip(panels, shapes, strict=True):
        wide = round(height * shape)
        larger = height > panel.image.shape[0]
        how = Image.Resampling.NEAREST if larger and panel.image.shape[0] < 100 else Image.Resampling.LANCZOS
        sheet.paste(picture(panel.image).resize((wide, height), how), (left, LETTERS + GAP))
        size = LETTERS - 3
        while size > 9 and draw.textlength(panel.title, font(size)) > wide:
            size -= 1
        draw.text((left, LETTERS - size), panel.title, "black", font(size))
        left += wide + GAP
    return sheet


def headed(title: str, sheet: Image.Image) -> Image.Image:
    """Return a sheet with a heading above it."""
    head = Image.new("RGB", (sheet.width, LETTERS + 2 * GAP), "white")
    ImageDraw.Draw(head).text((GAP, GAP), title, "black", font(LETTERS))
    return below([head, sheet])


def below(sheets: list[Image.Image]) -> Image.Image:
    """Return one sheet of several sheets of equal width, one below the other."""
    total = Image.new("RGB", (sheets[0].width, sum(sheet.height for sheet in sheets)), "white")
    top = 0
    for sheet in sheets:
        total.paste(sheet, (0, top))
        top += sheet.height
    return total


def beside(sheets: list[Image.Image]) -> Image.Image:
    """Return one sheet of several sheets side by side, aligned at the top."""
    total = Image.new("RGB", (sum(s.width for s in sheets), max(s.height for s in sheets)), "white")
    left = 0
    for sheet in sheets:
        total.paste(sheet, (left, 0))
        left += sheet.width
    return total


def save(path: Path, sheet: Image.Image, most: int = MOST_BYTES) -> None:
    """Write a sheet as JPEG, in the best quality whose file has fewer than `most` bytes; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(92, 30, -4):
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() < most:
            break
    with whole_file(path) as whole:
        whole.write_bytes(file.getvalue())
