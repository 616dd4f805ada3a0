"""Copies a training's weights to pretrained/, and writes their cards and the tables of README and docs.

    python benchmarks/publish/cards.py adopt RUN_DIR NAME     write pretrained/NAME.pth, the model and configuration of
                                                              RUN_DIR/best.pth, and NAME.json, the run's description
                                                              and log; --after names the training whose weights the
                                                              run began with, if any: its folder, or a NAME
    python benchmarks/publish/cards.py write                  write the cards pretrained/NAME.md, the validation curves,
                                                              and the tables of README and docs (documents.py)

All numbers are read from pretrained/NAME.json and from pretrained/results/*.json, which tables.py writes. Only the
remarks in card_texts.py are written by hand.
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

HALF = ("peers/defusion",)  # weights stored in float16, 27 MB instead of 54; loading converts them to float32
ADDED = {"whole": "--whole", "soft": "--soft", "cosines": "--cosines", "ema": "--ema"}  # settings outside recipes


def adopt(run: Path, name: str, after: str | None = None) -> None:
    """Write pretrained/NAME.pth and NAME.json from a training: its best weights, and its description and log.

    Args:
        run: folder of the training.
        name: a key of `CARDS`.
        after: the training whose weights the run began with (--weights), as its folder or as the name of kept weights;
            None if it began without.

    Raises:
        UsageError: for an unknown name, an incomplete training, and if `after` contradicts the run's --weights or is
            the run itself, as when it is adopted a second time after the name that it was adopted as.
    """
    if name not in CARDS:
        raise UsageError(f"found the name {name}, expected one of {', '.join(CARDS)}")
    folder, _, method = name.rpartition("/")
    facts = facts_of(run)
    began = facts["run"].get("weights") or "--weights" in facts["run"]["command"].split()
    if bool(began) != (after is not None):
        found = "none" if after is None else f"{after}, but not"
        raise UsageError(f"--after: found {found} the run whose --weights {run} began with, expected both or neither")
    if after:
        kept = PRETRAINED / f"{after}.json"
        earlier = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else facts_of(Path(after))
        last = {key: earlier[key] for key in ("run", "trained", "best")}
        if all(facts[key] == value for key, value in last.items()):
            raise UsageError(f"--after {after}: found {run} itself, expected the training whose weights it began with")
        facts["before"] = [*earlier.get("before", []), last]
    kind = {"method": method} if folder else {"task": task_of(name)}
    model = load_pretrained(run / "best.pth", **kind)
    (PRETRAINED / folder).mkdir(exist_ok=True)
    save_checkpoint(PRETRAINED / f"{name}.pth", model.half() if name in HALF else model)
    write_whole(PRETRAINED / f"{name}.json", json.dumps(facts, indent=1) + "\n")


def card(name: str) -> str:
    """Return the text of the card of pretrained/NAME.pth."""
    title, tables, terms, remarks = CARDS[name]
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    run, before = facts["run"], facts.get("before", [])
    lines = {
        "Data": in_markdown(run["data"]),
        "Validation, by which the epoch was chosen": in_markdown(run["validation"]),
        **{
            f"{'Before' if len(before) == 1 else f'Training {number}'}, {row.lower()}": text
            for number, about in enumerate(before, 1)
            for row, text in _training_rows(about).items()
        },
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
    for number, about in enumerate((*before, facts), 1):
        command = re.sub(r" --output \S+| --resume\b", "", about["run"]["command"])
        if about["run"].get("weights") and "--weights" not in command:  # --resume has taken them from the run
            command += f" --weights {Path(about['run']['weights']).name}"
        if before:  # a folder for each run
            command += f" --output runs/{number}"
        if number > 1:
            which = "last" if re.search(r"--weights (\S+/)?last\.pth", command) else "best"
            command = re.sub(r"--weights \S+", f"--weights runs/{number - 1}/{which}.pth", command)
        out += ["    " + shown(re.sub(r"--(data|val) ", r"--\1 DIR/", command))]
    up = "../" * name.count("/")
    out += ["", *(f"* {remark}" for remark in remarks), "", f"![validation]({up}curves/{name}.png)", ""]
    out += ["## Measured", "", *(markdown(result, remarks=True) for table in tables if (result := results(table)))]
    return "\n".join(out).rstrip() + "\n"


def _training_rows(facts: dict) -> dict[str, str]:
    """Return the rows of a card's table on recipe, steps, hardware and time; `facts` as `facts_of` returns them."""
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
    """Plot the validation against the steps to pretrained/curves/NAME.png, with lines for the trivial baselines."""
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
    """Raise UsageError for results that were measured with other weights than the files in pretrained/."""
    for table in sorted({name for _, tables, _, _ in CARDS.values() for name in tables}):
        for network in (results(table, PRETRAINED) or {}).get("networks", []):
            stem = network["label"].partition("(")[2].partition(")")[0]
            places = (PRETRAINED / f"{stem}.pth", PRETRAINED / f"peers/{stem}.pth")
            file = next((place for place in places if place.is_file()), None)
            kept = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
            if network["sha256"] and kept not in (None, network["sha256"]):
                raise UsageError(f"results/{table}.json: found numbers of another {file.name}, expected those of it")


def write() -> None:
    """Write cards, curves, and the tables of README and docs. Raises UsageError as `check_weights` does."""
    check_weights()
    there = [name for name in CARDS if (PRETRAINED / f"{name}.json").is_file()]
    texts = {PRETRAINED / f"{name}.md": card(name) for name in there}
    texts |= documents.renewed_files()
    for path, text in texts.items():
        write_whole(path, text)
    for name in there:
        draw_curve(name)


def main(argv: list[str] | None = None) -> None:
    """Run the command `adopt` or `write`.

    Args:
        argv: the command line's words after the script's name; sys.argv's by default.
    """
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command_name", required=True)
    taking = commands.add_parser("adopt", help="copy the best weights of a training to pretrained/")
    taking.add_argument("run", type=Path, help="folder of the training")
    taking.add_argument("name", help="name of the weights in pretrained/, without suffix")
    taking.add_argument("--after", help="training that gave the run its first weights: folder, or name in pretrained/")
    commands.add_parser("write", help="write cards, curves, and the tables of README and docs")
    args = parser.parse_args(argv)
    if args.command_name == "adopt":
        adopt(args.run, args.name, args.after)
    else:
        write()


if __name__ == "__main__":
    evaluation_script(main, program="cards.py")()
