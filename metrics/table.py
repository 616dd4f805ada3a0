"""Tables of values per image for several methods, with their mean, sample standard deviation and rank.

A published row is part of the table only if its task, protocol and images are the same (`published.py`). Other rows are
quoted below the table and labelled. Best and second best are marked over all rows of the table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from . import published
from .columns import HIGHER, LOWER, direction

ARROWS = {HIGHER: "↑", LOWER: "↓", 0: ""}


@dataclass
class Table:
    """Per-image values of several methods.

    Attributes:
        title: the heading: task and data.
        task: task as in the published tables ("ps_reduced", "hmf", "ivf_tno", ...).
        metrics: names of the columns, in order.
        protocol: how the metrics are computed ("toolbox", "group", "paper", "cddfuse", or a name of our own).
        ratio, sensor: resolution ratio and sensor, None if the task has none.
        comparable: False if the images have the published names but were simulated in another way.
        images: names of the images.
        sizes: (height, width) of each image; published rows are only compared with images of the same sizes.
        rows: method -> metric -> one value per image, None for an empty cell.
        remarks: lines under the table (untrained weights, simulated data, conventions).
        unranked: cells (method, metric) whose value is fixed by definition; they are not marked as best.
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
        """Task and protocol, "task:protocol", the table's name in CSV files."""
        return f"{self.task}:{self.protocol}" if self.protocol else self.task

    def without_images(self) -> "Table":
        """Return an empty table with the same columns, to be filled with further images and added by `extend`."""
        return replace(self, images=[], sizes=[], rows={}, remarks=[], unranked=set())

    def extend(self, other: "Table") -> None:
        """Append the images, rows, remarks and unranked cells of another table with the same columns."""
        self.images += other.images
        self.sizes += other.sizes
        for method, row in other.rows.items():
            mine = self.rows.setdefault(method, {name: [] for name in self.metrics})
            for name, values in row.items():
                mine[name] += values
        for line in other.remarks:
            self.remark(line)
        self.unranked |= other.unranked
        self.comparable = self.comparable and other.comparable

    def image(self, name: str, size: tuple[int, int]) -> None:
        """Begin the next image, of this name and (height, width); then call `add` once per method."""
        self.images.append(name)
        height, width = size
        self.sizes.append((height, width))

    def add(self, method: str, values: dict[str, Callable[[], float]]) -> None:
        """Measure the current image for one method.

        A metric that raises ValueError (for example for too few pixels) or returns NaN leaves its cell empty and adds a
        remark.

        Args:
            method: name of the row.
            values: metric -> function that returns its value.
        """
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

    def remark(self, *lines: str) -> None:
        """Add lines under the table; a line that is there already is not repeated."""
        self.remarks += [line for line in dict.fromkeys(lines) if line not in self.remarks]

    def summary(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """Return method -> metric -> {"mean", "std", "count"} over the images with a value.

        `std` is the sample standard deviation (n - 1), None for fewer than two values or an infinite one. `mean` is
        None without values. `count` is the number of values.
        """
        return {
            method: {name: _mean_and_std([v for v in values if v is not None]) for name, values in row.items()}
            for method, row in self.rows.items()
        }

    def published(self) -> tuple[list[dict], list[dict]]:
        """Return the published rows to compare with (same images and protocol), and the rows to quote apart.

        A row is a dictionary from `Published.row` with the table's `notes`.
        """
        where = (self.task, self.protocol, self.images, self.ratio, self.sensor, self.sizes)
        same = published.comparable(*where) if self.comparable else []
        rest = published.elsewhere(*where)
        rest += [] if self.comparable else published.comparable(*where)
        return (
            [{**t.row(method), "notes": t.notes} for t in same for method in t.rows],
            [{**t.row(method), "notes": t.notes} for t in rest for method in t.headline],
        )

    def ranks(self, metric: str, ours: list, same: list) -> dict[str, str]:
        """Return method -> "best" or "second" for a column.

        A mean over only some of the images is not ranked. Means that are printed equal share a rank.

        Args:
            metric: the column.
            ours, same: rows (name, metric -> cell, whether it was measured here), measured and published.
        """
        values = {}
        for name, row, own in ours + same:
            whole = not own or row[metric]["count"] == len(self.images)
            if whole and (name, metric) not in self.unranked and row.get(metric, {}).get("mean") is not None:
                values[name] = direction(metric) * round(row[metric]["mean"], 4)  # as printed
        order = sorted(set(values.values()), reverse=True)
        if len(order) < 2:
            return {}
        return {name: "best" if v == order[0] else "second" for name, v in values.items() if v in order[:2]}

    def as_dict(self) -> dict:
        """Return the whole table as plain values, for metrics.json."""
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


def _mean_and_std(values: list[float]) -> dict[str, float | int | None]:
    finite = len(values) > 1 and bool(np.isfinite(values).all())
    return {
        "mean": float(np.mean(values)) if values else None,
        "std": float(np.std(values, ddof=1)) if finite else None,
        "count": len(values),
    }


def _plain(value: object) -> object:
    """Return nested values with "inf" in place of infinity, because JSON has none."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return "inf" if isinstance(value, float) and np.isinf(value) else value
