"""The published tables (published.json), and which of their rows may be compared with measured ones.

Every table names its source, its protocol (how its metrics are computed) and its images. A row is comparable if task,
protocol, ratio and image names are the same. All other rows are quoted apart from the measured ones.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROLES = ("main", "ablation", "context")


@dataclass(frozen=True)
class Published:
    """One printed table.

    Attributes:
        id: the table's key in published.json.
        source, where: the publication's tag, and the table's number in the publication.
        task: "ps_reduced", "ps_full", "hmf", "ivf_rs", "ivf_tno", "ivf_mri_ct".
        protocol: how the metrics are computed: "toolbox" (ps), "group" (hmf), "paper" or "cddfuse" (ivf), "other".
        data: a label of the images.
        images: names of the images; None if the list is not published.
        sizes: (height, width) of each image, in the order of `images`.
        ratio, sensor: resolution ratio and sensor, None if the task has none.
        role: "main", "ablation", or "context" (a table of other publications that is kept but not printed).
        headline: the methods to quote if the table cannot be compared.
        metrics: names of the columns.
        notes: known faults in the table.
        rows: method -> one cell per column: a number, [mean, standard deviation], or None.
        row_sources: method -> tag of the publication, for rows that the table quotes from another publication.
        params: method -> number of parameters, as printed.
        naming: explanations of columns that the publication prints under another name.
    """

    id: str
    source: str
    where: str
    task: str
    protocol: str
    data: str
    images: tuple[str, ...] | None
    sizes: tuple[tuple[int, int], ...] | None
    ratio: int | None
    sensor: str | None
    role: str
    headline: tuple[str, ...]
    metrics: tuple[str, ...]
    notes: tuple[str, ...]
    rows: dict[str, list] = field(repr=False)
    row_sources: dict[str, str] = field(repr=False, default_factory=dict)
    params: dict[str, str] = field(repr=False, default_factory=dict)
    naming: tuple[str, ...] = ()

    def row(self, method: str) -> dict:
        """Return a row as {"method", "tag", "source", "data", "metrics"}.

        "tag" is a key of `sources`, and "metrics" maps each name to {"mean", "std"}, std None if not printed.
        """
        cells = {m: _cell(c) for m, c in zip(self.metrics, self.rows[method], strict=True) if c is not None}
        source = self.row_sources.get(method)
        where = source or f"{self.source} {self.where}"
        return {"method": method, "tag": source or self.source, "source": where, "data": self.data, "metrics": cells}


@cache
def tables() -> tuple[Published, ...]:
    """Return all published tables, in the file's order."""
    content = _content()
    return tuple(_table(entry, content["image_sets"], content["image_sizes"]) for entry in content["tables"])


@cache
def sources() -> dict[str, str]:
    """Return the publications, tag -> reference."""
    return _content()["sources"]


def image_set(name: str) -> tuple[str, ...]:
    """Return the image names of a test set ("tno_8", "tno_25", "roadscene_50", "cave_11", ...).

    Raises:
        KeyError: for another name.
    """
    return _names(_content()["image_sets"][name])


def comparable(
    task: str,
    protocol: str,
    images: list[str],
    ratio: int | None = None,
    sensor: str | None = None,
    sizes: list[tuple[int, int]] | None = None,
) -> list[Published]:
    """Return the main tables whose rows may be compared with measured ones.

    Args:
        task: as in `Published`; all infrared-visible tasks count as the same.
        protocol: as in `Published`.
        images: names of the measured images, in any order.
        ratio: resolution ratio; must equal the table's ratio, if the table has one.
        sensor: the sensor; None matches any.
        sizes: (height, width) of each image; None or empty skips this comparison.
    """
    return [
        t
        for t in tables()
        if t.role == "main"
        and _family(t.task) == _family(task)
        and t.protocol == protocol
        and t.ratio in (None, ratio)
        and (t.sensor is None or sensor is None or t.sensor.upper() == sensor.upper())
        and t.images is not None
        and t.sizes is not None
        and sorted(t.images) == sorted(images)
        and (not sizes or dict(zip(t.images, t.sizes, strict=True)) == dict(zip(images, sizes, strict=True)))
    ]


def elsewhere(
    task: str,
    protocol: str,
    images: list[str],
    ratio: int | None = None,
    sensor: str | None = None,
    sizes: list[tuple[int, int]] | None = None,
) -> list[Published]:
    """Return the main tables of the task that are not comparable but may be quoted apart from the measured rows.

    They have other images or sizes, or the protocol "other". If no table of the task has the measured protocol, tables
    of all protocols count. The ratio must be the table's, if the table has one, and the sensor as well unless DCINN is
    among the table's headline methods. Arguments as for `comparable`; the task "ivf" stands for all infrared-visible
    tasks.
    """
    known = {t.protocol for t in tables() if t.task == task or task == _family(t.task)}
    same = comparable(task, protocol, images, ratio, sensor, sizes)
    return [
        t
        for t in tables()
        if t.role == "main"
        and task in (t.task, _family(t.task))
        and t not in same
        and (t.protocol in (protocol, "other") or protocol not in known)
        and t.ratio in (None, ratio)
        and (t.sensor in (None, sensor) or "DCINN" in t.headline)
    ]


class Printed(float):
    """A number that keeps the digits it was printed with: 46.00 stays 46.00.

    Attributes:
        text: the digits.
    """

    text: str

    def __new__(cls, text: str) -> "Printed":
        """Return the number that `text` spells."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def _content() -> dict:
    return json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"), parse_float=Printed)


def _table(entry: dict, sets: dict, sizes: dict) -> Published:
    images = size = None
    if entry["images"]:
        images, size = _names(sets[entry["images"]]), sizes[entry["images"]]
        size = tuple(map(tuple, size)) if isinstance(size[0], list) else (tuple(size),) * len(images)
    values: dict[str, Any] = {**entry, "images": images, "sizes": size}
    for name in {"headline", "metrics", "notes", "naming"} & values.keys():
        values[name] = tuple(values[name])
    return Published(**values)


def _names(images: list[str] | dict) -> tuple[str, ...]:
    """Return a list of names as a tuple, or the names `data.PanCollection` would give the images of a stacked file."""
    if isinstance(images, dict):
        return tuple(f"{images['stem']}_{i:04d}" for i in range(images["count"]))
    return tuple(images)


def _family(task: str) -> str:
    """Return "ivf" for every infrared-visible task, else the task: the two resolutions of pansharpening differ."""
    return "ivf" if task.startswith("ivf") else task


def _cell(value: float | list[float]) -> dict[str, float | None]:
    mean, std = value if isinstance(value, list) else (value, None)
    return {"mean": mean, "std": std}
