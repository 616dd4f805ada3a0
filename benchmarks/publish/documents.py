"""Makes the generated blocks of README and docs: tables of weights and results, from the files in pretrained/.

A block begins after the line `<!-- NAME: begin (benchmarks/publish/cards.py write) -->` and ends before
`<!-- NAME: end -->`; `PARTS` has the blocks of each document.
"""

import json
import math
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from benchmarks.publish.card_texts import CARDS, HEADINGS, HEADLINE, IN_README, KINDS, SETS
from benchmarks.publish.kept_tables import cell, markdown, results, rows_of, table_text
from models.weights.files import PRETRAINED, task_of
from utils.commandline.errors import UsageError

ROOT = PRETRAINED.parent
MARK = re.compile(r"(<!-- (\w+): begin \(benchmarks/publish/cards\.py write\) -->\n)(.*?)(<!-- \2: end -->)", re.DOTALL)
CPUS = re.compile(r"Xeon|EPYC|CPU|Processor|thread")
METHODS = {"peers/auif": "AUIF-Net", "peers/cddfuse": "CDDFuse", "peers/defusion": "DeFusion++"}


def names(methods: bool = False) -> list[str]:
    """Return the names of the weights in pretrained/, of DCINN or of the other methods, in the order of `CARDS`."""
    there = [name for name in CARDS if (PRETRAINED / f"{name}.json").is_file()]
    return [name for name in there if ("/" in name) is methods]


def headline(name: str) -> str:
    """Return the main metrics of weights as text, with those of the paper and a trivial row; "" without results."""
    metrics, trivial, first = HEADLINE[task_of(name)]
    kept = sorted(CARDS[name][1], key=lambda table: first.index(table) if table in first else len(first))
    for key in kept:
        for table in (results(key) or {"tables": []})["tables"]:
            rows = rows_of(table)
            ours = next((row for label, row in rows.items() if label.startswith(f"DCINN ({name})")), None)
            if ours is None or not set(metrics) <= set(table["metrics"]):
                continue
            published = next((row for label, row in rows.items() if label.startswith("DCINN, published")), {})
            beside = {"paper": published, trivial.partition(" ")[0]: rows[trivial]}
            parts = []
            for metric in metrics:
                near = ", ".join(f"{who} {cell(row[metric])}" for who, row in beside.items() if row.get(metric))
                parts.append(f"{metric} {cell(ours[metric])} ({near})")
            return f"{HEADINGS.get(key, key)}: {', '.join(parts)}"
    return ""


def training(name: str) -> tuple[str, str]:
    """Return two texts on the training of weights: the data set, and steps, minutes and hardware."""
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    run = facts["run"]
    said = run["data"]
    data = next((words for key, words in SETS.items() if key in re.split(r"[ ,/]", said)), said)
    stages = [*facts.get("before", []), facts]
    steps = []
    for (batch, patch), alike in groupby(stages, _batch_and_patch):
        numbers = " + ".join(f"{stage['trained']['steps']:,.0f}" for stage in alike)
        steps.append(f"{numbers} steps of {batch} x {patch}²")
    minutes = sum(stage["trained"]["minutes"] for stage in stages)
    place = "a CPU" if CPUS.search(run["hardware"]) else run["hardware"]
    return data, f"{', '.join(steps)}, {minutes:.0f} min on {place}"


def _batch_and_patch(stage: dict) -> tuple[int, int]:
    settings = stage["run"]["settings"]
    return settings["batch"], settings["patch"]


def size(name: str) -> str:
    """Return the size of a file of weights as text, in MB."""
    return f"{(PRETRAINED / f'{name}.pth').stat().st_size / 1e6:.1f} MB"


def kind(name: str) -> tuple[str, str]:
    """Return two texts on weights: the use that they are for, and how they were trained."""
    return KINDS.get(name, (CARDS[name][0], ""))


def weights_table(up: str) -> str:
    """Return a table with a row for each of DCINN's weights.

    Args:
        up: relative path from the document's folder to the repository, "" or "../".
    """
    lines = ["| weights | for | what they are | measured | file |", "|---|---|---|---|---|"]
    for name in names():
        data, work = training(name)
        use, about = kind(name)
        title = f"[{name}]({up}pretrained/{name}.md)"
        lines.append(f"| {title} | {use} | {about} Trained on {data}, {work}. | {headline(name)} | {size(name)} |")
    return "\n".join([*lines, ""])


def weights_in_readme() -> str:
    """Return the table of DCINN's weights, for README."""
    return weights_table("")


def weights_with_pictures() -> str:
    """Return three tables: which weights to use for what, with pictures; README's table; the other methods' weights."""
    out = ["| for | take | the embedded sample: two sources, fused |", "|---|---|---|"]
    for name in names():
        there = (ROOT / f"docs/pictures/weights/{name}.jpg").is_file()
        picture = f"![The embedded sample, fused by {name}](pictures/weights/{name}.jpg)" if there else ""
        out.append(f"| {kind(name)[0]} | [{name}](../pretrained/{name}.md) | {picture} |")
    out += ["", "## What they are", "", weights_table("../")]
    out += ["## Other methods", "", "| weights | method | trained on | file |", "|---|---|---|---|"]
    for name in names(methods=True):
        data, work = training(name)
        out.append(f"| [{name}](../pretrained/{name}.md) | {METHODS[name]} | {data}, {work} | {size(name)} |")
    return "\n".join([*out, ""])


def results_in_readme() -> str:
    """Return the results of each task for README: our measured rows and the published ones."""
    out = []
    for name, number in IN_README:
        kept = results(name)
        out += [table_text(kept["tables"][number], HEADINGS[name], others=True), ""] if kept else []
    return "\n".join(out)


def all_results() -> str:
    """Return all results in pretrained/results, each under its own heading."""
    kept = sorted(path.stem for path in (PRETRAINED / "results").glob("*.json"))
    order = [name for name in HEADINGS if name in kept] + [name for name in kept if name not in HEADINGS]
    parts = [f"## {HEADINGS.get(name, name)}\n\n{markdown(found)}" for name in order if (found := results(name))]
    cards = ", ".join(f"[{name}](../pretrained/{name}.md)" for name in (*names(), *names(methods=True)))
    return "\n".join([*parts, f"Every row's remarks are in the cards: {cards}.", ""])


def scored_pictures() -> list[tuple[str, str, dict, dict]]:
    """Return our scores of published pictures beside the published ones.

    Returns:
        For each set of pictures (method, data, metric -> mean measured here, metric -> published mean).
    """
    found = []
    for name in ("published_tno25", "published_roadscene50"):
        kept = results(name)
        if kept:
            (table,) = kept["tables"]
            method = next(iter(table["summary"]))
            row = next(row for row in table["published_same_images"] if row["method"] == method)
            measured = {metric: value["mean"] for metric, value in table["summary"][method].items()}
            printed = {metric: value["mean"] for metric, value in row["metrics"].items()}
            found.append((method, row["data"].partition(",")[0], measured, printed))
    return found


def scored_in_readme() -> str:
    """Return a sentence on how close our scores of published pictures are to the published ones."""
    listed = scored_pictures()
    sets = " and ".join(f"{method}'s of {data}" for method, data, _, _ in listed)
    off = max(abs(measured[metric] - printed[metric]) for _, _, measured, printed in listed for metric in printed)
    most = math.ceil(off * 1000) / 1000
    return (
        f"Scored here, the published pictures of two methods, {sets}, have the values of CDDFuse's table in all "
        f"{len(listed[0][3])} metrics, within {most:.3f}; U2Fusion's of TNO have others "
        "([commands and tables](docs/metrics.md)).\n"
    )


def scored_table() -> str:
    """Return a table of our scores of published pictures above the published ones, and the commands."""
    listed = scored_pictures()
    metrics = list(listed[0][3]) if listed else []
    lines = [f"| | {' | '.join(metrics)} |", "|---|" + "---:|" * len(metrics)]
    for method, data, measured, printed in listed:
        for said, row in (("its published pictures, scored here", measured), ("printed", printed)):
            lines.append(f"| {method} on {data}, {said} | {' | '.join(cell(row[m]) for m in metrics)} |")
    commands = [
        f"    {kept['command']}" for name in ("published_tno25", "published_roadscene50") if (kept := results(name))
    ]
    return "\n".join([*lines, "", *commands, ""])


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"weights": weights_in_readme, "results": results_in_readme, "scored": scored_in_readme},
    "docs/weights.md": {"weights": weights_with_pictures},
    "docs/results.md": {"results": all_results},
    "docs/metrics.md": {"scored": scored_table},
}


def renewed(file: str, text: str) -> str:
    """Return the text of a document with its generated blocks made anew.

    Args:
        file: a key of `PARTS`.
        text: the present text of the document.

    Raises:
        UsageError: if the text lacks the marks of a block, or has those of another one.
    """
    made = {name: make() for name, make in PARTS[file].items()}
    lacking = set(made) ^ {found[2] for found in MARK.finditer(text)}
    if lacking:
        raise UsageError(f"{file}: found other marks, expected those of {', '.join(sorted(made))}")
    return MARK.sub(lambda found: f"{found[1]}{made[found[2]].strip()}\n{found[4]}", text)


def renewed_files() -> dict[Path, str]:
    """Return the new texts of all documents with generated blocks, path -> text."""
    return {ROOT / file: renewed(file, (ROOT / file).read_text(encoding="utf-8")) for file in PARTS}
