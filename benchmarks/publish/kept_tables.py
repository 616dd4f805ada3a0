"""Reads the results that tables.py wrote, and formats them as Markdown: our measured rows and the published ones."""

import json
from pathlib import Path

from benchmarks.publish.card_texts import HEADLINES, RULES
from metrics import published
from metrics.columns import direction
from metrics.outside_text import in_markdown, line_in_markdown
from metrics.table import ARROWS
from models.weights.files import PRETRAINED


def results(name: str, folder: Path = PRETRAINED) -> dict | None:
    """Return the content of `folder`/results/NAME.json, a metrics.json with its command; None if there is none."""
    file = folder / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def rows_of(table: dict) -> dict[str, dict[str, float | str | None]]:
    """Return row -> metric -> mean: the measured rows, then published ones of the same images and base rule.

    Only published rows of the methods in `HEADLINES` are included.
    """
    rows = {m: {k: v["mean"] for k, v in row.items()} for m, row in table["summary"].items()}
    same = table["published_same_images"]
    rule = next((rule for title, rule in RULES.items() if title in table["title"]), None)
    if rule and any("Table 7" in row["source"] for row in same):  # its row has another base rule
        studied = next(t for t in published.tables() if t.id == "paper-10-rules")
        same = [studied.row(rule)]
    for row in same:
        if row["method"].startswith(HEADLINES):
            rows[f"{row['method']}, published ({row['source']})"] = {k: v["mean"] for k, v in row["metrics"].items()}
    return rows


def cell(value: float | str | None) -> str:
    """Return a mean as text with two or three decimals; "" for None, and texts ("inf") unchanged."""
    return "" if value is None else value if isinstance(value, str) else f"{value:.{2 if abs(value) >= 10 else 3}f}"


def table_text(table: dict, corner: str = "", others: bool = False) -> str:
    """Return one table as Markdown: means over the images, and the published rows of the same images.

    Args:
        table: a table of a result.
        corner: title of the column of row names.
        others: whether to add, for methods without a published row of the same images, their rows of other images; of
            these only rows of the same sensor, if there are any.
    """
    metrics = table["metrics"]
    lines = [f"| {corner} | {' | '.join(f'{m} {ARROWS[direction(m)]}' for m in metrics)} |".replace("|  |", "| |", 1)]
    lines.append("|---|" + "---:|" * len(metrics))
    for label, row in rows_of(table).items():
        lines.append(f"| {in_markdown(label)} | {' | '.join(cell(row.get(m)) for m in metrics)} |")
    near = {row["method"] for row in table["published_same_images"]}
    far = [row for row in distant(table) if row["method"] not in near and set(metrics) & set(row["metrics"])]
    same_sensor = [row for row in far if table.get("sensor") and row["data"].startswith(table["sensor"])]
    for row in (same_sensor or far) if others else ():
        values = " | ".join(cell(row["metrics"].get(m, {}).get("mean")) for m in metrics)
        lines.append(f"| {row['method']}, published, other images ({row['source']}; {row['data']}) | {values} |")
    return "\n".join(lines)


def distant(table: dict) -> list[dict]:
    """Return the published rows of other images, of the methods in `HEADLINES`."""
    return [row for row in table["published_other_images"] if row["method"].startswith(HEADLINES)]


def markdown(result: dict, remarks: bool = False) -> str:
    """Return the tables of a result as Markdown, each with published rows of other images below it, and the command.

    Args:
        result: a result, see `results`.
        remarks: whether to add the remarks below each table.
    """
    out = []
    for table in result["tables"]:
        count = f"{len(table['images'])} image{'s' if len(table['images']) != 1 else ''}"
        out += [f"{in_markdown(table['title'])} ({count}):", "", table_text(table), ""]
        for row in distant(table):
            values = ", ".join(f"{m} {cell(v['mean'])}" for m, v in row["metrics"].items())
            out += [f"Published, on other images ({row['source']}; {row['data']}): {row['method']}: {values}.", ""]
        out += [*(f"* {line_in_markdown(remark)}" for remark in table["remarks"]), ""] if remarks else []
    return "\n".join([*out, f"    {result['command']}", ""])
