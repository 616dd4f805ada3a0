"""Tables: mean and sample standard deviation over images, as markdown and CSV, the published row beside ours.

A published row stands in the table only where it was measured on the same images; elsewhere it is set apart below.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HIGHER, LOWER, NEITHER = "↑", "↓", ""
DIRECTIONS = {
    **dict.fromkeys(("PSNR", "SSIM", "QNR", "EN", "SD", "SD*", "SF", "AG"), HIGHER),
    **dict.fromkeys(("SAM", "ERGAS", "D_lambda", "D_s"), LOWER),
}
CSV_HEADER = "table,image,method,metric,value\n"


@dataclass
class Table:
    """Per-image values of several methods.

    Attributes:
        title: what was measured, on what.
        task: key into published.json ("ps_reduced", "hmf", "ivf_tno", ...).
        metrics: the columns, in order.
        images: their names.
        rows: method -> metric -> one value an image.
        comparable: whether data and protocol are those of the published rows, where the images are.
        remarks: lines under the table (untrained weights, simulated data, conventions).
    """

    title: str
    task: str
    metrics: tuple[str, ...]
    ratio: int | None = None
    comparable: bool = True
    images: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, method: str, values: dict[str, Callable[[], float]]) -> None:
        """Measure one image for one method; a metric that refuses the image (too few pixels) leaves its cell empty."""
        row = self.rows.setdefault(method, {name: [] for name in self.metrics})
        for name in self.metrics:
            try:
                value = float(values[name]())
            except ValueError as error:
                value = None
                self.remark(f"{name} left empty where it is not defined: {error}")
            if value is not None and not np.isfinite(value):
                value = None
                self.remark(f"{name} left empty where it is infinite or undefined (equal or constant images).")
            row[name].append(value)

    def remark(self, line: str) -> None:
        """A line under the table, once."""
        if line not in self.remarks:
            self.remarks.append(line)

    def summary(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """method -> metric -> {"mean", "std"} over the images that have a value; std is the sample's (n - 1)."""
        return {
            method: {name: _mean_and_std([v for v in values if v is not None]) for name, values in row.items()}
            for method, row in self.rows.items()
        }

    def published(self) -> tuple[list[dict], list[dict]]:
        """Published rows of the same images, and those of other images."""
        content = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
        rows = [r for r in content["rows"] if r["task"] == self.task and r.get("ratio") in (None, self.ratio)]
        same = [r for r in rows if self.comparable and set(r.get("images", ())) == set(self.images)]
        return same, [r for r in rows if r not in same]

    def markdown(self) -> str:
        """The table with its title and remarks."""
        same, other = self.published()
        count = f"{len(self.images)} image{'s' if len(self.images) != 1 else ''}"
        lines = [f"### {self.title} ({count})", ""]
        heads = [f"{m} {DIRECTIONS.get(m, NEITHER)}".strip() for m in self.metrics]
        lines.append("| method | " + " | ".join(heads) + " |")
        lines.append("|---|" + "---:|" * len(self.metrics))
        for method, row in self.summary().items():
            cells = [_cell(row[name]["mean"], row[name]["std"]) for name in self.metrics]
            lines.append(f"| {method.replace('|', '/')} | " + " | ".join(cells) + " |")
        for row in same:
            cells = [f"{row['metrics'][m]:g}" if m in row["metrics"] else "" for m in self.metrics]
            lines.append(f"| {row['method']} ({row['data']}) | " + " | ".join(cells) + " |")
        lines.append("")
        for row in other:
            values = ", ".join(f"{m} {v:g}" for m, v in row["metrics"].items())
            lines.append(f"* Set apart, other images or protocol ({row['data']}): {row['method']}: {values}.")
        lines += [f"* {remark}" for remark in self.remarks]
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """One line an image, method and metric, without a header (`CSV_HEADER`)."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for method, row in self.rows.items():
            for i, image in enumerate(self.images):
                writer.writerows([self.task, image, method, m, row[m][i]] for m in self.metrics)
        return buffer.getvalue()

    def as_dict(self) -> dict:
        """Everything, for metrics.json."""
        same, other = self.published()
        return {
            "title": self.title,
            "task": self.task,
            "images": self.images,
            "values": self.rows,
            "summary": self.summary(),
            "published_same_images": same,
            "published_other_images": other,
            "remarks": self.remarks,
        }


def _mean_and_std(values: list[float]) -> dict[str, float | None]:
    return {
        "mean": float(np.mean(values)) if values else None,
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
    }


def _cell(mean: float | None, std: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"
