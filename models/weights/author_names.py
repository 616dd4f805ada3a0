"""Translates between our parameter names and the names in the authors' released files, and makes their Haar filters.

Source of the names: the three published checkpoints (ps 304 entries, hmf 360, ivf 398).
"""

import re

import torch
from torch import Tensor

from ..config import DCINNConfig, config_from_dict
from ..dcinn import DCINN

# Order matters: each pattern is applied once, to the result of those before it.
_PLACES = (
    (r"^flow\.(block_(?:in|out)\d?)\.", r"\1."),
    (r"^flow\.low(\d+)\.", r"operations.\1."),
    (r"^block_(in|out)", r"inv_\1"),
    (r"^anet\.res\.(\d)\.", r"c_net.df.\1."),
    (r"^anet\.conv_in\.", "c_net.in_conv."),
    (r"^anet\.tail_full\.", "c_net.tailh."),
    (r"^anet\.tail_half\.", "c_net.tail."),
    (r"^anet\.tail(\d)\.", r"c_net.tail\1."),
)
_PARTS = (
    (r"\.conv_exp\.kernel$", ".kernel1"),
    (r"\.coupling\.clamp$", ".clamp_s"),
    (r"\.coupling\.([FGH])\.", r".\1."),
    (r"\.gate\.norm\.weight$", ".ca.ln.weights"),
    (r"\.gate\.norm\.bias$", ".ca.ln.bias"),
    (r"\.gate\.([gqo])\.", r".ca.\1."),
    (r"\.([FGH])\.res\.", r".\1.conv2."),
    (r"\.([FGH])\.conv_in\.", r".\1.conv1.1."),
    (r"\.([FGH])\.conv_out\.", r".\1.conv3.1."),
    (r"\.(conv2|df\.\d)\.conv1\.", r".\1.conv1.1."),
    (r"\.(conv2|df\.\d)\.conv2\.", r".\1.conv1.4."),
    (r"\.se\.squeeze\.", ".se.conv_du.0."),
    (r"\.se\.excite\.", ".se.conv_du.2."),
)
HAAR_SIGNS = ((1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))


def released_name(name: str, task: str) -> str:
    """Return the authors' name of our entry `name`, for example flow.low0.conv_exp.kernel -> operations.0.kernel1.

    Args:
        name: a name in the state of a DCINN.
        task: "ps", "hmf" or "ivf"; the names of ivf begin with "inn.", except ANet's.
    """
    for pattern, replacement in (*_PLACES, *_PARTS):
        name = re.sub(pattern, replacement, name)
    return f"inn.{name}" if task == "ivf" and not name.startswith("c_net.") else name


def haar_entries(config: DCINNConfig) -> dict[str, Tensor]:
    """Return the constant Haar filters in the authors' files, name -> (4C, 1, 2, 2): four +-1 filters per channel."""
    filters = torch.tensor(HAAR_SIGNS, dtype=torch.float32).reshape(4, 1, 2, 2)
    if config.task != "ivf":
        return {f"har_{end}.haar_weights": filters.repeat(config.bands, 1, 1, 1) for end in ("in", "out")}
    levels = {1: 1, 2: 4, 3: 16}  # Haar level -> channels before it
    return {
        f"inn.har_{end}{i}.haar_weights": filters.repeat(c, 1, 1, 1) for end in ("in", "out") for i, c in levels.items()
    }


def to_released(model: DCINN) -> dict[str, Tensor]:
    """Return the state of `model` on the CPU under the authors' names, with the constant Haar filters."""
    task = model.config.task
    state = {released_name(name, task): value.detach().cpu() for name, value in model.state_dict().items()}
    return state | haar_entries(model.config)


def from_released(state: dict[str, Tensor], model: DCINN) -> dict[str, Tensor]:
    """Return the authors' `state` under our names, for `model.load_state_dict`, without the constant Haar filters.

    Raises:
        ValueError: if names, shapes or the constant Haar filters differ from those of this network.
    """
    ours = {released_name(name, model.config.task): name for name in model.state_dict()}
    haar = haar_entries(model.config)
    shapes = {theirs: model.state_dict()[name].shape for theirs, name in ours.items()}
    shapes |= {name: value.shape for name, value in haar.items()}
    assert_same_entries(state, shapes)
    for name, value in haar.items():
        if not torch.equal(state[name].float().cpu(), value):
            raise ValueError(f"{name}: found filters other than the Haar signs +-1")
    return {name: state[theirs] for theirs, name in ours.items()}


def assert_same_entries(state: dict[str, Tensor], shapes: dict[str, torch.Size]) -> None:
    """Raise ValueError with the first differences unless `state` has exactly these names with these shapes."""

    def few(names: list[str]) -> str:
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    missing = [n for n in shapes if n not in state]
    unknown = [n for n in state if n not in shapes]
    wrong = [
        f"{n} {tuple(state[n].shape)} for {tuple(shapes[n])}"
        for n in shapes
        if n in state and state[n].shape != shapes[n]
    ]
    differences = (("lacks", missing), ("has", unknown), ("has", wrong))
    problems = [f"{what} {few(names)}" for what, names in differences if names]
    if problems:
        raise ValueError(f"found {len(state)} entries, expected {len(shapes)} of this network; {'; '.join(problems)}")


def guess_config(state: dict[str, Tensor], srf: object, base_rule: str | None) -> DCINNConfig:
    """Return the configuration of the network in a file of the authors, inferred from its names and shapes.

    Args:
        state: the entries of the file under the authors' names.
        srf: spectral response, an array (bands, channels). Only hmf files need it; it is ignored for others.
        base_rule: "max" or "mean". Only ivf files need it; it is ignored for others.

    Raises:
        ValueError: if the names do not belong to a DCINN, or if `srf` or `base_rule` is needed and is None or does not
            fit.
    """
    prefix = "inn." if any(name.startswith("inn.") for name in state) else ""
    low = {m.group(1) for name in state if (m := re.match(rf"{re.escape(prefix)}operations\.(\d+)\.", name))}
    first = state.get("c_net.in_conv.weight")
    if any(name.startswith(("flow.", "anet.")) for name in state):
        remedy = "a file that says what network it is of: models.save_checkpoint(FILE, model)"
        raise ValueError(f"found the weights of this project's network without its configuration, expected {remedy}")
    if not low or first is None or first.ndim != 4:
        names = ", ".join(sorted(state)[:3]) or "nothing"
        raise ValueError(f"found entries {names}, ..., expected the names of a DCINN checkpoint")
    if prefix:
        if base_rule is None:
            raise ValueError("is an ivf checkpoint of the authors, which does not say its base rule: give base_rule")
        return DCINNConfig("ivf", base_rule=base_rule, low_blocks=len(low))
    kernel = state.get("inv_in.kernel1")
    if kernel is None or kernel.ndim != 4:
        raise ValueError("found no inv_in.kernel1, expected the names of a DCINN checkpoint")
    bands = kernel.shape[0]
    guide = first.shape[1] - bands
    if guide <= 1:
        return DCINNConfig("ps", bands=bands, guide_bands=guide, low_blocks=len(low))
    if srf is None:
        raise ValueError("is an hmf checkpoint of the authors, which does not hold its spectral response: give srf")
    values = {"task": "hmf", "bands": bands, "guide_bands": guide, "srf": srf, "low_blocks": len(low)}
    return config_from_dict(values)
