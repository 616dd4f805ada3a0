"""Weights as trainers wrap them: beside an optimizer's state, under the names of DataParallel and torch.compile."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
CONTAINERS = ("f_model_state_dict", "model_state_dict", "state_dict", "model", "params", "params_ema", "net")
WRAPPERS = {"module", "_orig_mod"}  # what DataParallel and torch.compile put before, or between, names
DEEPEST = 3


def unwrapped(content: object) -> object:
    """The dictionary of weights in a trainer's checkpoint; what is none, and a bare one, as it is.

    Raises:
        ValueError: for several of them, as of a network and its moving average.
    """
    for _ in range(DEEPEST):
        inner = [key for key in CONTAINERS if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)]
        if len(inner) > 1:
            first = f"torch.save(torch.load(FILE)[{inner[0]!r}], NEW)"
            raise ValueError(f"found {' and '.join(inner)}, expected one of them: {first}")
        if not inner or not isinstance(content, Mapping):
            return content
        content = content[inner[0]]
    return content


def bare_name(name: str) -> str:
    """ "module.conv._orig_mod.weight" -> "conv.weight"."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def with_bare_names(state: Mapping[str, T]) -> dict[str, T]:
    """The same entries by their bare names; ValueError where two become one."""
    bare = {bare_name(name): value for name, value in state.items()}
    if len(bare) < len(state):
        twice = next(name for name in state if name != bare_name(name) and bare_name(name) in state)
        raise ValueError(f"found {twice} and {bare_name(twice)}, expected one of them")
    return bare
