"""The files of pretrained/, their cards and the README's results, all from what runs and test scripts wrote.

    python benchmarks/cards.py adopt RUN_DIR NAME     best.pth of a training -> pretrained/NAME.pth (model and
                                                      configuration only) and NAME.json (what the run says of itself)
    python benchmarks/cards.py write                  pretrained/NAME.md, the curves, and the README's results

Numbers come from pretrained/NAME.json and pretrained/results/*.json (benchmarks/tables.py); none is typed.
"""

import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metrics.report import ARROWS, DIRECTIONS
from models import load_pretrained, save_checkpoint
from models.checkpoint import PRETRAINED
from utils.entry import Parser, UsageError, door

README = PRETRAINED.parent / "README.md"
BEGIN, END = "<!-- results: begin (benchmarks/cards.py write) -->", "<!-- results: end -->"
ROADSCENE = (
    "RoadScene: images of the FLIR thermal data set, aligned by Xu et al. (AAAI 2020; TPAMI 2022), for research; "
    "TNO: Toet (2014), CC BY-NC; MRI-CT: Harvard's Whole Brain Atlas. None is part of this repository."
)
CARDS = {
    "ivf_tno": ("Infrared-visible fusion, TNO model", ("tno8", "tno8_mean", "tno25", "mri_ct"), ROADSCENE),
    "ivf_rs": ("Infrared-visible fusion, RoadScene model", ("roadscene50",), ROADSCENE),
    "ivf_tuned": ("Infrared-visible fusion, tuned loss", ("tno25", "roadscene50", "tno8", "mri_ct"), ROADSCENE),
    "hmf": (
        "Hyperspectral-multispectral fusion, CAVE x4",
        ("cave_x4",),
        "CAVE: Yasuma et al., Columbia University, for research; not part of this repository.",
    ),
    "ps": (
        "Pansharpening, WorldView-2",
        ("wv2", "wv2_released"),
        "The WorldView-2 scene is that of py_pansharpening, owned by its provider; not part of this repository.",
    ),
}
SHOWN = ("tno8", "tno25", "roadscene50", "cave_x4", "wv2")


def adopt(run: Path, name: str) -> None:
    """Take the best weights of a training, and what it wrote about itself."""
    if name not in CARDS:
        raise UsageError(f"found the name {name}, expected one of {', '.join(CARDS)}")
    for file in ("best.pth", "run.json", "train.csv"):
        if not (run / file).is_file():
            raise UsageError(f"{run / file}: found no such file, expected a training's folder")
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    with (run / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    (PRETRAINED / f"{name}.json").write_text(json.dumps({"run": about, "curve": rows}, indent=1) + "\n", "utf-8")
    save_checkpoint(PRETRAINED / f"{name}.pth", load_pretrained(run / "best.pth"))


def results(name: str) -> dict | None:
    """What tables.py kept of a table, or None."""
    file = PRETRAINED / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def rows_of(table: dict) -> dict[str, dict[str, float | None]]:
    """Row -> metric -> mean: what was measured, then the published headline rows of the same images, then others."""
    rows = {m: {k: v["mean"] for k, v in row.items()} for m, row in table["summary"].items()}
    for row in table["published_same_images"]:
        if row["method"] in ("DCINN", "CDDFuse"):
            rows[f"{row['method']}, published ({row['source']})"] = {k: v["mean"] for k, v in row["metrics"].items()}
    for row in table["published_other_images"]:
        if row["method"] == "DCINN":
            label = f"DCINN, published ({row['source']}; other images: {row['data']})"
            rows[label] = {k: v["mean"] for k, v in row["metrics"].items()}
    return rows


def markdown(result: dict) -> str:
    """The tables of a result, means over the images, and the command that prints them."""
    out = []
    for table in result["tables"]:
        metrics = table["metrics"]
        count = f"{len(table['images'])} image{'s' if len(table['images']) != 1 else ''}"
        out += [f"{table['title']} ({count}):", ""]
        out += [
            f"| | {' | '.join(f'{m} {ARROWS[DIRECTIONS[m]]}' for m in metrics)} |",
            "|---|" + "---:|" * len(metrics),
        ]
        for label, row in rows_of(table).items():
            cells = (
                "" if row.get(m) is None else f"{row[m]:.4g}" if abs(row[m]) >= 10 else f"{row[m]:.3f}" for m in metrics
            )
            out.append(f"| {label} | {' | '.join(cells)} |")
        out.append("")
    return "\n".join([*out, f"    {result['command']}", ""])


def card(name: str) -> str:
    """The card of a file in pretrained/."""
    title, tables, terms = CARDS[name]
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    run, curve = facts["run"], facts["curve"]
    key, better = ("PSNR", max) if "PSNR" in curve[0] else ("val_loss", min)
    best = better(curve, key=lambda row: row[key])
    last = curve[-1]
    settings = run["settings"]
    lines = {
        "Data": run["data"],
        "Validation, by which the epoch was chosen": run["validation"],
        "Recipe": f"{run['recipe']}: batch {settings['batch']}, patch {settings['patch']}, learning rate "
        f"{settings['lr']:g}, halved after epochs {settings['milestones'] or 'none'}, precision {settings['amp']}",
        "Steps": f"{last['step']:.0f} ({last['epoch'] + 1:.0f} epochs); the weights are those after epoch "
        f"{best['epoch'] + 1:.0f}",
        "Seed": settings["seed"],
        "Hardware and time": f"{run['hardware']}, {sum(row['seconds'] for row in curve) / 60:.0f} minutes",
        "Parameters": f"{run['parameters']:,}",
        "Terms of the data": terms,
    }
    out = [f"# {name}: {title}", "", f"`pretrained/{name}.pth`, float32, weights and configuration only.", "", "| | |"]
    out += ["|---|---|", *(f"| {k} | {v} |" for k, v in lines.items()), "", f"    {run['command']}", ""]
    out += [f"![validation](curves/{name}.png)", "", "## Measured", ""]
    out += [markdown(result) for table in tables if (result := results(table))]
    return "\n".join(out).rstrip() + "\n"


def draw_curve(name: str) -> None:
    """Validation against steps, with what needs no network as lines."""
    facts = json.loads((PRETRAINED / f"{name}.json").read_text(encoding="utf-8"))
    key = "PSNR" if "PSNR" in facts["curve"][0] else "val_loss"
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
    (PRETRAINED / "curves").mkdir(exist_ok=True)
    figure.savefig(PRETRAINED / f"curves/{name}.png", metadata={"Software": None})


def readme_results() -> str:
    """What stands between the two marks of the README."""
    return "\n".join([BEGIN, "", *(markdown(result) for name in SHOWN if (result := results(name))), END])


def replaced(text: str) -> str:
    """The README with its results renewed."""
    first, _, rest = text.partition(BEGIN)
    _, mark, last = rest.partition(END)
    if not mark:
        raise UsageError(f"{README}: found no marks of the results, expected {BEGIN} and {END}")
    return first + readme_results() + last


def write() -> None:
    """Everything that is made from the numbers."""
    for name in CARDS:
        if (PRETRAINED / f"{name}.json").is_file():
            (PRETRAINED / f"{name}.md").write_text(card(name), encoding="utf-8")
            draw_curve(name)
    README.write_text(replaced(README.read_text(encoding="utf-8")), encoding="utf-8")


def main(argv: list[str] | None = None) -> None:
    """Run with these options."""
    parser = Parser(description="Cards and results from what was measured.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command_name", required=True)
    taking = commands.add_parser("adopt", help="take the best weights of a training")
    taking.add_argument("run", type=Path, help="the training's folder")
    taking.add_argument("name", help="of the file in pretrained/")
    commands.add_parser("write", help="cards, curves, README")
    args = parser.parse_args(argv)
    if args.command_name == "adopt":
        adopt(args.run, args.name)
    else:
        write()


if __name__ == "__main__":
    door(main, program="cards.py")()
