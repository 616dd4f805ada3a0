"""The infrared-visible test: pairs through the network, 8-bit images out, a table beside mean and max."""

from pathlib import Path

from tqdm import tqdm

from data import PairedImages
from data.samples import sample_pairs
from metrics import protocols
from models import dcinn_ivf

from . import cli, measure
from .figures import Panel, comparison_figure
from .images import to_eight_bit, write_png
from .results import ResultFolder
from .runs import Run

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
    network = cli.pick_model(args, name, lambda: dcinn_ivf(args.base_rule or base_rule), base_rule=base_rule)
    asked = tuple(TITLES) if args.protocol == "both" else (args.protocol,)
    return evaluate_pairs(Run(name, network, source, args.tile, args.pooling), pairs, args.output, asked, args.limit)


def evaluate_pairs(
    run: Run, pairs: PairedImages | list[dict], output: Path, asked: tuple[str, ...], limit: int | None = None
) -> dict:
    """Fuse every pair; write fused/NAME.png, comparison.png and the tables; returns what metrics.json holds."""
    rule = run.model.config.base_rule
    tables = [run.table(f"Infrared-visible fusion, base rule {rule}, {TITLES[p]}", protocols.IVF[p], p) for p in asked]
    rows = []
    count = min(len(pairs), limit or len(pairs))
    inputs = [file for pair in getattr(pairs, "pairs", ()) for file in pair]
    with ResultFolder(output, inputs) as folder:
        for index in tqdm(range(count), desc="fusing", unit="pair", disable=cli.quiet(count)):
            pair = pairs[index]
            run.notes.update(pair["notes"])
            visible, infrared = pair["visible"], pair["infrared"]
            image = to_eight_bit(run.fuse(visible, infrared)[0])
            write_png(folder.path(f"fused/{pair['name']}.png"), image)
            measure.add_pair(
                tables, pair["name"], run.label, image, to_eight_bit(infrared[0]), to_eight_bit(visible[0])
            )
            if len(rows) < 4:
                rows.append(
                    [
                        Panel(f"{pair['name']}: visible", visible[0]),
                        Panel("infrared", infrared[0]),
                        Panel("fused", image / 255),
                    ]
                )
        comparison_figure(folder.path("comparison.png"), rows, run.caption)
        result = run.write(folder, tables)
    run.say(folder, tables)
    return result
