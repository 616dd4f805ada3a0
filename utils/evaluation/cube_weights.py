"""Which weights a hyperspectral test takes at a resolution ratio, and a remark where they are those of another."""

from models.weights.files import PRETRAINED

from .pick_network import Network

TRAINED_AT = {"hmf": 4, "hmf_x8": 8}  # resolution ratios that the weights in pretrained/ were trained for


def default_weights(ratio: int | None) -> str:
    """Return the name in pretrained/ of the default weights for a ratio: "hmf_x8" for 8 if it exists, else "hmf"."""
    there = (name for name, of in TRAINED_AT.items() if of == ratio and (PRETRAINED / f"{name}.pth").is_file())
    return next(there, "hmf")


def is_ours(network: Network) -> bool:
    """Whether a network has weights of pretrained/."""
    return network.file is not None and network.file.resolve().parent == PRETRAINED


def trained_elsewhere(network: Network, ratio: int) -> str | None:
    """Return a remark if a network has weights of pretrained/ that were trained at another ratio; else None."""
    trained_at = TRAINED_AT.get(network.name) if is_ours(network) else None
    if trained_at in {None, ratio}:
        return None
    return f"These weights were trained at x{trained_at}; train_dcinn_hmf.py --ratio {ratio} makes others."
