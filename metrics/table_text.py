"""Renders tables as markdown, CSV and LaTeX."""

import csv
import io
from collections.abc import Sequence

from . import published
from .columns import direction
from .outside_text import comment_in_latex, in_csv, in_latex, in_markdown, line_in_markdown
from .table import ARROWS, Table

CSV_HEADER = "table,image,method,metric,value\n"
MARKDOWN_MARKS = {"best": ("**", "**"), "second": ("*", "*"), None: ("", "")}
LATEX_MARKS = {"best": (r"\textbf{", "}"), "second": (r"\underline{", "}"), None: ("", "")}


Cells = list[tuple[str, str | None]]


def lines(table: Table, quoted: bool = True) -> list[tuple[str, Cells]]:
    """Return the rows of a table: a name, and per column the cell's text and its mark, "best", "second" or None.

    With `quoted`, published rows of the same images are among them.
    """
    ours = [(method, row, True) for method, row in table.summary().items()]
    published_rows = table.published()[0] if quoted else []
    same = [(f"{row['method']} [{row['source']}]", row["metrics"], False) for row in published_rows]
    ranks = {m: table.ranks(m, ours, same) for m in table.metrics}
    return [
        (name, [(_text(row.get(m), len(table.images) if own else None), ranks[m].get(name)) for m in table.metrics])
        for name, row, own in ours + same
    ]


def markdown(table: Table) -> str:
    """Return the table in markdown with its title, its remarks, and the published rows quoted apart."""
    same, other = table.published()
    out = [_title(table), "", *_grid("method", _heads(table), lines(table), len(table.rows))]
    out += ["", "* Mean and sample deviation over the images; **best**, *second best* of the rows above."]
    out += [f"* {line_in_markdown(remark)}" for remark in table.remarks]
    out += [f"* Cautions about {row['source']}: {' '.join(row['notes'])}" for row in _once(same) if row["notes"]]
    for row in other:
        values = ", ".join(f"{m} {_text(v)}" for m, v in row["metrics"].items())
        out.append(
            f"* Set apart, other images or protocol ({row['source']}; {row['data']}): {row['method']}: {values}."
        )
    out += [f"* {tag}: {published.sources()[tag]}." for tag in dict.fromkeys(row["tag"] for row in same + other)]
    return "\n".join(out) + "\n"


def own_rows(table: Table) -> list[str]:
    """Return the table as markdown lines with its title, but without published rows and remarks.

    Best and second best are marked among the measured rows alone.
    """
    return [_title(table), "", *_grid("method", _heads(table), lines(table, quoted=False), len(table.rows))]


def of_one_image(tables: Sequence[Table], most: int) -> list[str]:
    """Return the markdown lines of one table that joins several tables of the same image.

    Columns and rows of the same name are joined.

    Args:
        tables: tables of one image each.
        most: number of rows to keep, from the first one.
    """
    heads: list[str] = []
    rows: dict[str, dict[str, tuple[str, str | None]]] = {}
    for table in tables:
        heads += [head for head in _heads(table) if head not in heads]
        for name, cells in lines(table, quoted=False):
            rows.setdefault(name, {}).update(zip(_heads(table), cells, strict=True))
    whole = [(name, [row.get(head, ("", None)) for head in heads]) for name, row in list(rows.items())[:most]]
    return _grid(in_markdown(tables[0].images[0]), heads, whole, len(whole))


def _title(table: Table) -> str:
    return f"### {in_markdown(table.title)} ({_count(table)})"


def _grid(first: str, heads: list[str], rows: list[tuple[str, Cells]], own: int) -> list[str]:
    """Return a table as markdown lines; names of the first `own` rows come from outside and are escaped."""
    out = [f"| {first} | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for i, (name, cells) in enumerate(rows):
        shown = [text if not text else text.join(MARKDOWN_MARKS[mark]) for text, mark in cells]
        out.append(f"| {in_markdown(name) if i < own else name} | " + " | ".join(shown) + " |")
    return out


def latex(table: Table) -> str:
    """Return the table as a LaTeX table environment (booktabs), the best in bold, the second best underlined.

    Cells hold mean ± standard deviation. Published rows of the same images follow below a second rule. Remarks come
    after the table, as LaTeX comments.
    """
    out = [r"\begin{table}", rf"\caption{{{in_latex(table.title)} ({_count(table)})}}"]
    out += [rf"\begin{{tabular}}{{l{'r' * len(table.metrics)}}}", r"\toprule"]
    out += [" & ".join(["method", *map(in_latex, _heads(table))]) + r" \\", r"\midrule"]
    own = len(table.rows)
    for i, (name, cells) in enumerate(lines(table)):
        shown = [in_latex(text).join(LATEX_MARKS[mark if text else None]) for text, mark in cells]
        out += [r"\midrule"] if i == own else []
        out.append(" & ".join([in_latex(name), *shown]) + r" \\")
    out += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(out + [comment_in_latex(remark) for remark in table.remarks]) + "\n"


def csv_rows(table: Table) -> str:
    """Return the table in CSV, one line per image, method and metric, without the header `CSV_HEADER`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for method, row in table.rows.items():
        for i, image in enumerate(table.images):
            cells = ([table.name, image, method, m, row[m][i]] for m in table.metrics)
            writer.writerows([in_csv(cell) for cell in line] for line in cells)
    return buffer.getvalue()


def _heads(table: Table) -> list[str]:
    return [f"{m} {ARROWS[direction(m)]}".strip() for m in table.metrics]


def _count(table: Table) -> str:
    return f"{len(table.images)} image{'s' if len(table.images) != 1 else ''}"


def _once(rows: list[dict]) -> list[dict]:
    """Return the first row of each source."""
    return list({row["source"]: row for row in reversed(rows)}.values())[::-1]


def _text(cell: dict | None, images: int | None = None) -> str:
    """Return mean and deviation as text: published numbers as printed, measured numbers with four decimals.

    A measured cell ends in "(COUNT of IMAGES)" if images are missing from the mean.
    """
    if cell is None or cell["mean"] is None:
        return ""
    numbers = [v for v in (cell["mean"], cell["std"]) if v is not None]
    if images is None:
        return " ± ".join(getattr(v, "text", f"{v:g}") for v in numbers)
    lacking = f" ({cell['count']} of {images})" if cell["count"] < images else ""
    return " ± ".join(f"{v:.4f}" for v in numbers) + lacking
