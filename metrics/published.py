"""The published tables (published.json), and which of them may stand beside a measured one.

Every table there names its source, how its metrics are computed (protocol) and its images. A row is comparable where
task, protocol, ratio and images are the same, the latter by name; everything else is only ever quoted apart.
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
        id: its key in published.json.
        source, where: the publication and the table's number in it.
        task: "ps_reduced", "ps_full", "hmf", "ivf_rs", "ivf_tno", "ivf_mri_ct".
        protocol: how the metrics are computed: "toolbox" (ps), "group" (hmf), "paper" or "cddfuse" (ivf), "other".
        data: a label of the images.
        images: their names, or None where the list is not published.
        sizes: their (height, width), in the order of `images`.
        ratio, sensor: where the task has them.
        role: "main", "ablation", or "context": a table of other publications that is kept but not printed.
        headline: methods to quote where the table cannot be compared.
        metrics: the columns.
        notes: its known faults.
        naming: what its columns are, where they are printed under another name.
        rows: method -> one cell a column: a number, [mean, standard deviation], or None.
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
        """A row as a dictionary: method, source, data, metrics (name -> {"mean", "std"}), and the tag of `sources`."""
        cells = {m: _cell(c) for m, c in zip(self.metrics, self.rows[method], strict=True) if c is not None}
        source = self.row_sources.get(method)
        where = source or f"{self.source} {self.where}"
        return {"method": method, "tag": source or self.source, "source": where, "data": self.data, "metrics": cells}


@cache
def tables() -> tuple[Published, ...]:
    """Every published table, in the file's order."""
    content = _content()
    return tuple(_table(entry, content["image_sets"], content["image_sizes"]) for entry in content["tables"])


@cache
def sources() -> dict[str, str]:
    """Tag -> publication."""
    return _content()["sources"]


def image_set(name: str) -> tuple[str, ...]:
    """The names of a test set: "tno_8", "tno_25", "roadscene_50", "cave_11", "pancollection_wv3_reduced", ...

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
    """Main tables of the same task, protocol, ratio, sensor and images: their names, and their sizes where given."""
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
    """Main tables of the task whose rows must be set apart: other images or sizes, or another protocol.

    A task "ivf" stands for all infrared-visible ones.
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
    """A number that remembers its digits: 46.00 is not 46."""

    text: str

    def __new__(cls, text: str) -> "Printed":
        """From the text of the file."""
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
    """A list of names, or the images of a stacked file as `data.PanCollection` names them."""
    if isinstance(images, dict):
        return tuple(f"{images['stem']}_{i:04d}" for i in range(images["count"]))
    return tuple(images)


def _family(task: str) -> str:
    """Infrared-visible tables compare across scripts; the two resolutions of pansharpening do not."""
    return "ivf" if task.startswith("ivf") else task


def _cell(value: float | list[float]) -> dict[str, float | None]:
    mean, std = value if isinstance(value, list) else (value, None)
    return {"mean": mean, "std": std}
