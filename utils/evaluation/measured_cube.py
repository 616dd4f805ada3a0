"""Fuses a measured hyperspectral image (HSI) with a camera image of the same scene (MSI), of any size."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.files.nodata import SEEN
from data.files.raster_windows import Windows
from data.files.sample_range import uses_little
from data.files.scene_image import open_image
from data.simulate import spectral_response
from models import dcinn_hmf
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, bit_depth, number
from utils.output.geotiff_file import check_rasterio

from .cube_weights import default_weights, trained_elsewhere
from .pick_network import Network, pick_model
from .response_check import channel_order, compare
from .scene_by_tiles import check_bands, fuse_scene
from .scene_kinds import HYPERSPECTRAL
from .scene_pair import ScenePair

OF_FILES = {"scenes": None, "limit": None, "format": "mat", "protocol": "group", "no_metrics": False, "ratio": None}


def add_measured_options(parser: Parser) -> None:
    """Add the options for a measured scene to those of test_dcinn_hmf.py."""
    add = parser.add_argument
    add("--hsi", type=Path, help="measured hyperspectral image of one scene (.tif, .hdr, .npy, .mat, .h5), with --msi")
    add("--msi", type=Path, help="camera image of that scene, its sides 2 to 32 times as long (also .png, .jpg)")
    add("--msi-bits", type=bit_depth, help="with --msi: its bit depth; 1: in [0, 1] (default: that of its type)")
    add("--nodata", type=number, help="with --hsi: value of pixels without measurement, or nan (default: the files')")
    add("--cog", action="store_true", help="with --hsi and --msi: write a cloud-optimised GeoTIFF")


def fuse_measured(args: argparse.Namespace) -> dict:
    """Fuse the scene of --hsi and --msi, without a table, as there is no reference; returns a summary.

    Args:
        args: the options; --srf has been read.

    Raises:
        DataError, UsageError: for images and options that do not fit each other or the weights.
    """
    if args.data is not None or not (args.hsi and args.msi):
        raise UsageError("--hsi, --msi: found one of them or --data as well, expected both and no --data")
    for name, default in OF_FILES.items():
        if getattr(args, name) != default:
            raise UsageError(f"--{name.replace('_', '-')}: found beside --hsi and --msi, expected with --data only")
    if args.cog:
        check_rasterio()
    srf = spectral_response() if args.srf is None else args.srf
    pick = partial(pick_model, args, build=lambda: dcinn_hmf(len(srf), srf=srf), srf=spectral_response())
    network = pick(default_weights(None)) if args.weights else None
    bands = len(srf) if network is None else network.model.config.bands
    scene = measured_scene(args.hsi, args.msi, args.bits, args.msi_bits, args.nodata, (bands, srf.shape[1]))
    network = pick(default_weights(scene.ratio)) if network is None else network
    prepare(scene, network)
    path = fuse_scene(network, scene, args.output, args.tile, args.pooling, args.cog, args.verbose)
    return {"task": "hmf", "weights": network.label, "fused": str(path), "notes": scene.notes}


def measured_scene(
    hsi: Path,
    msi: Path,
    bits: int | None = None,
    msi_bits: int | None = None,
    nodata: float | None = None,
    bands: tuple[int, int] = (31, 3),
) -> ScenePair:
    """Open a measured scene.

    Args:
        hsi, msi: the files, see `scene_image.open_image`.
        bits, msi_bits: bit depth of each; None as in `depth`.
        nodata: see `ScenePair`.
        bands: expected bands of the two, to find their axis in arrays.

    Raises:
        DataError: see `open_image`, `depth` and `ScenePair`, and for fewer bands in the HSI than in the MSI.
    """
    low, guide = open_image(hsi, bands[0]), open_image(msi, bands[1])
    channels = guide.shape[0]
    if low.shape[0] < channels:
        raise DataError(hsi, f"{low.shape[0]} bands", f"more than the MSI's {channels}; are the two swapped?")
    scales = [2 ** depth(*given) - 1 for given in ((low, bits, "--bits"), (guide, msi_bits, "--msi-bits"))]
    return ScenePair(low, guide, scales[0], nodata, HYPERSPECTRAL, scales[1])


def prepare(scene: ScenePair, network: Network) -> None:
    """Put the MSI's channels into the order of the network's response, and add remarks on what does not fit to it.

    Raises:
        DataError: for other numbers of bands than the network's, and see `response_check.compare`.
    """
    check_bands(network, scene)
    response = np.array(network.model.config.srf)
    remarks = [channel_order(scene, response), *compare(scene, response), trained_elsewhere(network, scene.ratio)]
    scene.notes += [remark for remark in remarks if remark]


def depth(image: Windows, given: int | None, option: str) -> int:
    """Return the bit depth of an image: the given one, else that of its integers; 1 for floats, which are in [0, 1].

    Args:
        image: the image.
        given: the value of the option, or None.
        option: its name, for messages.

    Raises:
        DataError: for integers whose depth is not clear: signed ones, of over 16 bits, or with a small part of their
            range in use.
    """
    if given is not None:
        return given
    if image.dtype.kind == "f":
        return 1
    bits, step = 8 * image.dtype.itemsize, -(-max(image.shape[1:]) // SEEN)
    if image.dtype.kind != "u" or bits > 16:
        raise DataError(image.path, f"samples of type {image.dtype}", f"a declared bit depth ({option})")
    if bits > 8 and uses_little(image.array[:, ::step, ::step], bits):
        found = f"{bits}-bit samples in a small part of their range"
        raise DataError(image.path, found, f"a declared bit depth ({option} {bits} if it is that)")
    return bits
