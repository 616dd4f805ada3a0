"""The networks that a visitor can choose: those of pretrained/, an untrained one, the other methods."""

import argparse
from collections.abc import Callable
from functools import lru_cache

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from models.peers import TITLES
from models.weights.files import PRETRAINED
from utils.commandline.errors import UsageError
from utils.evaluation.parser import UNTRAINED
from utils.evaluation.peers import peer
from utils.evaluation.pick_network import Network, trained, untrained

BASE_RULE = "max"  # of an untrained network
KEPT = 12  # networks in memory
FIRST = {"ivf": "ivf_tuned"}  # the choice that a page opens with, where it is there


def choices(task: str) -> list[str]:
    """Names of weights of "ivf", "ps" or "hmf", the one to begin with first, 'untrained' last."""
    names = sorted(p.stem for p in PRETRAINED.glob("*.pth") if p.stem.startswith(task))
    return [*sorted(names, key=lambda name: name != FIRST.get(task)), UNTRAINED]


def methods() -> list[tuple[str, str]]:
    """Title and name of the other methods whose weights are there."""
    return [(title, f"peers/{name}") for name, title in TITLES.items() if (PRETRAINED / f"peers/{name}.pth").is_file()]


class Shelf:
    """Loads each network once.

    Args:
        device: of --device.
    """

    def __init__(self, device: str) -> None:
        self._args = argparse.Namespace(device=device, seed=0, exact=False, base_rule=None, srf=None, cddfuse_skip=None)
        self._load = lru_cache(maxsize=KEPT)(self._read)

    def get(self, task: str, name: str, bands: int = 8) -> Network:
        """The network of a name of `choices` or `methods`.

        Args:
            task: "ivf", "ps", "hmf".
            name: no path: a request may hold anything.
            bands: of an untrained ps network.
        """
        known = [*choices(task), *(n for _, n in methods() if task == "ivf")]
        if name not in known:
            raise UsageError(f"weights: found {str(name)[:40]!r}, expected {', '.join(known)}")
        return self._load(task, name, bands if task == "ps" and name == UNTRAINED else 0)

    def _read(self, task: str, name: str, bands: int) -> Network:
        if name.startswith("peers/"):
            return peer(self._args, name.removeprefix("peers/"), None)
        builders: dict[str, Callable] = {
            "ivf": lambda: dcinn_ivf(BASE_RULE),
            "ps": lambda: dcinn_ps(bands),
            "hmf": lambda: dcinn_hmf(srf=spectral_response()),
        }
        if name == UNTRAINED:
            return untrained(self._args, builders[task])
        return trained(self._args, name, task, **({"base_rule": BASE_RULE} if task == "ivf" else {}))
