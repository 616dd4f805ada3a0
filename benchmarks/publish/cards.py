"""The files of pretrained/, their cards, and the tables of README and docs, all from what runs and test scripts wrote.

    python benchmarks/publish/cards.py adopt RUN_DIR NAME     best.pth of a training -> pretrained/NAME.pth (model and
                                                              configuration only) and NAME.json (what the run says of
                                                              itself); --after EARLIER_RUN_DIR where it began with
                                                              --weights
    python benchmarks/publish/cards.py write                  pretrained/NAME.md, the curves, the tables of README
                                                              and docs (documents.py)

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

from benchmarks.publish import documents
from benchmarks.publish.card_texts import CARDS
from benchmarks.publish.kept_tables import markdown, results
from benchmarks.publish.trainings import facts_of, measure_of
from data.files.atomic import write_whole
from metrics.outside_text import in_markdown, shown
from models import load_pretrained, save_checkpoint
from models.weights.files import PRETRAINED, task_of
from train_peers import RECIPES as PEER_RECIPES
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.evaluation.parser import evaluation_script

HALF = ("peers/defusion",)  # 27 MB for 54; read back to 32-bit floats
ADDED = {"whole": "--whole", "soft": "--soft", "cosines": "--cosines", "ema": "--ema"}  # settings no recipe has


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


def check_weights() -> None:
    """Refuse results that were measured with other files than those in pretrained/."""
    for table in sorted({name for _, tables, _, _ in CARDS.values() for name in tables}):
        for network in (results(table, PRETRAINED) or {}).get("networks", []):
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
    texts |= documents.renewed_files()
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
    commands.add_parser("write", help="cards, curves, tables of README and docs")
    args = parser.parse_args(argv)
    if args.command_name == "adopt":
        adopt(args.run, args.name, args.after)
    else:
        write()


if __name__ == "__main__":
    evaluation_script(main, program="cards.py")()
