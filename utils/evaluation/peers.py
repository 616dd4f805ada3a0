"""Other methods in the tables of the ivf scripts: their options, weights and training images."""

import argparse
import re

import torch

from data.splits import split
from models import load_pretrained
from models.peers import PEERS, TITLES, CDDFuse, build_peer
from models.peers.cddfuse import SKIPS
from models.weights.files import PRETRAINED, open_weights
from utils.commandline.device import pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser

from .parser import UNTRAINED
from .pick_network import Network

AUTHORS = "its authors' weights"
ROADSCENE = re.compile(r"FLIR_.+")
METHODS = ("dcinn", *PEERS)


def add_peer_options(parser: Parser) -> None:
    """Add the options --methods, --peer-weights and --cddfuse-skip."""
    parser.add_argument(
        "--methods",
        type=_methods,
        default=["dcinn"],
        metavar="dcinn,...",
        help=f"methods to show as rows and panels, dcinn among them: {', '.join(METHODS)} (default: dcinn)",
    )
    parser.add_argument(
        "--peer-weights",
        nargs="+",
        default=[],
        metavar="METHOD=FILE",
        help=f"weights of another method: our file, its authors' file (any one of AUIF-Net's three), or '{UNTRAINED}'; "
        "several files are several rows (default: pretrained/peers/METHOD.pth, if it exists)",
    )
    parser.add_argument(
        "--cddfuse-skip",
        choices=SKIPS,
        help="image that CDDFuse's decoder adds (default: that of our file, or visible for its authors' files; the sum "
        "for medical pairs; none if the name of the authors' file has MIF)",
    )


def peer_networks(args: argparse.Namespace, medical: bool = False) -> list[Network]:
    """Return the networks of --methods except dcinn.

    Args:
        args: the options.
        medical: whether they will fuse MRI with CT, PET or SPECT.

    Raises:
        UsageError: for weights of a method that is not in --methods, and two files of one name.
        CheckpointError: for files that cannot be read.
    """
    if args.cddfuse_skip and "cddfuse" not in args.methods:
        raise UsageError("--cddfuse-skip: found without cddfuse in --methods, expected with it")
    weights: dict[str, list[str]] = {}
    for given in args.peer_weights:
        method, sign, file = given.partition("=")
        if method not in args.methods or method == "dcinn" or not sign or not file:
            asked = ", ".join(m for m in args.methods if m != "dcinn") or "none in --methods"
            raise UsageError(f"--peer-weights: found {given}, expected METHOD=FILE of a further method ({asked})")
        weights.setdefault(method, []).append(file)
    asked = [(m, file) for m in args.methods if m != "dcinn" for file in weights.get(m, [None])]
    networks = [peer(args, method, file, medical) for method, file in asked]
    labels = [n.label for n in networks]
    networks = [
        n._replace(label=f"{n.label}, {n.file.stem}") if n.file and labels.count(n.label) > 1 else n for n in networks
    ]
    labels = [n.label for n in networks]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise UsageError(f"--peer-weights: found two files for {twice[0]}, expected other names, for rows of their own")
    return networks


def seen_names(networks: list[Network], names: list[str]) -> dict[str, list[str]]:
    """Return label of a network -> images among `names` that it was, or may have been, trained on."""
    found = {n.label: [name for name in names if n.seen(name)] for n in networks}
    return {label: seen for label, seen in found.items() if seen}


def peer(args: argparse.Namespace, method: str, weights: str | None, medical: bool = False) -> Network:
    """Return the network of a method, from a file, from pretrained/peers, or with random weights.

    Args:
        args: the options device and seed; for CDDFuse also cddfuse_skip.
        method: a key of `models.peers.PEERS`.
        weights: a file, a name in pretrained/, or "untrained"; None takes pretrained/peers/METHOD.pth if it exists,
            else random weights.
        medical: see `peer_networks`.

    Raises:
        CheckpointError: for files that cannot be read.
    """
    device = pick_device(args.device)
    shelf = PRETRAINED / "peers" / f"{method}.pth"
    weights = weights or (str(shelf) if shelf.is_file() else UNTRAINED)
    if weights == UNTRAINED:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(args.seed)
            model = build_peer(method, {"skip": _skip(args, "visible", medical)} if method == "cddfuse" else {})
        label = f"{TITLES[method]} (untrained, seed {args.seed})"
        return Network(model.to(device).eval(), label, trained=False, name=f"{method}_untrained")
    opened = open_weights(weights)
    model = load_pretrained(opened, device=device, method=method)
    file, theirs = opened.path, not opened.ours
    if isinstance(model, CDDFuse):
        model.skip = _skip(args, "none" if theirs and "MIF" in file.stem else model.skip, medical)
    label = f"{TITLES[method]} ({AUTHORS if theirs else file.stem})"
    network = Network(model, label, trained=True, name=f"{method}_{file.stem}", file=file, sha256=opened.sha256)
    return network._replace(seen=_auif_saw) if theirs and method == "auif" else network


def _skip(args: argparse.Namespace, usual: str, medical: bool) -> str:
    """Return the image that CDDFuse's decoder adds; for medical pairs "visible" becomes "sum"."""
    return args.cddfuse_skip or ("sum" if medical and usual == "visible" else usual)


def _auif_saw(name: str) -> bool:
    """Whether AUIF-Net's authors may have trained on a RoadScene image.

    They used 180 of the 221; of the test images only ten are known not to be among them.
    """
    return bool(ROADSCENE.fullmatch(name)) and name not in split("roadscene_unseen_10")


def _methods(text: str) -> list[str]:
    methods = list(dict.fromkeys(text.split(",")))
    unknown = [m for m in methods if m not in METHODS]
    if unknown or "dcinn" not in methods:
        found = unknown[0] if unknown else text
        raise argparse.ArgumentTypeError(f"found {found!r}, expected dcinn and any of {', '.join(PEERS)}, with commas")
    return methods
