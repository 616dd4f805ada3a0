"""Plots of time and memory against image size."""

from pathlib import Path

from matplotlib.figure import Figure

LINES = (("seconds", "seconds"), ("cpu_seconds", "seconds of processor time"), ("peak_MB", "peak of tensors, MB"))


def drawn(rows: list[dict], path: Path) -> None:
    """Plot time and memory against the pixels of an image or training batch, one column per task, to a PNG."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    figure = Figure(figsize=(4.2 * len(tasks), 9.6), dpi=110, layout="constrained")
    axes = figure.subplots(len(LINES), len(tasks), squeeze=False)
    for column, task in enumerate(tasks):
        for line, (key, label) in enumerate(LINES):
            axis = axes[line, column]
            for variant in dict.fromkeys(row["variant"] for row in rows):
                mine = [row for row in rows if row["task"] == task and row["variant"] == variant and row[key]]
                mine.sort(key=_pixels)
                axis.loglog([_pixels(row) for row in mine], [row[key] for row in mine], "o-", label=variant)
            axis.set(xlabel="pixels", ylabel=label, title=task)
            axis.grid(True, which="both", alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(path, format="png")


def _pixels(row: dict) -> int:
    return row["batch"] * row["size"][0] * row["size"][1]
