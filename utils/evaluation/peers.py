"""The peers in the tables of the ivf scripts: which methods, with which weights, trained on what."""

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
    """--methods and --peer-weights."""
    parser.add_argument(
        "--methods",
        type=_methods,
        default=["dcinn"],
        metavar="dcinn,...",
        help=f"rows and panels of further methods, dcinn among them: {', '.join(METHODS)} (default: dcinn)",
    )
    parser.add_argument(
        "--peer-weights",
        nargs="+",
        default=[],
        metavar="METHOD=FILE",
        help=f"of a further method: our file, its authors' file (of AUIF-Net's three any one), or '{UNTRAINED}'; of "
        "several files each is a row "
        "(default: pretrained/peers/METHOD.pth, where it is there)",
    )
    parser.add_argument(
        "--cddfuse-skip",
        choices=SKIPS,
        help="image that CDDFuse's decoder adds (default: our file's, visible of its authors'; of medical pairs the "
        "sum; none where the authors' file's name has MIF)",
    )


def peer_networks(args: argparse.Namespace, medical: bool = False) -> list[Network]:
    """The networks of --methods but for dcinn.

    Args:
        args: the options.
        medical: whether they are to fuse MRI with CT, PET or SPECT.

    Raises:
        UsageError, CheckpointError: for weights of a method that is not asked for, files of one name, or that cannot be
            read.
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
    """Label of a network -> the images of a table that it was trained on, where there are some."""
    found = {n.label: [name for name in names if n.seen(name)] for n in networks}
    return {label: seen for label, seen in found.items() if seen}


def peer(args: argparse.Namespace, method: str, weights: str | None, medical: bool = False) -> Network:
    """The network of a method, from weights, from pretrained/peers, or a seeded start.

    Args:
        args: the options: device, seed, of CDDFuse cddfuse_skip.
        method: of `models.peers.PEERS`.
        weights: file or name; None for that of pretrained/peers, where it is there.
        medical: see `peer_networks`.

    Raises:
        UsageError, CheckpointError: as `peer_networks`.
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
    """What CDDFuse's decoder adds: weights of infrared-visible pairs are given the sum of medical ones."""
    return args.cddfuse_skip or ("sum" if medical and usual == "visible" else usual)


def _auif_saw(name: str) -> bool:
    """Of RoadScene's 221 images AUIF-Net's authors trained on 180; ten test images are known to be outside."""
    return bool(ROADSCENE.fullmatch(name)) and name not in split("roadscene_unseen_10")


def _methods(text: str) -> list[str]:
    methods = list(dict.fromkeys(text.split(",")))
    unknown = [m for m in methods if m not in METHODS]
    if unknown or "dcinn" not in methods:
        found = unknown[0] if unknown else text
        raise argparse.ArgumentTypeError(f"found {found!r}, expected dcinn and any of {', '.join(PEERS)}, with commas")
    return methods
