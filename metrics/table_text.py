"""Tables as text: markdown, CSV and LaTeX."""

import csv
import io

from . import published
from .columns import direction
from .table import ARROWS, Table

CSV_HEADER = "table,image,method,metric,value\n"
MARKDOWN_MARKS = {"best": ("**", "**"), "second": ("*", "*"), None: ("", "")}
LATEX_MARKS = {"best": (r"\textbf{", "}"), "second": (r"\underline{", "}"), None: ("", "")}
LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
}  # fmt: skip


def lines(table: Table) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """What stands in the table: a name and one (text, "best", "second" or None) a column."""
    ours = [(method, row, True) for method, row in table.summary().items()]
    same = [(f"{row['method']} [{row['source']}]", row["metrics"], False) for row in table.published()[0]]
    ranks = {m: table.ranks(m, ours, same) for m in table.metrics}
    return [
        (name, [(_text(row.get(m), len(table.images) if own else None), ranks[m].get(name)) for m in table.metrics])
        for name, row, own in ours + same
    ]


def markdown(table: Table) -> str:
    """The table with its title, the rows set apart, and the remarks."""
    same, other = table.published()
    out = [
        f"### {' '.join(table.title.split())} ({_count(table)})",
        "",
        "| method | " + " | ".join(_heads(table)) + " |",
    ]
    out.append("|---|" + "---:|" * len(table.metrics))
    for name, cells in lines(table):
        shown = [text if not text else text.join(MARKDOWN_MARKS[mark]) for text, mark in cells]
        out.append(f"| {_line(name)} | " + " | ".join(shown) + " |")
    out += ["", "* Mean and sample deviation over the images; **best**, *second best* of the rows above."]
    out += [f"* {remark}" for remark in table.remarks]
    out += [f"* Cautions about {row['source']}: {' '.join(row['notes'])}" for row in _once(same) if row["notes"]]
    for row in other:
        values = ", ".join(f"{m} {_text(v)}" for m, v in row["metrics"].items())
        out.append(
            f"* Set apart, other images or protocol ({row['source']}; {row['data']}): {row['method']}: {values}."
        )
    out += [f"* {tag}: {published.sources()[tag]}." for tag in dict.fromkeys(row["tag"] for row in same + other)]
    return "\n".join(out) + "\n"


def latex(table: Table) -> str:
    """A booktabs table, best in bold, second best underlined."""
    out = [r"\begin{table}", rf"\caption{{{_escaped(table.title)} ({_count(table)})}}"]
    out += [rf"\begin{{tabular}}{{l{'r' * len(table.metrics)}}}", r"\toprule"]
    out += [" & ".join(["method", *map(_escaped, _heads(table))]) + r" \\", r"\midrule"]
    own = len(table.rows)
    for i, (name, cells) in enumerate(lines(table)):
        shown = [_escaped(text).join(LATEX_MARKS[mark if text else None]) for text, mark in cells]
        out += [r"\midrule"] if i == own else []
        out.append(" & ".join([_escaped(name), *shown]) + r" \\")
    out += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(out + [f"% {' '.join(remark.split())}" for remark in table.remarks]) + "\n"


def csv_rows(table: Table) -> str:
    """One line an image, method and metric, without a header (`CSV_HEADER`)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for method, row in table.rows.items():
        for i, image in enumerate(table.images):
            writer.writerows([table.name, image, method, m, row[m][i]] for m in table.metrics)
    return buffer.getvalue()


def _heads(table: Table) -> list[str]:
    return [f"{m} {ARROWS[direction(m)]}".strip() for m in table.metrics]


def _count(table: Table) -> str:
    return f"{len(table.images)} image{'s' if len(table.images) != 1 else ''}"


def _once(rows: list[dict]) -> list[dict]:
    """The first row of each source."""
    return list({row["source"]: row for row in reversed(rows)}.values())[::-1]


def _text(cell: dict | None, images: int | None = None) -> str:
    """Mean and deviation: ours with four digits, and of how many images where not of all; published ones as printed."""
    if cell is None or cell["mean"] is None:
        return ""
    numbers = [v for v in (cell["mean"], cell["std"]) if v is not None]
    if images is None:
        return " ± ".join(getattr(v, "text", f"{v:g}") for v in numbers)
    lacking = f" ({cell['count']} of {images})" if cell["count"] < images else ""
    return " ± ".join(f"{v:.4f}" for v in numbers) + lacking


def _line(name: str) -> str:
    """A name that cannot break a row of the table."""
    return " ".join(name.replace("|", "/").split())


def _escaped(text: str) -> str:
    return "".join(LATEX_SPECIAL.get(c, c) for c in text)
