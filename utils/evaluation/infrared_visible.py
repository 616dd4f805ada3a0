"""The test of infrared-visible fusion: fused images in the sources' bit depth, and tables with mean and maximum."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from data import PairedImages
from data.files.folders import plain_name
from data.files.geotiff import TIFF
from data.files.image_file import SUFFIXES
from data.files.remarks import Routine
from data.files.sample_type import PNG_TYPES
from data.pair_folders import MEDICAL
from data.samples import sample_pairs
from data.splits import split
from metrics import protocols
from models import DCINN, dcinn_ivf
from utils.commandline.errors import UsageError
from utils.commandline.pair_options import add_infrared_range, add_resize_infrared, asked_pairs
from utils.commandline.parser import bit_depth
from utils.output.figures import MOST_ROWS, Panel, comparison_figure, telling_window
from utils.output.images import STRETCHES, stretched, to_eight_bit, with_colour, write_stored

from .evaluation import Evaluation, read_through
from .fused_pictures import FusedPictures, add_pictures_option, pictures_beside
from .parser import evaluation_parser
from .peers import add_peer_options, peer_networks, seen_names
from .pick_network import Network, label_of, pick_model, trained, untrained, with_distinct_labels
from .sharing import result_folder
from .table_rows import add_pair

PAIR_LISTS = ("roadscene_50", "roadscene_held_21", "roadscene_unseen_10")
TITLES = {"paper": "the paper's metrics", "cddfuse": "CDDFuse's metrics"}


def run_ivf(name: str, description: str, base_rule: str, argv: list[str] | None) -> dict:
    """Parse the options of a test_dcinn_ivf script, fuse, write and print; returns the content of metrics.json.

    Args:
        name: "ivf_rs" or "ivf_tno", the file in pretrained/ to use by default.
        description: the script's description in its help.
        base_rule: the base rule of networks that do not store one.
        argv: the options; None is the command line's.
    """
    parser = evaluation_parser(name, description, "folder with one subfolder of visible and one of infrared images")
    parser.add_argument("--visible", type=Path, help="folder or file of visible (or MRI) images")
    parser.add_argument("--infrared", type=Path, help="folder or file of infrared (or CT, PET) images")
    parser.add_argument("--bits", type=bit_depth, help="bit depth of images stored in more than 8 bits (default: 16)")
    add_infrared_range(parser)
    add_resize_infrared(parser)
    parser.add_argument(
        "--base-rule",
        choices=("max", "mean"),
        help=f"how the two low-passes are fused (default: that of the weights, else {base_rule})",
    )
    parser.add_argument(
        "--stretch",
        choices=tuple(STRETCHES),
        default="none",
        help="stretch every fused image to 0..1: its minimum and maximum, or its 0.1st and 99.9th percentile",
    )
    parser.add_argument("--gray", action="store_true", help="write fused images without the visible image's colour")
    parser.add_argument("--split", choices=PAIR_LISTS, help="list in data/splits of the pairs to fuse (default: all)")
    parser.add_argument(
        "--beside", nargs="+", default=[], metavar="WEIGHTS", help="further weights, as further rows and panels"
    )
    parser.add_argument(
        "--protocol",
        choices=("both", *TITLES),
        default="both",
        help="the paper's four metrics, CDDFuse's eight, or both",
    )
    add_peer_options(parser)
    add_pictures_option(parser)
    args = parser.parse_args(argv)

    pairs: PairedImages | list[dict]
    if args.data is None and args.visible is None and args.infrared is None:
        pairs, source = sample_pairs(), None
    else:
        pairs = asked_pairs(args)
        source = str(args.data or args.visible)
    if args.split:
        if source is None:
            raise UsageError("--split: found without --data, expected with it")
        pairs.keep(split(args.split))
        source += f", {args.split}"
    further = args.beside or args.methods != ["dcinn"] or args.fused_beside
    single = args.output.suffix.lower() in (".png", *TIFF)
    if not single and args.output.suffix.lower() in (*SUFFIXES, ".gif", ".webp"):
        raise UsageError(f"--output {args.output}: found {args.output.suffix}, expected .png, .tif or a folder")
    if single and (len(pairs) != 1 or further):
        found = "--beside, --methods or --fused-beside" if further else f"{len(pairs)} pairs"
        raise UsageError(f"--output {args.output}: found {found}, expected one pair for a file, or a folder")
    network = pick_model(args, name, lambda: dcinn_ivf(args.base_rule or base_rule), base_rule=base_rule)
    medical = getattr(pairs, "modality", None) in MEDICAL
    peers = peer_networks(args, medical)
    network, *others = (network,) if single else (*_networks(args, network, name, base_rule), *peers)
    run = Evaluation(name, network, source, args.tile, args.pooling, tuple(others), not args.no_metrics, args.verbose)
    if args.stretch != "none":
        run.doubts.append(
            f"STRETCHED: every fused image of every method, {STRETCHES[args.stretch]} to 0..1 (--stretch)."
        )
    run.doubts += getattr(pairs, "remarks", [])
    if args.tile and peers:
        run.doubts.append(f"--tile {args.tile} is of DCINN alone; the other methods take whole images.")
    names = [plain_name(visible) for visible, _ in pairs.pairs] if source else [pair["name"] for pair in pairs]
    pictures = pictures_beside(args.fused_beside, names[: args.limit])
    asked = tuple(TITLES) if args.protocol == "both" else (args.protocol,)
    asked = () if args.no_metrics else asked
    options = {"colour": not args.gray, "single": single, "stretch": args.stretch, "pictures": pictures}
    return evaluate_pairs(run, pairs, args.output, asked, args.limit, **options)


def _networks(args: argparse.Namespace, network: Network, name: str, base_rule: str) -> tuple[Network, ...]:
    """Return the main network, those of --beside, and an untrained one of each configuration for comparison."""
    networks = [network, *(trained(args, weights, name, base_rule=base_rule) for weights in args.beside)]
    if len({n.name for n in networks}) < len(networks):  # runs/a/best.pth and runs/b/best.pth
        networks = [n if n.file is None else _named_by_folder(n) for n in networks]
    if len({n.file for n in networks}) < len(networks):
        raise UsageError("--beside: found the same file twice, expected other weights")
    kinds = {replace(n.model.config, exact=False): n.model.config for n in networks if n.trained}
    for config in kinds.values():
        fresh = untrained(args, lambda config=config: DCINN(config))
        fresh.model.exact = network.model.exact
        networks.append(fresh)
    return tuple(with_distinct_labels(networks))


def _named_by_folder(network: Network) -> Network:
    name = f"{network.file.resolve().parent.name}_{network.name}"
    return network._replace(name=name, label=label_of(name, network.model.config))


def evaluate_pairs(
    run: Evaluation,
    pairs: PairedImages | list[dict],
    output: Path,
    asked: tuple[str, ...],
    limit: int | None = None,
    *,
    colour: bool = True,
    single: bool = False,
    stretch: str = "none",
    pictures: Sequence[FusedPictures] = (),
) -> dict:
    """Fuse and measure pairs, and write the results; returns the content of metrics.json.

    The results are the tables, fused/NAME.png (or .tif) and comparison.png. With further networks crops.png shows one
    crop of every method, and their images are in fused_WEIGHTS/; images of untrained networks are measured and shown,
    but not written. Metrics are computed on the 8-bit luma, before colour is restored.

    Args:
        run: the evaluation, with its networks.
        pairs: `PairedImages` or a list of its items.
        output: folder of the results; with `single`, the file of the fused image.
        asked: the protocols to measure by; an empty tuple measures nothing.
        limit: largest number of pairs, the first ones; None takes all.
        colour: restore the sources' colour.
        single: write the only pair's fused image to `output`, and nothing else.
        stretch: how to stretch the fused images, a key of `STRETCHES`.
        pictures: images that other programs fused, as further rows and panels.
    """
    folders = {run.label: "fused", **{n.label: f"fused_{n.name}" for n in run.others if n.trained}}
    rules = " and ".join(dict.fromkeys(n.model.config.base_rule for n in (run.network, *run.others) if n.is_dcinn))
    other = str(getattr(pairs, "modality", ""))
    medical = (f"MRI-{other.upper()} fusion", f"ivf_mri_{other}")
    kind, task = medical if other in MEDICAL else ("Infrared-visible fusion", None)
    tables = [run.table(f"{kind}, base rule {rules}, {TITLES[p]}", protocols.IVF[p], p, task) for p in asked]
    count = min(len(pairs), limit or len(pairs))
    inputs = [file for pair in getattr(pairs, "pairs", ()) for file in pair]
    with result_folder(output.parent if single else output, inputs) as folder:
        read_through(pairs, count, "pair")
        shares = run.shares(count, tables, "pair")
        for index in shares:
            pair = pairs[index]
            run.notes.update(pair["notes"])
            visible, infrared, storage = pair["visible"], pair["infrared"], pair["storage"]
            if single and output.suffix.lower() not in TIFF and storage.dtype not in PNG_TYPES:
                raise UsageError(f"--output {output}: found {storage.dtype} sources, expected a .tif for them")
            networks = (run.network, *run.others)
            floats = {n.label: stretched(run.fuse(visible, infrared, n)[0], stretch) for n in networks}
            for other in pictures:
                image, notes = other.read(pair["name"], visible.shape[1:], pair.get("missing"))
                floats[other.label] = stretched(image, stretch)
                run.notes.update(notes)
            shown = {label: in_colour(image, pair, colour) for label, image in floats.items()}
            missing = pair.get("missing")
            for label, place in folders.items():
                name = output.name if single else f"{place}/{pair['name']}{storage.suffix}"
                write_stored(folder.path(name), shown[label], storage, missing)
            fused = {label: to_eight_bit(image) for label, image in floats.items()}
            add_pair(shares.tables, pair["name"], fused, to_eight_bit(infrared[0]), to_eight_bit(visible[0]))
            if index < MOST_ROWS:
                row = _sources(pair) + [_panel(label, image, missing) for label, image in shown.items()]
                window = telling_window(visible[0], infrared[0])
                shares.keep("rows", row)
                shares.keep("crops", [replace(panel, image=panel.image[window]) for panel in row])
        remark_networks(run, tables)
        for table in tables:
            table.remark(*(line for other in pictures for line in other.remarks))
        if single:
            result = run.result(tables)
        else:
            comparison_figure(folder.path("comparison.png"), shares.found["rows"], run.caption)
            if run.others or pictures:
                caption = f"{run.caption}: where both show most"
                comparison_figure(folder.path("crops.png"), shares.found["crops"], caption)
            result = run.write(folder, tables)
    run.say(output, tables, folder.put_away)
    return result


def remark_networks(run: Evaluation, tables: list) -> None:
    """Add remarks on the networks to the tables: training images among the test images, parameters and time."""
    networks = [run.network, *run.others]
    for table in tables:
        for label, names in seen_names(networks, table.images).items():
            table.remark(
                f"{label}: {len(names)} of these {len(table.images)} pairs are in its TRAINING SET, or not known to be "
                "outside, its row says little; --split roadscene_unseen_10 has pairs that are outside."
            )
        if not all(n.is_dcinn for n in networks):
            each = (
                f"{n.label} {sum(p.numel() for p in n.model.parameters()):,}, "
                f"{run.spent[n.label] / max(run.fusions, 1):.2f} s"
                for n in networks
            )
            table.remark(Routine(f"Parameters and time an image: {'; '.join(each)}."))


def in_colour(fused: np.ndarray, pair: dict, colour: bool) -> np.ndarray:
    """Return a fused image (H, W) clipped to [0, 1]; with `colour`, (3, H, W) in the pair's colour, if it has one."""
    return with_colour(fused.clip(0, 1), pair["colour"]) if colour and pair["colour"] is not None else fused.clip(0, 1)


def _sources(pair: dict) -> list[Panel]:
    images = {key: pair[key][0] for key in ("visible", "infrared")}
    if pair["colour"] is not None:
        images[pair["coloured"]] = pair["colour"]
    first = f"{pair['name']}: visible"
    return [_panel(first if key == "visible" else key, image, pair.get("missing")) for key, image in images.items()]


def _panel(title: str, image: np.ndarray, missing: np.ndarray | None) -> Panel:
    shown = to_eight_bit(image if missing is None else np.where(missing, 0, image)) / 255
    return Panel(title, np.moveaxis(shown, 0, -1) if image.ndim == 3 else shown)
