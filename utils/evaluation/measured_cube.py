"""Fuses a measured hyperspectral image (HSI) with a camera image of the same scene (MSI), of any size."""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.errors import DataError
from data.files.held_value import held
from data.files.nodata import SEEN
from data.files.raster_windows import Windows
from data.files.sample_range import uses_little
from data.files.scene_image import open_image
from data.simulate import spectral_response
from models import dcinn_hmf
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, bit_depth, number, positive
from utils.output.geotiff_file import check_rasterio

from .cube_weights import default_weights, is_ours, trained_elsewhere
from .pick_network import Network, pick_model
from .response_check import channel_order, compare, linear, other_wavelengths
from .scene_by_tiles import bands_of, check_bands, fuse_scene
from .scene_kinds import HYPERSPECTRAL
from .scene_pair import ScenePair, declared_nodata

HSI_OPTIONS, MSI_OPTIONS = ("--bits", "--hsi-one"), ("--msi-bits", "--msi-one")
MEASURED_ONLY = ("msi_bits", "hsi_one", "msi_one", "msi_srgb", "nodata", "cog")  # options, expected with --hsi
OF_FILES = {"scenes": None, "limit": None, "format": "mat", "protocol": "group", "no_metrics": False, "ratio": None}


def add_measured_options(parser: Parser) -> None:
    """Add the options for a measured scene to those of test_dcinn_hmf.py."""
    add = parser.add_argument_group("a measured scene, fused without a reference").add_argument
    add("--hsi", type=Path, help="hyperspectral image of low resolution (.tif, .hdr, .npy, .mat, .h5), with --msi")
    add("--msi", type=Path, help="camera image of the same ground, its sides 2 to 32 times as long (also .png, .jpg)")
    add("--msi-bits", type=bit_depth, help="bit depth of the MSI; 1: in [0, 1] (default: that of its type)")
    add("--hsi-one", type=positive, help="stored number of the HSI that stands for 1, in place of --bits")
    add("--msi-one", type=positive, help="the same of the MSI; 10000 for reflectance x 10000")
    add("--msi-srgb", action="store_true", help="the MSI has sRGB's tone curve, as photographs have: make it linear")
    add("--nodata", type=number, help="value of pixels without measurement in both, or nan (default: the files')")
    add("--cog", action="store_true", help="write a cloud-optimised GeoTIFF")


def fuse_measured(args: argparse.Namespace) -> dict:
    """Fuse the scene of --hsi and --msi, without a table, as there is no reference; returns a summary.

    Args:
        args: the options; --srf has been read.

    Raises:
        DataError, UsageError: for images and options that do not fit each other or the weights.
    """
    if args.data is not None or not (args.hsi and args.msi):
        found = "--data as well" if args.data is not None else f"{'--hsi' if args.hsi else '--msi'} alone"
        raise UsageError(f"--hsi, --msi: found {found}, expected both and no --data")
    for name, default in OF_FILES.items():
        if getattr(args, name) != default:
            raise UsageError(f"--{name.replace('_', '-')}: found beside --hsi and --msi, expected with --data only")
    if args.cog:
        check_rasterio()
    srf = spectral_response() if args.srf is None else args.srf
    pick = partial(pick_model, args, build=lambda: dcinn_hmf(len(srf), srf=srf), srf=spectral_response())
    network = pick(default_weights(None)) if args.weights else None
    bands = len(srf) if network is None else network.model.config.bands
    low = Stored(args.hsi, args.bits, args.hsi_one)
    guide = Stored(args.msi, args.msi_bits, args.msi_one, args.msi_srgb)
    scene = measured_scene(low, guide, args.nodata, (bands, srf.shape[1]))
    network = pick(default_weights(scene.ratio)) if network is None else network
    prepare(scene, network)
    path = fuse_scene(network, scene, args.output, args.tile, args.pooling, args.cog, args.verbose)
    return {"task": "hmf", "weights": network.label, "fused": str(path), "notes": scene.notes}


class Stored(NamedTuple):
    """A file of a measured scene, and what its numbers mean.

    Attributes:
        path: the file, see `scene_image.open_image`.
        bits: bit depth; None if unknown.
        one: stored number that stands for 1, in place of `bits`.
        srgb: whether the samples have sRGB's tone curve.
    """

    path: Path
    bits: int | None = None
    one: int | None = None
    srgb: bool = False


def measured_scene(
    hsi: Stored, msi: Stored, nodata: float | None = None, bands: tuple[int, int] = (31, 3)
) -> ScenePair:
    """Open a measured scene.

    Args:
        hsi, msi: the files.
        nodata: see `ScenePair`.
        bands: expected bands of the two, to find their axis in arrays.

    Raises:
        DataError: see `open_image`, `scale_of` and `ScenePair`, and for fewer bands in the HSI than in the MSI.
        UsageError: for a file with both a bit depth and a number for 1.
    """
    low, guide = open_image(hsi.path, bands[0]), open_image(msi.path, bands[1])
    channels = guide.shape[0]
    if low.shape[0] < channels:
        raise DataError(hsi.path, bands_of(low), f"more than the MSI's {channels}; are the two swapped?")
    scales = [
        scale_of(image, file, nodata, options)
        for image, file, options in ((low, hsi, HSI_OPTIONS), (guide, msi, MSI_OPTIONS))
    ]
    if msi.srgb:
        mark = _mark(guide, nodata)
        missing = np.zeros(guide.shape[1:], bool) if mark is None else (guide.array == mark).all(axis=0)
        guide.array = linear(np.asarray(guide.array, np.float32) / np.float32(scales[1]))
        guide.array[:, missing] = np.nan  # which is NoData as well, once there is a value
        guide.dtype, scales[1] = guide.array.dtype, 1
    return ScenePair(low, guide, scales[0], nodata, HYPERSPECTRAL, scales[1])


def prepare(scene: ScenePair, network: Network) -> None:
    """Put the MSI's channels into the order of the network's response, and add remarks on what does not fit to it.

    Raises:
        DataError: for other numbers of bands than the network's, and see `response_check.compare`.
    """
    check_bands(network, scene)
    response = np.array(network.model.config.srf)
    remarks = [channel_order(scene, response), *compare(scene, response)]
    remarks += [trained_elsewhere(network, scene.ratio), other_wavelengths(scene, is_ours(network))]
    scene.notes += [remark for remark in remarks if remark]


def scale_of(image: Windows, file: Stored, nodata: float | None, options: tuple[str, str]) -> int:
    """Return the stored number that stands for 1 in an image: as given, else as its file or its type says.

    Floats are in [0, 1], unsigned integers have the depth of their type.

    Args:
        image: the image.
        file: what is given of it.
        nodata: value of pixels without measurement, which are not looked at; None takes the file's.
        options: names of the options for bits and for 1, for messages.

    Raises:
        DataError: for integers whose depth is not clear: signed ones, of over 16 bits, or with a small part of their
            range in use.
        UsageError: if both are given.
    """
    if file.bits is not None and file.one is not None:
        raise UsageError(f"{options[1]}: found beside {options[0]}, expected one of them")
    if file.one is not None or file.bits is not None:
        return file.one or 2**file.bits - 1
    if image.one is not None and image.one == round(image.one):
        image.notes.append(f"{image.path.name}: {image.one:g} stands for 1, as its header says.")
        return round(image.one)
    if image.dtype.kind == "f":
        return 1
    bits, step = 8 * image.dtype.itemsize, -(-max(image.shape[1:]) // SEEN)
    declared = f"a declared bit depth ({options[0]}) or number for 1 ({options[1]})"
    if image.dtype.kind != "u" or bits > 16:
        raise DataError(image.path, f"samples of type {image.dtype}", declared)
    mark = _mark(image, nodata)
    seen = np.asarray(image.array[:, ::step, ::step])
    seen = seen if mark is None else seen[seen != mark]
    if bits > 8 and seen.size and uses_little(seen, bits):
        found = f"{bits}-bit samples in a small part of their range"
        raise DataError(image.path, found, f"{declared}; {options[0]} {bits} if it is that")
    return 2**bits - 1


def _mark(image: Windows, given: float | None) -> np.generic | None:
    """Return the NoData value of an image, as given or as its file says, as a sample; None without one."""
    value = declared_nodata(image, given)
    return None if value is None else held(value, image.dtype)
