"""The infrared-visible test: pairs through the network, 8-bit images out, a table beside mean and max."""

import argparse
from pathlib import Path

from tqdm import tqdm

from data import PairedImages
from data.samples import sample_pairs
from data.splits import split
from metrics import protocols
from models import DCINN, dcinn_ivf

from . import cli, measure
from .figures import MOST_ROWS, Panel, comparison_figure
from .images import to_eight_bit, write_png
from .results import ResultFolder
from .runs import Network, Run

PAIR_LISTS = ("roadscene_50", "roadscene_held_21")
TITLES = {"paper": "the paper's metrics", "cddfuse": "CDDFuse's metrics"}


def run_ivf(name: str, description: str, base_rule: str, argv: list[str] | None) -> dict:
    """Parse the options of a test_dcinn_ivf script, fuse, write and print; returns what metrics.json holds."""
    parser = cli.test_parser(name, description, "folder with one subfolder of visible and one of infrared images")
    parser.add_argument("--visible", type=Path, help="folder or file of visible (or MRI) images")
    parser.add_argument("--infrared", type=Path, help="folder or file of infrared (or CT, PET) images")
    parser.add_argument(
        "--bits", type=cli.bit_depth, help="bit depth of images stored in more than 8 bits (default: 16)"
    )
    parser.add_argument(
        "--base-rule",
        choices=("max", "mean"),
        help=f"fusion of the two low-passes (default: that of the weights, else {base_rule})",
    )
    parser.add_argument("--split", choices=PAIR_LISTS, help="only the pairs of this list in data/splits")
    parser.add_argument(
        "--beside", nargs="+", default=[], metavar="WEIGHTS", help="further weights: rows and panels beside these"
    )
    parser.add_argument(
        "--protocol", choices=("both", *TITLES), default="both", help="whose metrics: the paper's four, CDDFuse's eight"
    )
    args = parser.parse_args(argv)

    pairs: PairedImages | list[dict]
    if args.data is None and args.visible is None and args.infrared is None:
        pairs, source = sample_pairs(), None
    else:
        if args.data is None and (args.visible is None or args.infrared is None):
            raise cli.UsageError("--visible and --infrared: found one of them, expected both, or --data")
        pairs = PairedImages(args.data, visible=args.visible, infrared=args.infrared, bits=args.bits)
        source = str(args.data or args.visible)
    if args.split:
        if source is None:
            raise cli.UsageError("--split: found without --data, expected with it")
        pairs.keep(split(args.split))
        source += f", {args.split}"
    network = cli.pick_model(args, name, lambda: dcinn_ivf(args.base_rule or base_rule), base_rule=base_rule)
    network, *others = _networks(args, network, name, base_rule)
    run = Run(name, network, source, args.tile, args.pooling, tuple(others))
    asked = tuple(TITLES) if args.protocol == "both" else (args.protocol,)
    return evaluate_pairs(run, pairs, args.output, asked, args.limit)


def _networks(args: argparse.Namespace, network: Network, name: str, base_rule: str) -> tuple[Network, ...]:
    """The networks of --beside, and an untrained one of each configuration: what training adds is seen beside it."""
    networks = [network, *(cli.trained(args, weights, name, base_rule=base_rule) for weights in args.beside)]
    if len({n.name for n in networks}) < len(networks):  # runs/a/best.pth and runs/b/best.pth
        networks = [n if n.file is None else _named_by_folder(n) for n in networks]
    if len({n.file for n in networks}) < len(networks):
        raise cli.UsageError("--beside: found the same file twice, expected other weights")
    for config in dict.fromkeys(n.model.config for n in networks if n.trained):
        fresh = cli.untrained(args, lambda config=config: DCINN(config))
        fresh.model.exact = network.model.exact
        networks.append(fresh)
    if len({n.model.config.base_rule for n in networks}) > 1:
        networks = [n._replace(label=f"{n.label}, {n.model.config.base_rule}") for n in networks]
    return tuple(networks)


def _named_by_folder(network: Network) -> Network:
    name = f"{network.file.resolve().parent.name}_{network.name}"
    return network._replace(name=name, label=f"DCINN ({name})")


def evaluate_pairs(
    run: Run, pairs: PairedImages | list[dict], output: Path, asked: tuple[str, ...], limit: int | None = None
) -> dict:
    """Fuse every pair; write fused/NAME.png, comparison.png and the tables; returns what metrics.json holds.

    Images of further weights are in fused_WEIGHTS/; those of the untrained network are only measured and shown.
    """
    folders = {run.label: "fused", **{n.label: f"fused_{n.name}" for n in run.others if n.trained}}
    rules = " and ".join(dict.fromkeys(n.model.config.base_rule for n in (run.network, *run.others)))
    medical = getattr(pairs, "infrared", output).name.lower() == "ct"
    kind, task = ("MRI-CT fusion", "ivf_mri_ct") if medical else ("Infrared-visible fusion", None)
    tables = [run.table(f"{kind}, base rule {rules}, {TITLES[p]}", protocols.IVF[p], p, task) for p in asked]
    rows = []
    count = min(len(pairs), limit or len(pairs))
    inputs = [file for pair in getattr(pairs, "pairs", ()) for file in pair]
    with ResultFolder(output, inputs) as folder:
        for index in tqdm(range(count), desc="fusing", unit="pair", disable=cli.quiet(count)):
            pair = pairs[index]
            run.notes.update(pair["notes"])
            visible, infrared = pair["visible"], pair["infrared"]
            fused = {n.label: to_eight_bit(run.fuse(visible, infrared, n)[0]) for n in (run.network, *run.others)}
            for label, place in folders.items():
                write_png(folder.path(f"{place}/{pair['name']}.png"), fused[label])
            measure.add_pair(tables, pair["name"], fused, to_eight_bit(infrared[0]), to_eight_bit(visible[0]))
            if len(rows) < MOST_ROWS:
                sources = [Panel(f"{pair['name']}: visible", visible[0]), Panel("infrared", infrared[0])]
                rows.append(sources + [Panel(label, image / 255) for label, image in fused.items()])
        comparison_figure(folder.path("comparison.png"), rows, run.caption)
        result = run.write(folder, tables)
    run.say(folder, tables)
    return result
