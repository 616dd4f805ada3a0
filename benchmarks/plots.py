"""Plots of time and memory against image size."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

LINES = (("seconds", "seconds"), ("cpu_seconds", "seconds of processor time"), ("peak_MB", "peak of tensors, MB"))
COLOURS = {"plain": "C0", "ours": "C1", "onnxruntime": "C2", "openvino": "C3"}  # of the variants in every column


def drawn(rows: list[dict], path: Path) -> None:
    """Plot time and memory against the pixels of an image or training batch to a PNG.

    Inference and training of a task, and each number of threads, have a column of their own.
    """
    kinds = sorted({_kind(row) for row in rows})
    figure = Figure(figsize=(max(4.2 * len(kinds), 5), 9.6), dpi=110, layout="constrained")
    axes = figure.subplots(len(LINES), len(kinds), squeeze=False)
    for column, kind in enumerate(kinds):
        for line, (key, label) in enumerate(LINES):
            axis = axes[line, column]
            for variant in dict.fromkeys(row["variant"] for row in rows if _kind(row) == kind):
                mine = [row for row in rows if _kind(row) == kind and row["variant"] == variant and row[key]]
                if mine:
                    mine.sort(key=_pixels)
                    points = [_pixels(row) for row in mine], [row[key] for row in mine]
                    axis.loglog(*points, "o-", label=variant, color=COLOURS.get(variant, "C4"))
            axis.set(xlabel="pixels", ylabel=label, title=kind)
            axis.xaxis.set_major_locator(LogLocator(subs=(1.0,)))
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.grid(True, which="both", alpha=0.3)
        axes[0, column].legend(fontsize=8)
    figure.savefig(path, format="png")


def _kind(row: dict) -> str:
    threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
    return f"{row['task']}, {'training' if row['training'] else 'inference'}, {threads}"


def _pixels(row: dict) -> int:
    return row["batch"] * row["size"][0] * row["size"][1]
