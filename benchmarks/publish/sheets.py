"""Sheets of labelled images, as the documents show them: one look for all pictures, small files.

Images are (H, W) or (H, W, 3) floats in [0, 1]. A sheet is black letters on white, so that it can be read on a dark
page, too.
"""

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.files.atomic import whole_file

GAP, LETTERS = 8, 19  # pixels
MOST_BYTES = 150_000


class Panel(NamedTuple):
    """An image and the words above it."""

    title: str
    image: np.ndarray


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings along."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", size)


def picture(image: np.ndarray) -> Image.Image:
    """The image in eight bits, RGB."""
    eight = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(eight).convert("RGB")


def row(panels: list[Panel], width: int) -> Image.Image:
    """Panels side by side at one height, `width` pixels in all, each under its title."""
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
    """The sheet under a heading."""
    head = Image.new("RGB", (sheet.width, LETTERS + 2 * GAP), "white")
    ImageDraw.Draw(head).text((GAP, GAP), title, "black", font(LETTERS))
    return below([head, sheet])


def below(sheets: list[Image.Image]) -> Image.Image:
    """Sheets of one width, one below the other."""
    total = Image.new("RGB", (sheets[0].width, sum(sheet.height for sheet in sheets)), "white")
    top = 0
    for sheet in sheets:
        total.paste(sheet, (0, top))
        top += sheet.height
    return total


def beside(sheets: list[Image.Image]) -> Image.Image:
    """Sheets side by side, aligned at the top."""
    total = Image.new("RGB", (sum(s.width for s in sheets), max(s.height for s in sheets)), "white")
    left = 0
    for sheet in sheets:
        total.paste(sheet, (left, 0))
        left += sheet.width
    return total


def save(path: Path, sheet: Image.Image) -> None:
    """Write a JPEG of the best quality that stays below `MOST_BYTES`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(92, 30, -4):
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() < MOST_BYTES:
            break
    with whole_file(path) as whole:
        whole.write_bytes(file.getvalue())
