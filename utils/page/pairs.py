"""Infrared-visible pairs on the page: they are read, fused by several networks, measured, and written."""

from pathlib import Path

import numpy as np
import torch

from data import PairedImages
from data.errors import DataError
from data.files.geotiff import TIFF
from data.files.infrared_range import STRETCH
from data.files.sample_type import PNG_TYPES
from data.samples import sample_pairs
from metrics import protocols, table_text
from utils.commandline.errors import UsageError
from utils.evaluation.evaluation import Evaluation
from utils.evaluation.infrared_visible import TITLES, in_colour, remark_networks
from utils.evaluation.pick_network import Network, with_distinct_labels
from utils.evaluation.table_rows import add_pair
from utils.output.images import to_eight_bit, write_stored

from .handlers import Job, given
from .limits import check_pixels
from .networks import Shelf
from .pictures import MOST_CHANNELS, mosaic, save, signed

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")  # names of `sample_pairs`
WHOLE = 1_000_000  # pixels; larger images are fused in tiles
TILE = 512  # side of a tile in pixels


def read_pair(
    job: Job,
    sample: str,
    visible: str | None,
    infrared: str | None,
    bits: float | None,
    stretch: bool,
    resize: bool = False,
) -> tuple[dict, str | None]:
    """Return a pair as an item of `PairedImages`, and the name of its visible file; None for a sample.

    Args:
        job: the visitor's job.
        sample: name of the sample pair to use without uploads.
        visible, infrared: paths of the uploads, both or none.
        bits: bit depth of images of more than 8 bits; 0 or None is that of their type.
        stretch: whether to stretch the infrared image.
        resize: whether to resize an infrared image that differs from the visible one by one factor.

    Raises:
        UsageError: for one upload without the other.
        DataError: see `PairedImages`, and for files over the page's limits.
    """
    files = given(job, visible), given(job, infrared)
    if files == (None, None):
        return next((p for p in sample_pairs() if p["name"] == sample), sample_pairs()[0]), None
    if None in files:
        raise UsageError("visible, infrared: found one of the two images, expected both (or none, for a sample)")
    for file in files:
        check_pixels(file)
    asked = {
        "bits": int(bits) if bits else None,
        "infrared_range": STRETCH if stretch else None,
        "resize_infrared": bool(resize),
    }
    return PairedImages(visible=files[0], infrared=files[1], **asked)[0], files[0].name


def fuse_pair(
    job: Job,
    shelf: Shelf,
    pair: dict,
    source: str | None,
    weights: str,
    beside: list[str],
    colour: bool = True,
    suffix: str = "",
) -> dict:
    """Fuse a pair by one or more networks, measure the results, and write the files of the page.

    Args:
        job: the visitor's job.
        shelf: the networks.
        pair, source: see `read_pair`.
        weights: name of the network whose image is compared and downloaded.
        beside: names of further networks.
        colour: restore the sources' colour.
        suffix: suffix of the download, ".png" or ".tif"; "" is that of the sources.

    Returns:
        A dictionary with `folder`, `pictures` (name -> path of an 8-bit PNG, fused images first, then sources),
        `download` (a path) and `table` (markdown).

    Raises:
        UsageError: for a PNG download of sources that need a TIFF.
    """
    suffix = suffix or pair["storage"].suffix
    if suffix not in TIFF and pair["storage"].dtype not in PNG_TYPES:
        raise UsageError(f"download: found {pair['storage'].dtype} sources, expected TIFF for them, not PNG")
    job.step(0, "loading weights")
    names = [weights, *(name for name in dict.fromkeys(beside) if name != weights)]
    networks = with_distinct_dcinns([shelf.get("ivf", name) for name in names])
    height, width = pair["visible"].shape[1:]
    tile = TILE if height * width > WHOLE else 0
    run = Evaluation("ivf_tno", networks[0], source, tile, others=tuple(networks[1:]))
    run.notes.update(pair["notes"])
    floats = {}
    for number, network in enumerate(networks):
        job.step(number / (len(networks) + 1), network.label)
        with job.running(network.model):
            floats[network.label] = run.fuse(pair["visible"], pair["infrared"], network)[0]
    job.step(len(networks) / (len(networks) + 1), "measuring")
    table = _tables(run, pair, floats)
    shown = {label: in_colour(image, pair, colour) for label, image in floats.items()}
    folder = job.visitor.fresh("pair")
    download = folder / f"{pair['name']}_fused{suffix}"
    missing = pair.get("missing")
    write_stored(download, shown[run.label], pair["storage"], missing)
    sources = {key: pair[key][0] for key in ("visible", "infrared")}
    if pair["colour"] is not None:
        sources[pair["coloured"]] = pair["colour"]
    every = {**shown, **sources}
    if missing is not None:
        every = {label: np.where(missing, 0, image) for label, image in every.items()}
    pictures = {label: save(folder / f"{n}.png", image) for n, (label, image) in enumerate(every.items())}
    return {"folder": folder, "pictures": pictures, "download": str(download), "table": table}


def _tables(run: Evaluation, pair: dict, floats: dict[str, np.ndarray]) -> str:
    """Return the tables of both protocols as markdown, with mean and maximum of the sources."""
    rules = " and ".join(dict.fromkeys(n.model.config.base_rule for n in (run.network, *run.others) if n.is_dcinn))
    title = f"Infrared-visible fusion{f', base rule {rules}' if rules else ''}"
    tables = [run.table(f"{title}, {TITLES[p]}", protocols.IVF[p], p) for p in TITLES]
    fused = {label: to_eight_bit(image) for label, image in floats.items()}
    add_pair(tables, pair["name"], fused, to_eight_bit(pair["infrared"][0]), to_eight_bit(pair["visible"][0]))
    remark_networks(run, tables)
    run.result(tables)
    return "\n".join(table_text.markdown(table) for table in tables)


def with_distinct_dcinns(networks: list[Network]) -> list[Network]:
    """Return the networks with distinct labels for DCINNs of different configurations; other methods keep theirs."""
    ours = iter(with_distinct_labels([n for n in networks if n.is_dcinn]))
    return [next(ours) if n.is_dcinn else n for n in networks]


def look_inside(job: Job, network: Network, pair: dict, folder: Path) -> list[tuple[str, str]]:
    """Return (path, caption) of pictures of a DCINN's inner images for a pair: base, detail, residual, conditions.

    Args:
        job: the visitor's job.
        network: the network, a DCINN.
        pair: an item of `PairedImages`.
        folder: folder for the pictures.

    Raises:
        DataError: for another method, and for an image so large that it is fused in tiles.
    """
    if not network.is_dcinn:
        raise DataError(network.label, "another method", "a DCINN, which has a base, a detail and conditions")
    height, width = pair["visible"].shape[1:]
    if height * width > WHOLE:
        raise DataError(pair["name"], f"{height}x{width} pixels", f"at most {WHOLE / 1e6:g} million to look inside")
    model, conditions = network.model, []
    device = next(model.parameters()).device
    a, b = (torch.from_numpy(np.ascontiguousarray(pair[key]))[None].to(device) for key in ("visible", "infrared"))
    seen = model.anet.register_forward_hook(lambda _module, _inputs, found: conditions.extend(found))
    try:
        with torch.inference_mode(), job.running(model):
            job.step(0.2, "base, detail, residual, conditions")
            base, detail = model.decompose(a, b)
            residual = model(a, b) - base
    finally:
        seen.remove()
    base, detail, residual = (x[0, 0].float().cpu().numpy() for x in (base, detail, residual))
    panels = [(save(folder / "base.png", base), f"base ({model.config.base_rule})")]
    for name, image in (("detail", detail), ("residual", residual)):
        picture, most = signed(image)
        panels.append((save(folder / f"{name}.png", picture), f"{name}, white {most:.2f}"))
    for number, condition in enumerate(conditions, 1):
        channels = condition[0].float().cpu().numpy()
        words = f"conditions, 1/{2**number} ({min(len(channels), MOST_CHANNELS)} of {len(channels)})"
        panels.append((save(folder / f"condition_{number}.png", mosaic(channels)), words))
    return panels
