"""The test of multi-focus and multi-exposure fusion by DeFusion++, in colour: fused images, a figure, tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.files.image_file import to_gray
from data.photograph_pairs import KINDS, PhotographPairs
from data.samples.photographs import sample_photograph_pairs
from metrics import protocols, psnr
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.output.figures import MOST_ROWS, Panel, comparison_figure
from utils.output.images import to_eight_bit, write_stored

from .evaluation import Evaluation, read_through
from .parser import add_run_options
from .peers import peer
from .sharing import result_folder
from .table_rows import add_pair

TITLES = {"multifocus": "Multi-focus fusion", "multiexposure": "Multi-exposure fusion"}
MEASURES = {"paper": "structure", "cddfuse": "CDDFuse's metrics"}


def run_photographs(description: str, argv: list[str] | None) -> dict:
    """Parse the options of test_peers.py, fuse, write and print; returns the content of metrics.json."""
    parser = Parser(description=description, allow_abbrev=False)
    parser.add_argument("kind", choices=KINDS, help="how the two photographs of a scene differ")
    parser.add_argument(
        "--data",
        type=Path,
        help="folder of pairs NAME-A, NAME-B, or of one folder per scene (default: two sample pairs)",
    )
    parser.add_argument("--first", type=Path, help="in place of --data: folder or file of the first image of each pair")
    parser.add_argument("--second", type=Path, help="folder or file of the second images, with the same names")
    parser.add_argument(
        "--weights", help="our file, the authors', or 'untrained' (default: pretrained/peers/defusion.pth if it exists)"
    )
    add_run_options(parser, "photographs")
    args = parser.parse_args(argv)
    if (args.first is None) != (args.second is None) or (args.data and args.first):
        raise UsageError("--first, --second: found one of them or --data as well, expected both and no --data")
    pairs: PhotographPairs | list[dict]
    if args.data or args.first:
        pairs = PhotographPairs(args.kind, args.data, first=args.first, second=args.second)
        source = str(args.data or args.first)
    else:
        pairs, source = sample_photograph_pairs(args.kind), None
    run = Evaluation(
        args.kind, peer(args, "defusion", args.weights), source, measured=not args.no_metrics, verbose=args.verbose
    )
    run.doubts += getattr(pairs, "remarks", [])
    return evaluate_photographs(run, pairs, args.output, args.limit)


def evaluate_photographs(run: Evaluation, pairs: Sequence[dict], output: Path, limit: int | None = None) -> dict:
    """Fuse and measure pairs, and write the results; returns the content of metrics.json.

    The results are the tables, fused/NAME.png (or .tif) and comparison.png. Fused images are rounded to the sources'
    bit depth; the authors' script truncates them to 8 bits. The metrics are those of infrared-visible fusion, on the
    8-bit luma. If pairs have a reference, a remark below the table has the mean PSNR.

    Args:
        run: the evaluation, with its network.
        pairs: `PhotographPairs` or a list of its items.
        output: folder of the results.
        limit: largest number of pairs, the first ones; None takes all.
    """
    tables = [
        run.table(f"{TITLES[run.name]}, {words}", protocols.IVF[p], p, f"ivf_{run.name}")
        for p, words in MEASURES.items()
    ]
    count = min(len(pairs), limit or len(pairs))
    with result_folder(output, [file for _, files in getattr(pairs, "pairs", ()) for file in files]) as folder:
        read_through(pairs, count, "pair")
        shares = run.shares(count, tables, "pair")
        for index in shares:
            pair = pairs[index]
            run.notes.update(pair["notes"])
            images = {key: pair[key] for key in ("first", "second")}
            images["fused"] = run.fuse(pair["first"], pair["second"])
            shown = images["fused"] if len(images["fused"]) > 1 else images["fused"][0]
            write_stored(folder.path(f"fused/{pair['name']}{pair['storage'].suffix}"), shown, pair["storage"])
            if run.measured:
                gray = {key: _luma(image) for key, image in images.items()}
                add_pair(shares.tables, pair["name"], {run.label: gray["fused"]}, gray["second"], gray["first"])
            if "reference" in pair:
                images["reference"] = pair["reference"]
                shares.keep("gains", _gains(run.label, images))
            if index < MOST_ROWS:
                shares.keep(
                    "rows",
                    [_panel(f"{pair['name']}: {key}" if key == "first" else key, x) for key, x in images.items()],
                )
        gains = shares.found["gains"]
        for table in tables:
            if gains:
                means = (f"{key} {np.mean([values[key] for values in gains]):.2f} dB" for key in gains[0])
                table.remark(f"Mean PSNR to the photograph that the pairs are made from: {', '.join(means)}.")
        comparison_figure(folder.path("comparison.png"), shares.found["rows"], run.caption)
        result = run.write(folder, tables)
    run.say(folder.target, tables, folder.put_away)
    return result


def _gains(label: str, images: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the PSNR to the reference, in dB, of the fused image, of each source, and of their mean."""
    named = {label: images["fused"], "first": images["first"], "second": images["second"]}
    gains = {}
    for key, image in {**named, "mean of the two": (images["first"] + images["second"]) / 2}.items():
        both = (np.moveaxis(x, 0, -1).astype(np.float64) for x in (image, images["reference"]))
        gains[key] = float(psnr(*both))
    return gains


def _luma(image: np.ndarray) -> np.ndarray:
    """Return the luma (H, W) uint8, rounded half to even, of (1 or 3, H, W) in [0, 1] after rounding it to 8 bits."""
    return to_gray(np.moveaxis(to_eight_bit(image), 0, -1))[0]


def _panel(title: str, image: np.ndarray) -> Panel:
    numbers = to_eight_bit(image) / 255
    return Panel(title, numbers[0] if len(numbers) == 1 else np.moveaxis(numbers, 0, -1))
