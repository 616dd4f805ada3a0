"""The networks that a visitor can choose: those in pretrained/, an untrained one, and other methods."""

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

BASE_RULE = "max"  # base rule of an untrained network
KEPT = 12  # networks kept in memory
BY_BANDS = "by bands"  # the choice of ps weights by the scene's number of bands
FIRST = {"ivf": "ivf_tuned"}  # preselected weights, if they exist


def choices(task: str) -> list[str]:
    """Return the names of the weights for "ivf", "ps" or "hmf", the preselected one first, "untrained" last."""
    names = sorted(p.stem for p in PRETRAINED.glob("*.pth") if p.stem.startswith(task))
    return [*sorted(names, key=lambda name: name != FIRST.get(task)), UNTRAINED]


def at_hand(task: str, name: str) -> str:
    """Return the name of weights if they are in pretrained/, else "untrained"."""
    return name if name in choices(task) else UNTRAINED


def methods() -> list[tuple[str, str]]:
    """Return (title, name) of the other methods whose weights are in pretrained/."""
    return [(title, f"peers/{name}") for name, title in TITLES.items() if (PRETRAINED / f"peers/{name}.pth").is_file()]


class Shelf:
    """Loads networks, and keeps the latest 12 in memory.

    Args:
        device: the value of --device.
    """

    def __init__(self, device: str) -> None:
        self._args = argparse.Namespace(device=device, seed=0, exact=False, base_rule=None, srf=None, cddfuse_skip=None)
        self._load = lru_cache(maxsize=KEPT)(self._read)

    def get(self, task: str, name: str, bands: int = 8) -> Network:
        """Return the network with a name of `choices` or `methods`.

        Args:
            task: "ivf", "ps" or "hmf".
            name: the name; paths are refused, because a request may hold anything.
            bands: bands of an untrained ps network.

        Raises:
            UsageError: for an unknown name.
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
