"""The files of pretrained/, their cards and the README's results, all from what runs and test scripts wrote.

    python benchmarks/publish/cards.py adopt RUN_DIR NAME     best.pth of a training -> pretrained/NAME.pth (model and
                                                              configuration only) and NAME.json (what the run says of
                                                              itself); --after EARLIER_RUN_DIR where it began with
                                                              --weights
    python benchmarks/publish/cards.py write                  pretrained/NAME.md, the curves, and the README's results

Numbers come from pretrained/NAME.json and pretrained/results/*.json (benchmarks/publish/tables.py); only the
remarks, in card_texts.py, are typed.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.publish.card_texts import CARDS, HEADLINES, INTRODUCTION, MORE, RULES, SHOWN
from benchmarks.publish.trainings import facts_of, measure_of
from data.files.atomic import write_whole
from metrics import published
from metrics.columns import direction
from metrics.outside_text import in_markdown, line_in_markdown, shown
from metrics.table import ARROWS
from models import load_pretrained, save_checkpoint
from models.weights.files import PRETRAINED, task_of
from train_peers import RECIPES as PEER_RECIPES
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.evaluation.parser import evaluation_script

README = PRETRAINED.parent / "README.md"
HALF = ("peers/defusion",)  # 27 MB for 54; read back to 32-bit floats
ADDED = {"whole": "--whole", "soft": "--soft", "cosines": "--cosines", "ema": "--ema"}  # settings no recipe has
BEGIN, END = "<!-- results: begin (benchmarks/publish/cards.py write) -->", "<!-- results: end -->"


def adopt(run: Path, name: str, after: Path | None = None) -> None:
    """Take the best weights of a training, and what it wrote about itself, and the training it began with, `after`."""
    if name not in CARDS:
        raise UsageError(f"found the name {name}, expected one of {', '.join(CARDS)}")
    folder, _, method = name.rpartition("/")
    facts = facts_of(run)
    if ("--weights" in facts["run"]["command"].split()) != (after is not None):
        found = "none" if after is None else f"{after}, but not"
        raise UsageError(f"--after: found {found} the run whose --weights {run} began with, expected both or neither")
    if after:
        facts["before"] = {key: value for key, value in facts_of(after).items() if key != "curve"}
    kind = {"method": method} if folder else {"task": task_of(name)}
    model = load_pretrained(run / "best.pth", **kind)
    (PRETRAINED / folder).mkdir(exist_ok=True)
    save_checkpoint(PRETRAINED / f"{name}.pth", model.half() if name in HALF else model)
    write_whole(PRETRAINED / f"{name}.json", json.dumps(facts, indent=1) + "\n")


def results(name: str) -> dict | None:
    """What tables.py kept of a table, or None."""
    file = PRETRAINED / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def rows_of(table: dict) -> dict[str, dict[str, float | str | None]]:
    """Row -> metric -> mean: what was measured, then the published headline rows of the same images and base rule."""
    rows = {m: {k: v["mean"] for k, v in row.items()} for m, row in table["summary"].items()}
    same = table["published_same_images"]
    rule = next((rule for title, rule in RULES.items() if title in table["title"]), None)
    if rule and any("Table 7" in row["source"] for row in same):  # whose row is that of another rule
        studied = next(t for t in published.tables() if t.id == "paper-10-rules")
        same = [studied.row(rule)]
    for row in same:
        if row["method"].startswith(HEADLINES):
            rows[f"{row['method']}, published ({row['source']})"] = {k: v["mean"] for k, v in row["metrics"].items()}
    return rows


def cell(value: float | str | None) -> str:
    """A mean with four digits; empty where there is none, "inf" as it is."""
    return "" if value is None else value if isinstance(value, str) else f"{value:.{2 if abs(value) >= 10 else 3}f}"


def markdown(result: dict, remarks: bool = False, only: int | None = None) -> str:
    """The tables of a result (or one of them), means over the images, and the command that prints them."""
    out = []
    for table in result["tables"] if only is None else [result["tables"][only]]:
        metrics = table["metrics"]
        count = f"{len(table['images'])} image{'s' if len(table['images']) != 1 else ''}"
        out += [f"{in_markdown(table['title'])} ({count}):", ""]
        out += [
            f"| | {' | '.join(f'{m} {ARROWS[direction(m)]}' for m in metrics)} |",
            "|---|" + "---:|" * len(metrics),
        ]
        for label, row in rows_of(table).items():
            out.append(f"| {in_markdown(label)} | {' | '.join(cell(row.get(m)) for m in metrics)} |")
        out.append("")
        for row in table["published_other_images"]:
            if row["method"].startswith(HEADLINES):
                values = ", ".join(f"{m} {cell(v['mean'])}" for m, v in row["metrics"].items())
                out += [f"Published, on other images ({row['source']}; {row['data']}): {row['method']}: {values}.", ""]
        out += [*(f"* {line_in_markdown(remark)}" for remark in table["remarks"]), ""] if remarks else []
    return "\n".join([*out, f"    {result['command']}", ""])


def card(name: str) -> str:
    """The card of a file in pretrained/."""
    title, tables, terms, remarks = CARDS[name]
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    run, before = facts["run"], facts.get("before")
    lines = {
        "Data": in_markdown(run["data"]),
        "Validation, by which the epoch was chosen": in_markdown(run["validation"]),
        **({f"Before, {row.lower()}": text for row, text in _training_rows(before).items()} if before else {}),
        **_training_rows(facts),
        "Seed": run["settings"]["seed"],
        "Parameters": f"{run['parameters']:,}",
        "Terms of the data": terms,
    }
    out = [
        f"# {name}: {title}",
        "",
        f"`pretrained/{name}.pth`, {'float16' if name in HALF else 'float32'}, weights and configuration only.",
        "",
        "| | |",
    ]
    out += ["|---|---|", *(f"| {k} | {v} |" for k, v in lines.items()), ""]
    for about in (before, facts) if before else (facts,):
        command = re.sub(r" --output \S+| --resume\b", "", about["run"]["command"])
        out += ["    " + shown(re.sub(r"--(data|val) ", r"--\1 DIR/", command))]
    up = "../" * name.count("/")
    out += ["", *(f"* {remark}" for remark in remarks), "", f"![validation]({up}curves/{name}.png)", ""]
    out += ["## Measured", "", *(markdown(result, remarks=True) for table in tables if (result := results(table)))]
    return "\n".join(out).rstrip() + "\n"


def _training_rows(facts: dict) -> dict[str, str]:
    """How a training went, and with what."""
    run, best, trained = facts["run"], facts["best"], facts["trained"]
    settings = run["settings"]
    gamma = PEER_RECIPES[run["task"]].gamma if run.get("task") in PEER_RECIPES else 0.5
    falling = "halved" if gamma == 0.5 else f"times {gamma:g}"
    milestones = ", ".join(map(str, settings["milestones"]))
    added = [
        option + ("" if settings[key] is True else f" {settings[key]:g}")
        for key, option in ADDED.items()
        if settings.get(key)
    ]
    return {
        "Recipe": f"{run['recipe']}: batch {settings['batch']}, patch {settings['patch']}, learning rate "
        f"{settings['lr']:g}{f', {falling} after epochs {milestones}' if milestones else ''}, "
        f"{', '.join(['float32' if settings['amp'] == 'off' else settings['amp'], *added])}",
        "Steps": f"{trained['steps']:.0f} ({trained['epochs']} epochs); weights as they were after "
        f"{best['steps']} steps",
        "Hardware and time": f"{run['hardware']}, {run['processes']} process(es), "
        f"{trained['minutes']:.0f} minutes of steps beside whatever else the machine did",
    }


def draw_curve(name: str) -> None:
    """Validation against steps, with what needs no network as lines."""
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    key = measure_of(facts["curve"][0])
    figure = Figure(figsize=(6, 3.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = [(row["step"], row[key]) for row in facts["curve"] if key in row]
    axes.plot(*zip(*points, strict=True), marker=".", label=name)
    for style, (label, metrics) in zip(("--", ":"), facts["run"]["without_network"].items(), strict=False):
        axes.axhline(metrics[key], color="gray", linestyle=style, label=label)
    axes.set_xlabel("steps")
    axes.set_ylabel("PSNR, dB" if key == "PSNR" else "loss")
    axes.legend()
    (PRETRAINED / f"curves/{name}.png").parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PRETRAINED / f"curves/{name}.png", metadata={"Software": None})


def readme_results() -> str:
    """What stands between the two marks of the README."""
    tables = [markdown(result, only=number) for name, number in SHOWN.items() if (result := results(name))]
    cards = [f"[{name}](pretrained/{name}.md)" for name in CARDS if (PRETRAINED / f"{name}.json").is_file()]
    return "\n".join([BEGIN, "", INTRODUCTION, "", *tables, f"{MORE}{', '.join(cards)}.", "", END])


def replaced(text: str) -> str:
    """The README with its results renewed."""
    first, _, rest = text.partition(BEGIN)
    _, mark, last = rest.partition(END)
    if not mark:
        raise UsageError(f"{README}: found no marks of the results, expected {BEGIN} and {END}")
    return first + readme_results() + last


def check_weights() -> None:
    """Refuse results that were measured with other files than those in pretrained/."""
    for table in sorted({name for _, tables, _, _ in CARDS.values() for name in tables}):
        for network in (results(table) or {"networks": []})["networks"]:
            stem = network["label"].partition("(")[2].partition(")")[0]
            places = (PRETRAINED / f"{stem}.pth", PRETRAINED / f"peers/{stem}.pth")
            file = next((place for place in places if place.is_file()), None)
            kept = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
            if network["sha256"] and kept not in (None, network["sha256"]):
                raise UsageError(f"results/{table}.json: found numbers of another {file.name}, expected those of it")


def write() -> None:
    """Everything that is made from the numbers."""
    check_weights()
    there = [name for name in CARDS if (PRETRAINED / f"{name}.json").is_file()]
    texts = {PRETRAINED / f"{name}.md": card(name) for name in there}
    texts[README] = replaced(README.read_text(encoding="utf-8"))
    for path, text in texts.items():
        write_whole(path, text)
    for name in there:
        draw_curve(name)


def main(argv: list[str] | None = None) -> None:
    """Run with these options."""
    parser = Parser(description="Cards and results from what was measured.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command_name", required=True)
    taking = commands.add_parser("adopt", help="take the best weights of a training")
    taking.add_argument("run", type=Path, help="the training's folder")
    taking.add_argument("name", help="of the file in pretrained/")
    taking.add_argument("--after", type=Path, help="the folder of the training whose weights it began with")
    commands.add_parser("write", help="cards, curves, README")
    args = parser.parse_args(argv)
    if args.command_name == "adopt":
        adopt(args.run, args.name, args.after)
    else:
        write()


if __name__ == "__main__":
    evaluation_script(main, program="cards.py")()
