"""The networks of a test script: from a file, from a name in pretrained/, or a seeded start; what tables call them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from models import DCINN, load_pretrained
from models.config import DCINNConfig
from models.weights.files import PRETRAINED, open_weights, task_of
from utils.commandline.device import pick_device
from utils.commandline.errors import UsageError

from .parser import UNTRAINED


class Network(NamedTuple):
    """A model in evaluation mode.

    Attributes:
        model: a DCINN, or of `models.peers`.
        label: what tables call it.
        trained: whether it has trained weights.
        name, file, sha256: of the weights; the last one of the file's bytes, in hexadecimal digits.
        seen: whether it was, or may have been, trained on the image of a name.
    """

    model: nn.Module
    label: str
    trained: bool
    name: str = "untrained"
    file: Path | None = None
    sha256: str | None = None
    seen: Callable[[str], bool] = lambda _: False

    @property
    def is_dcinn(self) -> bool:
        """Whether it is one, and not another method's."""
        return isinstance(self.model, DCINN)

    @property
    def exact(self) -> dict[str, bool]:
        """Of a DCINN, whether its series are summed to float precision."""
        return {"exact": self.model.exact} if self.is_dcinn else {}

    def as_dict(self) -> dict:
        """What metrics.json says of it: the weights by the SHA-256 of their file."""
        parameters = sum(p.numel() for p in self.model.parameters())
        return {
            "label": self.label,
            "sha256": self.sha256,
            "parameters": parameters,
            **self.model.config.as_dict(),
            **self.exact,
        }


def label_of(name: str, config: DCINNConfig) -> str:
    """What tables call a network: its name, and the part that an ablation has left out."""
    return f"DCINN ({name})" + (f", without {config.without}" if config.without else "")


def with_distinct_labels(networks: list[Network]) -> list[Network]:
    """Add to the labels each configuration field in which the networks differ."""
    for key, said in (
        ("base_rule", "{}"),
        ("detail_rule", "detail {}"),
        ("low_blocks", "{} low blocks"),
        ("terms", "{} terms"),
    ):
        if len({getattr(n.model.config, key) for n in networks}) > 1:
            networks = [n._replace(label=f"{n.label}, {said.format(getattr(n.model.config, key))}") for n in networks]
    return networks


def pick_model(args: argparse.Namespace, name: str, build: Callable[[], DCINN], **lacking: object) -> Network:
    """The network of a test script, on its device.

    Args:
        args: the parsed options.
        name: "ps", "hmf", "ivf_rs", "ivf_tno": the file in pretrained/ to take by default.
        build: a fresh network, for a seeded start where there is no file.
        lacking: srf or base_rule for the authors' files, which lack it, where the options give none.
    """
    weights = args.weights or (name if (PRETRAINED / f"{name}.pth").is_file() else UNTRAINED)
    return untrained(args, build) if weights == UNTRAINED else trained(args, weights, name, **lacking)


def trained(args: argparse.Namespace, weights: str, name: str, **lacking: object) -> Network:
    """The network of a file or of a name in pretrained/; as `pick_model`."""
    device = pick_device(args.device)
    given = {key: getattr(args, key) for key in lacking if getattr(args, key) is not None}
    file = open_weights(weights)
    if not file.ours:
        given = {**lacking, **given}
    model = load_pretrained(file, task=task_of(name), device=device, exact=args.exact or None, **given)
    stem = file.path.stem
    return Network(model, label_of(stem, model.config), trained=True, name=stem, file=file.path, sha256=file.sha256)


def untrained(args: argparse.Namespace, build: Callable[[], DCINN]) -> Network:
    """The network that `build` gives from --seed."""
    device = pick_device(args.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(args.seed)
        try:
            model = build()
        except ValueError as error:
            raise UsageError(str(error)) from None
    model.exact = args.exact
    return Network(model.to(device).eval(), label_of(f"untrained, seed {args.seed}", model.config), trained=False)
