"""Draws figures of the three networks from their modules: python benchmarks/publish/network_figure.py

It writes docs/pictures/network_{ivf,ps,hmf}.svg. Names, channels, widths, splits and scales are read from a network and
from the shapes of one forward pass, so that a changed network gives another figure; tests/documents/test_pictures.py
compares them. The figures have a white background, so that they can be read on dark pages, too.
"""

import sys
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from data.files.atomic import write_whole
from data.simulate import spectral_response
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps
from models.cinn import Block
from models.weights.files import PRETRAINED

FOLDER = PRETRAINED.parent / "docs/pictures"
NETWORKS = {"ivf": dcinn_ivf, "ps": dcinn_ps, "hmf": lambda: dcinn_hmf(srf=spectral_response())}
SIDE = 64  # side in pixels of the images of the forward pass
SOURCES = {  # task -> names of base image and guide, and descriptions of base and detail
    "ivf": ("visible", "infrared", "low-passes, fused", "high-passes, added"),
    "ps": ("lms", "pan", "lms", "pan - lms"),
    "hmf": ("upsampled cube", "camera image", "the cube", "R⁺ camera - cube"),
}
COLOURS = ("#f4b183", "#9dc3e6", "#a9d18e")  # colours of the conditions m1, m2, m3
LEGEND = (
    "A block: its channels and their split; in colour the condition that it takes and the channels inside F, G and H."
)
INK, LINE, PAPER, BOX = "#1f2328", "#57606a", "#ffffff", "#eef1f4"
WIDE, HIGH, HAAR = 132, 74, 66  # width and height of a block, width of a Haar step, in pixels
LEVEL, GAP, LEFT, TOP, STACK = 104, 14, 340, 118, 5  # height of a scale, gap of steps, margins, offset in a stack


class Step(NamedTuple):
    """A step of CINN, a block or a Haar transform, or several equal blocks in a row.

    Attributes:
        name: name of the module, "first … last" for several blocks.
        channels: channels of the output.
        scale: reduction of the output's sides: 1 is the full size, 2 is half of it.
        split: channels of the two halves of a block's coupling; None for Haar.
        width: channels inside the subnets of a block.
        condition: index of the condition that a block takes; -1 for Haar.
        parts: names of a block's modules.
        count: number of equal blocks.
    """

    name: str
    channels: int
    scale: int
    split: tuple[int, int] | None = None
    width: int = 0
    condition: int = -1
    parts: tuple[str, ...] = ()
    count: int = 1


def condition_shapes(model: DCINN) -> list[tuple[int, int]]:
    """Return (channels, scale) of each of ANet's conditions, see `Step`."""
    a, b = images(model)
    with torch.inference_mode():
        return [(c.shape[1], SIDE // c.shape[2]) for c in model.anet(a, b)]


def images(model: DCINN) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a random base image and guide for a network, (1, C, 64, 64)."""
    return torch.rand(1, model.config.bands, SIDE, SIDE), torch.rand(1, model.config.guide_bands, SIDE, SIDE)


def steps(model: DCINN) -> list[Step]:
    """Return the steps of CINN in their order; equal blocks that follow each other are one step."""
    a, b = images(model)
    found = []
    with torch.inference_mode():
        x, conditions = model.decomposition(a, b)[1], model.anet(a, b)
        for name, module in model.flow.named_children():
            x = module(x, conditions)
            channels, scale = x.shape[1], SIDE // x.shape[2]
            if isinstance(module, Block):
                coupling = module.get_submodule("coupling")
                width = coupling.F.conv_in.out_channels
                parts = tuple(part for part, _ in module.named_children())
                found.append(Step(name, channels, scale, coupling.sizes, width, coupling.condition, parts))
            else:
                found.append(Step(name, channels, scale))
    merged = []
    for _, group in groupby(found, key=lambda step: step._replace(name="") if step.split else step):
        same = list(group)
        name = same[0].name if len(same) == 1 else f"{same[0].name} … {same[-1].name}"
        merged.append(same[0]._replace(name=name, count=len(same)))
    return merged


class Drawing:
    """Collects the elements of an SVG file; lengths are in pixels."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(self, x: float, y: float, wide: float, high: float, fill: str = BOX, radius: float = 6) -> None:
        """Add a rounded rectangle, `x` and `y` being its top left corner."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="{radius:g}" fill="{fill}" '
            f'stroke="{LINE}" stroke-width="1.2"/>'
        )

    def text(self, x: float, y: float, words: str, size: int = 16, bold: bool = False, anchor: str = "middle") -> None:
        """Add a line of text, `x` and `y` being the middle of its base line, or its start with `anchor` "start"."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"{weight} fill="{INK}">'
            f"{escape(words)}</text>"
        )

    def arrow(self, *points: tuple[float, float]) -> None:
        """Add a line through the points (x, y), with an arrow head at the last one."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.8" marker-end="url(#head)"/>'
        )

    def svg(self, wide: float, high: float, title: str) -> str:
        """Return the text of the SVG file, of this width and height."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" role="img" '
            f'font-family="DejaVu Sans, Verdana, Arial, sans-serif">\n<title>{escape(title)}</title>\n'
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" '
            f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{LINE}"/></marker></defs>\n'
            f'<rect width="{wide:g}" height="{high:g}" rx="10" fill="{PAPER}"/>\n'
        )
        return head + "\n".join(self.parts) + "\n</svg>\n"


def size_of(channels: int, scale: int) -> str:
    """Return channels and sides as text: "64 × H/2 × W/2"."""
    return f"{channels} × {'H × W' if scale == 1 else f'H/{scale} × W/{scale}'}"


def draw(model: DCINN) -> str:
    """Return the figure of a network as SVG text."""
    drawing, task, listed, conditions = Drawing(), model.config.task, steps(model), condition_shapes(model)
    deepest = max(step.scale for step in listed).bit_length() - 1
    x, spots = LEFT, []
    for step in listed:
        level = step.scale.bit_length() - 1
        wide = WIDE if step.split else HAAR
        going_up = not step.split and spots and level < spots[-1][3]
        y = TOP + LEVEL * (level + (0 if step.split else 0.5 if going_up else -0.5))
        spots.append((x, y, wide, level))
        x += wide + GAP + STACK * (step.count - 1)
    right = x + 26
    middle = TOP + HIGH / 2
    _sources(drawing, model, middle, right)
    drawing.arrow(
        (LEFT - 52, middle), (LEFT - 18, middle), (LEFT - 18, spots[0][1] + HIGH / 2), (LEFT, spots[0][1] + HIGH / 2)
    )
    _flow(drawing, listed, spots, middle, right)
    bottom = TOP + LEVEL * (deepest + 1) + 22
    _anet(drawing, model, conditions, bottom)
    drawing.text(12, bottom + 98, LEGEND, 14, anchor="start")
    return drawing.svg(right + 176, bottom + 114, f"DCINN, {task}: the network, drawn from its modules")


def _sources(drawing: Drawing, model: DCINN, middle: float, right: float) -> None:
    """Draw the two images, their decomposition, and the sum of base and residual at the right end."""
    first, second, base, detail = SOURCES[model.config.task]
    for number, (name, bands) in enumerate(((first, model.config.bands), (second, model.config.guide_bands))):
        y = middle - 66 + 84 * number
        drawing.box(12, y, 152, 54, "#ffffff")
        drawing.text(88, y + 23, name, 15, bold=True)
        drawing.text(88, y + 43, size_of(bands, 1), 14)
    high = middle - 84
    drawing.box(196, middle - 24, 92, 48)
    drawing.text(242, middle + 5, "decompose", 14, bold=True)
    drawing.arrow((164, middle - 39), (180, middle - 39), (180, middle - 10), (196, middle - 10))
    drawing.arrow((164, middle + 45), (180, middle + 45), (180, middle + 10), (196, middle + 10))
    drawing.arrow((242, middle - 24), (242, high), (right + 88, high), (right + 88, middle - 24))
    drawing.text(LEFT + 2, high - 8, f"base: {base}", 16, anchor="start")
    drawing.text(LEFT + 2, middle - 50, f"detail: {detail}", 16, anchor="start")
    drawing.box(right + 66, middle - 22, 44, 44, "#ffffff", 22)
    drawing.text(right + 88, middle + 9, "+", 26)
    drawing.arrow((right + 110, middle), (right + 166, middle))
    drawing.text(right + 136, middle + 26, "fused", 16, bold=True)


def _flow(drawing: Drawing, listed: list[Step], spots: list[tuple], middle: float, right: float) -> None:
    """Draw CINN: its steps at their positions in `spots`, down to the coarsest scale and up again."""
    before = None
    for step, (x, y, wide, _) in zip(listed, spots, strict=True):
        centre = y + HIGH / 2
        if before is not None:
            then, at = before
            drawing.arrow((then, at), (x, centre))
        if step.split is None:
            drawing.box(x, y + 14, wide, HIGH - 28, "#fff8e1")
            drawing.text(x + wide / 2, centre - 3, "Haar" if "in" in step.name else "Haar⁻¹", 14, bold=True)
            drawing.text(x + wide / 2, centre + 15, f"→ {step.channels}", 14)
        else:
            for behind in range(step.count - 1, 0, -1):
                drawing.box(x + STACK * behind, y - STACK * behind, wide, HIGH)
            drawing.box(x, y, wide, HIGH)
            drawing.text(x + wide / 2, y + 19, step.name, 14, bold=True)
            drawing.text(x + wide / 2, y + 38, f"{step.channels} ch = {step.split[0]} + {step.split[1]}", 14)
            drawing.box(x, y + 48, wide, HIGH - 48, COLOURS[step.condition], 4)
            drawing.text(x + wide / 2, y + 66, f"m{step.condition + 1}, subnets {step.width}", 14)
        before = (x + wide + STACK * (step.count - 1), centre)
    then, at = before
    drawing.arrow((then, at), (then + 8, at), (then + 8, middle), (right + 64, middle))
    drawing.text(right + 22, middle + 26, "residual", 16)


def _anet(drawing: Drawing, model: DCINN, conditions: list[tuple[int, int]], y: float) -> None:
    """Draw ANet and its conditions below `y`, in the colours that mark the blocks that take them."""
    anet = model.anet
    drawing.box(12, y, 372, 70)
    drawing.text(198, y + 28, "ANet", 16, bold=True)
    into, out = anet.conv_in.in_channels, anet.conv_in.out_channels
    drawing.text(198, y + 52, f"convolution {into} → {out}, {len(anet.res)} residual blocks of {out}", 15)
    drawing.arrow((88, y - (LEVEL * 0.2)), (88, y - 2))
    drawing.text(100, y - 10, "both sources", 14, anchor="start")
    x = 414
    for number, (channels, scale) in enumerate(conditions):
        drawing.arrow((x - 30, y + 35), (x - 2, y + 35)) if not number else None
        drawing.box(x, y + 8, 178, 54, COLOURS[number])
        drawing.text(x + 89, y + 30, f"condition m{number + 1}", 15, bold=True)
        drawing.text(x + 89, y + 51, size_of(channels, scale), 15)
        x += 192


def main() -> None:
    """Write the figures of the three networks."""
    for name, build in NETWORKS.items():
        FOLDER.mkdir(parents=True, exist_ok=True)
        write_whole(FOLDER / f"network_{name}.svg", draw(build()))


if __name__ == "__main__":
    main()
