"""Unwraps other trainers' checkpoints: weights beside an optimizer's state, names of DataParallel or torch.compile."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
CONTAINERS = ("f_model_state_dict", "model_state_dict", "state_dict", "model", "params", "params_ema", "net")
WRAPPERS = {"module", "_orig_mod"}  # parts of names that DataParallel and torch.compile add
DEEPEST = 3  # nested containers that are opened


def unwrapped(content: object) -> object:
    """Return the dictionary of weights in a trainer's checkpoint; content without a known container is returned as is.

    Raises:
        ValueError: if the checkpoint holds several dictionaries, for example a network and its moving average.
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
    """Return a name without the wrappers' parts: "module.conv._orig_mod.weight" -> "conv.weight"."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def with_bare_names(state: Mapping[str, T]) -> dict[str, T]:
    """Return the same entries under their bare names. Raises ValueError if two names become one."""
    bare = {bare_name(name): value for name, value in state.items()}
    if len(bare) < len(state):
        twice = next(name for name in state if name != bare_name(name) and bare_name(name) in state)
        raise ValueError(f"found {twice} and {bare_name(twice)}, expected one of them")
    return bare
