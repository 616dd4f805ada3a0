"""The networks of a test script, from a file, a name in pretrained/, or random weights, with their labels in tables."""

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
    """A model in evaluation mode, with its label and origin.

    Attributes:
        model: a DCINN, or a network of `models.peers`.
        label: its name in tables.
        trained: whether it has trained weights.
        name: name of the weights.
        file: the file of the weights; None if untrained.
        sha256: SHA-256 of the file's bytes in hexadecimal digits; None if untrained.
        seen: function that returns whether it was, or may have been, trained on the image of a name.
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
        """Whether the model is a DCINN, not another method's network."""
        return isinstance(self.model, DCINN)

    @property
    def exact(self) -> dict[str, bool]:
        """{"exact": ...} of a DCINN, whether its series are summed to float precision; empty for other methods."""
        return {"exact": self.model.exact} if self.is_dcinn else {}

    def as_dict(self) -> dict:
        """Return the network's description for metrics.json, with the SHA-256 of its weights."""
        parameters = sum(p.numel() for p in self.model.parameters())
        return {
            "label": self.label,
            "sha256": self.sha256,
            "parameters": parameters,
            **self.model.config.as_dict(),
            **self.exact,
        }


def label_of(name: str, config: DCINNConfig) -> str:
    """Return a DCINN's label in tables: the name of its weights, and the part that an ablation leaves out."""
    return f"DCINN ({name})" + (f", without {config.without}" if config.without else "")


def with_distinct_labels(networks: list[Network]) -> list[Network]:
    """Return the networks with each configuration field in which they differ added to their labels."""
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
    """Return the network of a test script, on its device.

    Args:
        args: the parsed options.
        name: "ps", "hmf", "ivf_rs" or "ivf_tno", the file in pretrained/ to use by default.
        build: function that returns a fresh network, used if there is no file.
        lacking: srf or base_rule for files of the authors, which lack them, unless the options have one.
    """
    weights = args.weights or (name if (PRETRAINED / f"{name}.pth").is_file() else UNTRAINED)
    return untrained(args, build) if weights == UNTRAINED else trained(args, weights, name, **lacking)


def trained(args: argparse.Namespace, weights: str, name: str, **lacking: object) -> Network:
    """Return the network of a file or of a name in pretrained/; arguments as for `pick_model`."""
    device = pick_device(args.device)
    given = {key: getattr(args, key) for key in lacking if getattr(args, key) is not None}
    file = open_weights(weights)
    if not file.ours:
        given = {**lacking, **given}
    model = load_pretrained(file, task=task_of(name), device=device, exact=args.exact or None, **given)
    stem = file.path.stem
    return Network(model, label_of(stem, model.config), trained=True, name=stem, file=file.path, sha256=file.sha256)


def untrained(args: argparse.Namespace, build: Callable[[], DCINN]) -> Network:
    """Return the network that `build` makes, with random weights from --seed. Raises UsageError if `build` fails."""
    device = pick_device(args.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(args.seed)
        try:
            model = build()
        except ValueError as error:
            raise UsageError(str(error)) from None
    model.exact = args.exact
    return Network(model.to(device).eval(), label_of(f"untrained, seed {args.seed}", model.config), trained=False)
