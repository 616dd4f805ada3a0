"""Tables: mean and sample standard deviation over images, as markdown, CSV, LaTeX and a dictionary for JSON.

A published row stands in the table only where task, protocol and images are the same (`published.py`); others are
quoted below it and labelled. Best and second best of a column are marked over everything that stands in the table.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import published

HIGHER, LOWER = 1, -1
DIRECTIONS = {
    **dict.fromkeys(("PSNR", "SSIM", "Q2n", "SCC", "UQI", "QNR", "HQNR"), HIGHER),
    **dict.fromkeys(("SAM", "ERGAS", "D_lambda", "D_s", "D_lambda_K"), LOWER),
    **dict.fromkeys(("EN", "2EN", "SD", "SD*", "SF", "AG", "MI", "SCD", "VIF", "Qabf", "CC"), HIGHER),
    **dict.fromkeys(("MS-SSIM", "MEF-SSIM"), HIGHER),
}
ARROWS = {HIGHER: "↑", LOWER: "↓", 0: ""}
CSV_HEADER = "table,image,method,metric,value\n"
MARKDOWN_MARKS = {"best": ("**", "**"), "second": ("*", "*"), None: ("", "")}
LATEX_MARKS = {"best": (r"\textbf{", "}"), "second": (r"\underline{", "}"), None: ("", "")}
LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
}  # fmt: skip


@dataclass
class Table:
    """Per-image values of several methods.

    Attributes:
        title: what was measured, on what.
        task: of the published tables ("ps_reduced", "hmf", "ivf_tno", ...).
        metrics: the columns, in order.
        protocol: how they are computed ("toolbox", "group", "paper", "cddfuse", or a name of our own).
        ratio, sensor: where the task has them.
        comparable: whether the data were made as the published ones, where their names agree.
        images: their names.
        sizes: their (height, width), where known; published rows are only beside images of the same sizes.
        rows: method -> metric -> one value an image.
        remarks: lines under the table (untrained weights, simulated data, conventions).
        unranked: (method, metric) that are what they are by definition and are not marked as best.
    """

    title: str
    task: str
    metrics: tuple[str, ...]
    protocol: str = ""
    ratio: int | None = None
    sensor: str | None = None
    comparable: bool = True
    images: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    rows: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    unranked: set[tuple[str, str]] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Task and protocol, for CSV files."""
        return f"{self.task}:{self.protocol}" if self.protocol else self.task

    def image(self, name: str, size: tuple[int, int]) -> None:
        """Begin the next image: its name and (height, width); `add` its methods after it."""
        self.images.append(name)
        height, width = size
        self.sizes.append((height, width))

    def add(self, method: str, values: dict[str, Callable[[], float]]) -> None:
        """Measure one image for one method; a metric that refuses the image (too few pixels) leaves its cell empty."""
        row = self.rows.setdefault(method, {name: [] for name in self.metrics})
        for name in self.metrics:
            try:
                value = float(values[name]())
            except ValueError as error:
                value = None
                self.remark(f"{name} left empty where it is not defined: {error}")
            if value is not None and np.isnan(value):
                value = None
                self.remark(f"{name} left empty where it is undefined (constant or black images).")
            row[name].append(value)

    def remark(self, line: str) -> None:
        """A line under the table, once."""
        if line not in self.remarks:
            self.remarks.append(line)

    def summary(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """method -> metric -> {"mean", "std", "count"} over its values; std is the sample's (n - 1)."""
        return {
            method: {name: _mean_and_std([v for v in values if v is not None]) for name, values in row.items()}
            for method, row in self.rows.items()
        }

    def published(self) -> tuple[list[dict], list[dict]]:
        """Published rows of the same images and protocol, and those to be set apart."""
        where = (self.task, self.protocol, self.images, self.ratio, self.sensor, self.sizes)
        same = published.comparable(*where) if self.comparable else []
        rest = published.elsewhere(*where)
        rest += [] if self.comparable else published.comparable(*where)
        return (
            [{**t.row(method), "notes": t.notes} for t in same for method in t.rows],
            [{**t.row(method), "notes": t.notes} for t in rest for method in t.headline],
        )

    def lines(self) -> list[tuple[str, list[tuple[str, str | None]]]]:
        """What stands in the table: a name and one (text, "best", "second" or None) a column."""
        ours = [(method, row, True) for method, row in self.summary().items()]
        same = [(f"{row['method']} [{row['source']}]", row["metrics"], False) for row in self.published()[0]]
        ranks = {m: self._ranks(m, ours, same) for m in self.metrics}
        return [
            (name, [(_text(row.get(m), len(self.images) if own else None), ranks[m].get(name)) for m in self.metrics])
            for name, row, own in ours + same
        ]

    def _ranks(self, metric: str, ours: list, same: list) -> dict[str, str]:
        """Method -> "best" or "second". A mean that lacks images is not ranked; equal ones share their rank."""
        values = {}
        for name, row, own in ours + same:
            whole = not own or row[metric]["count"] == len(self.images)
            if whole and (name, metric) not in self.unranked and row.get(metric, {}).get("mean") is not None:
                values[name] = DIRECTIONS.get(metric, 0) * round(row[metric]["mean"], 4)  # what is printed
        order = sorted(set(values.values()), reverse=True)
        if len(order) < 2:
            return {}
        return {name: "best" if v == order[0] else "second" for name, v in values.items() if v in order[:2]}

    def _heads(self) -> list[str]:
        return [f"{m} {ARROWS[DIRECTIONS.get(m, 0)]}".strip() for m in self.metrics]

    def _count(self) -> str:
        return f"{len(self.images)} image{'s' if len(self.images) != 1 else ''}"

    def markdown(self) -> str:
        """The table with its title, the rows set apart, and the remarks."""
        same, other = self.published()
        out = [
            f"### {' '.join(self.title.split())} ({self._count()})",
            "",
            "| method | " + " | ".join(self._heads()) + " |",
        ]
        out.append("|---|" + "---:|" * len(self.metrics))
        for name, cells in self.lines():
            shown = [text if not text else text.join(MARKDOWN_MARKS[mark]) for text, mark in cells]
            out.append(f"| {_line(name)} | " + " | ".join(shown) + " |")
        out += ["", "* Mean and sample deviation over the images; **best**, *second best* of the rows above."]
        out += [f"* {remark}" for remark in self.remarks]
        out += [f"* Cautions about {row['source']}: {' '.join(row['notes'])}" for row in _once(same) if row["notes"]]
        for row in other:
            values = ", ".join(f"{m} {_text(v)}" for m, v in row["metrics"].items())
            out.append(
                f"* Set apart, other images or protocol ({row['source']}; {row['data']}): {row['method']}: {values}."
            )
        out += [f"* {tag}: {published.sources()[tag]}." for tag in dict.fromkeys(row["tag"] for row in same + other)]
        return "\n".join(out) + "\n"

    def latex(self) -> str:
        """A booktabs table, best in bold, second best underlined."""
        out = [r"\begin{table}", rf"\caption{{{_escaped(self.title)} ({self._count()})}}"]
        out += [rf"\begin{{tabular}}{{l{'r' * len(self.metrics)}}}", r"\toprule"]
        out += [" & ".join(["method", *map(_escaped, self._heads())]) + r" \\", r"\midrule"]
        own = len(self.rows)
        for i, (name, cells) in enumerate(self.lines()):
            shown = [_escaped(text).join(LATEX_MARKS[mark if text else None]) for text, mark in cells]
            out += [r"\midrule"] if i == own else []
            out.append(" & ".join([_escaped(name), *shown]) + r" \\")
        out += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        return "\n".join(out + [f"% {' '.join(remark.split())}" for remark in self.remarks]) + "\n"

    def csv(self) -> str:
        """One line an image, method and metric, without a header (`CSV_HEADER`)."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for method, row in self.rows.items():
            for i, image in enumerate(self.images):
                writer.writerows([self.name, image, method, m, row[m][i]] for m in self.metrics)
        return buffer.getvalue()

    def as_dict(self) -> dict:
        """Everything, for metrics.json."""
        same, other = self.published()
        about = {k: getattr(self, k) for k in ("title", "task", "protocol", "ratio", "sensor", "metrics", "images")}
        return {
            **about,
            "values": _plain(self.rows),
            "summary": _plain(self.summary()),
            "published_same_images": same,
            "published_other_images": other,
            "remarks": self.remarks,
        }


def _once(rows: list[dict]) -> list[dict]:
    """The first row of each source."""
    return list({row["source"]: row for row in reversed(rows)}.values())[::-1]


def _mean_and_std(values: list[float]) -> dict[str, float | int | None]:
    finite = len(values) > 1 and bool(np.isfinite(values).all())
    return {
        "mean": float(np.mean(values)) if values else None,
        "std": float(np.std(values, ddof=1)) if finite else None,
        "count": len(values),
    }


def _text(cell: dict | None, images: int | None = None) -> str:
    """Mean and deviation: ours with four digits, and of how many images where not of all; published ones as printed."""
    if cell is None or cell["mean"] is None:
        return ""
    numbers = [v for v in (cell["mean"], cell["std"]) if v is not None]
    if images is None:
        return " ± ".join(getattr(v, "text", f"{v:g}") for v in numbers)
    lacking = f" ({cell['count']} of {images})" if cell["count"] < images else ""
    return " ± ".join(f"{v:.4f}" for v in numbers) + lacking


def _plain(value: object) -> object:
    """For JSON, which has no infinity."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return "inf" if isinstance(value, float) and np.isinf(value) else value


def _line(name: str) -> str:
    """A name that cannot break a row of the table."""
    return " ".join(name.replace("|", "/").split())


def _escaped(text: str) -> str:
    return "".join(LATEX_SPECIAL.get(c, c) for c in text)
