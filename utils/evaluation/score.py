"""Scores fused images of any method against their sources or references; no network is needed."""

import argparse
from contextlib import nullcontext

import numpy as np

from data import CAVE, PanCollection
from data.errors import DataError
from data.files.band_images import Cubes
from data.files.folders import folders_in, plain_name
from data.files.remarks import Routine, of_role, reworded
from data.files.sample_range import USED, are_digital_numbers, listed
from data.hyperspectral import CAVE_BITS, CAVE_TEST, fusion_inputs
from data.pair_names import images_by_name
from data.pan_scenes import PanScenes, zero_borders
from data.simulate import spectral_response
from metrics import protocols
from metrics.protocols import REMARKS
from metrics.sensors import ms_gains
from metrics.table import Table
from utils.commandline.errors import UsageError
from utils.commandline.pair_options import asked_pairs
from utils.output.images import to_eight_bit

from .fused_pictures import read_fused, refuse_masked
from .report import Convention, tell
from .score_parser import PROTOCOLS, parser
from .sharing import Shares, by_all_processes, result_folder
from .table_rows import TRIVIAL, add_pair, add_scene_hmf, add_scene_ps


@by_all_processes
def run(argv: list[str] | None = None) -> dict:
    """Parse the options, measure, print the tables; returns the content of metrics.json."""
    args = parser().parse_args(argv)
    choices = PROTOCOLS[args.task]
    if args.protocol not in (None, *choices):
        raise UsageError(f"--protocol: found {args.protocol}, expected one of {', '.join(choices)} for {args.task}")
    if args.task != "ivf" and args.data is None:
        raise UsageError("--data: found none, expected the references (ps: a .h5 or .mat file; hmf: a folder)")
    if not args.fused.exists():
        raise DataError(args.fused, "no such file or folder", "fused images")
    resolved = args.fused.resolve()
    args.name = args.name or (resolved.name if resolved.is_dir() else resolved.stem)
    if args.name in TRIVIAL[args.task]:
        raise UsageError(f"--name: found {args.name}, the row that the table adds by itself, expected another")
    with result_folder(args.output) if args.output else nullcontext() as folder:  # refused before the work
        tables = {"ivf": _ivf, "ps": _ps, "hmf": _hmf}[args.task](args)
        about = {"task": args.task, "fused": str(args.fused), "protocol": args.protocol}
        if folder:
            folder.write_tables(tables, about)
    file = args.output / "metrics.md" if args.output else None
    last = [f"results in {args.output}"] if args.output else []
    few = all(len(table.images) == 1 for table in tables)
    tell(tables, [], last, verbose=args.verbose, few=few, file=file)
    return {**about, "tables": [table.as_dict() for table in tables]}


def _table(args: argparse.Namespace, title: str, metrics: tuple[str, ...], task: str, **about: object) -> Table:
    protocol = about.pop("protocol", args.protocol)
    table = Table(f"{title}: {args.fused}", task, metrics, protocol, **about)
    table.remark(Convention(REMARKS["ivf" if args.task == "ivf" else task, protocol]))
    return table


def _ivf(args: argparse.Namespace) -> list[Table]:
    pairs = asked_pairs(args, guess=False)
    pairs.pairs = pairs.pairs[: args.limit]
    args.protocol = args.protocol or "both"
    asked = tuple(protocols.IVF) if args.protocol == "both" else (args.protocol,)
    tables = [_table(args, f"Infrared-visible fusion ({p})", protocols.IVF[p], "ivf", protocol=p) for p in asked]
    files, skipped = images_by_name(args.fused) if args.fused.is_dir() else (None, [])
    names = [plain_name(v) for v, _ in pairs.pairs]
    for table in tables:
        table.remark(*pairs.remarks, *(f"fused: {note}" for note in skipped))
    if files is None and len(names) > 1:
        raise DataError(args.fused, "a file", f"a folder of {len(names)} fused images")
    lacking = sorted(set(names) - set(files)) if files is not None else []
    foreign = sorted(set(files) - set(names)) if files is not None else []
    if lacking or foreign:
        found = f"no image named {lacking[0]}" if lacking else f"{files[foreign[0]].name} without sources"
        raise DataError(args.fused, found, f"one fused image for each of the {len(names)} pairs, same names")
    shares = Shares(len(pairs), tables, "scoring", "pair")
    for index in shares:
        pair = pairs[index]
        file = args.fused if files is None else files[names[index]]
        infrared, visible = (to_eight_bit(pair[k][0]) for k in ("infrared", "visible"))
        unit, notes = read_fused(file, visible.shape, args.fused_bits)
        refuse_masked(file, pair["missing"])
        for table in shares.tables:
            told = [*of_role("fused", notes), *pair["notes"]]
            table.remark(*(reworded(n, f"Converted, {n}.") for n in told))
        add_pair(shares.tables, pair["name"], {args.name: to_eight_bit(unit)}, infrared, visible)
    return tables


def _ps(args: argparse.Namespace) -> list[Table]:
    scenes = PanScenes(args.data, args.sensor, args.bits)
    source, fused = scenes.file, Cubes(args.fused, args.axes)
    names = source.names[: args.limit]
    order = fused.order(names)
    gains = ms_gains(source.sensor)
    if gains and len(gains) != source.bands:
        raise UsageError(
            f"{args.data}: found {source.bands} bands, expected {len(gains)} of sensor {source.sensor} (--sensor)"
        )
    reduced = scenes.has_reference or _of_the_ms(fused.raw_shape(order[0]), source)
    if reduced and (why := scenes.cannot_reduce()):
        raise UsageError(f"{args.data}: found {why}; the fused images have the size of its ms")
    if not reduced and args.protocol not in (None, "toolbox"):
        raise UsageError(f"--protocol: found {args.protocol}, expected toolbox, the one of full resolution")
    args.protocol = args.protocol or "toolbox"
    task, columns = ("ps_reduced", protocols.PS_REDUCED[args.protocol]) if reduced else ("ps_full", protocols.PS_FULL)
    kind = f"Pansharpening, {'reduced' if reduced else 'full'} resolution"
    table = _table(args, kind, columns, task, ratio=source.ratio, sensor=source.sensor)
    _tell_order(table, fused, order, names)
    if reduced and not scenes.has_reference:
        told = "The reference is the file's ms; EXP and the fused images are of its reduction (Wald's protocol)."
        table.remark(Routine(told))
    shares = Shares(len(names), [table], "scoring", "scene")
    for index in shares:
        item = scenes.reduced(index) if reduced else scenes.full(index)
        image = _scaled(args, fused, order[index], item["lms"], source.bits)
        for note in zero_borders(item):
            shares.tables[0].remark(f"{item['name']}: {note}")
        add_scene_ps(*shares.tables, item, args.name, image, source.scale)
    return [table]


def _of_the_ms(shape: tuple[int, ...], source: PanCollection) -> bool:
    """Whether an array, in either order of axes, has the sides of the ms or of the part that Wald's protocol keeps."""
    if source.ms_sides is None:
        return False
    whole = tuple(side // source.ratio * source.ratio for side in source.ms_sides)
    return any(sides in (shape[:2], shape[-2:]) for sides in (source.ms_sides, whole))


def _tell_order(table: Table, fused: Cubes, order: list[int], names: list[str]) -> None:
    table.remark(*(f"fused: {note}" for note in fused.remarks))
    if fused.stack is None and not fused.by_name and len(names) > 1:
        first, last = (f"{fused.files[order[i]].name} is {names[i]}" for i in (0, -1))
        table.remark(f"No file has a scene's name: matched in natural order ({first}, {last}).")


def _hmf(args: argparse.Namespace) -> list[Table]:
    args.protocol = args.protocol or "group"
    columns = protocols.HMF[args.protocol]
    table = _table(args, f"Hyperspectral-multispectral fusion x{args.ratio}", columns, "hmf", ratio=args.ratio)
    trivial = "bicubic, bilinear: of the reference degraded by a 3x3 Gaussian, sigma 0.5, from index ratio/2."
    table.remark(Convention(trivial))
    references = _references(args, table)[: args.limit]
    fused = Cubes(args.fused, args.axes)
    names = [name for name, _ in references]
    order = fused.order(names)
    _tell_order(table, fused, order, names)
    shares = Shares(len(references), [table], "scoring", "scene")
    for index in shares:
        name, load = references[index]
        gt = load()
        if any(side % args.ratio for side in gt.shape[1:]):
            raise UsageError(f"{name}: found {gt.shape[1]}x{gt.shape[2]} pixels, expected sides divisible by --ratio")
        image = _scaled(args, fused, order[index], gt, args.bits or CAVE_BITS)
        srf = spectral_response() if len(gt) == len(spectral_response()) else np.ones((len(gt), 1)) / len(gt)
        add_scene_hmf(*shares.tables, name, args.name, image, gt, fusion_inputs(gt, srf, args.ratio))
    return [table]


def _references(args: argparse.Namespace, table: Table) -> list[tuple]:
    """Return (name, function that loads (B, H, W) in [0, 1]) of every reference; skipped files become remarks."""
    if args.data.is_dir() and folders_in(args.data).paths:
        there = CAVE(args.data, bits=args.bits)
        scenes = CAVE(args.data, tuple(s for s in CAVE_TEST if s in there.scenes) or None, bits=args.bits)
        table.remark(*scenes.remarks)
        return [(name, lambda i=i: scenes[i]["gt"]) for i, name in enumerate(scenes.scenes)]
    cubes = Cubes(args.data, args.axes)
    table.remark(*cubes.remarks)
    names = [f.stem if cubes.stack is None else f"{f.stem}_{i}" for i, f in enumerate(cubes.files)]
    return [(name, lambda i=i: _reference(cubes, i, args.bits)) for i, name in enumerate(names)]


def _reference(cubes: Cubes, index: int, bits: int | None) -> np.ndarray:
    """Return a reference (B, H, W) in [0, 1]: floats in [0, 1] as stored, digital numbers divided by 2**bits - 1."""
    cube = cubes.read(index, cubes.shape(index, likely=len(spectral_response())))
    file, found = cubes.files[index], f"values {listed(cube)}"
    floats = cube.min() >= 0 and cubes.dtype(index).kind == "f"
    if floats and not are_digital_numbers(cube, file, "an image in [0, 1], or digital numbers", slack=1e-3):
        return cube
    depth = bits or (8 if cubes.dtype(index) == np.uint8 else CAVE_BITS)
    if cube.max() > 2**depth - 1 or cube.min() < 0:
        raise DataError(file, found, f"0 to {2**depth - 1} (--bits)")
    if bits is None and depth == CAVE_BITS and cube.max() < USED * 2**CAVE_BITS:
        raise DataError(file, f"{found}, at most 14 bits", "16 bits, or --bits")
    return cube / (2**depth - 1)


def _scaled(args: argparse.Namespace, fused: Cubes, index: int, like: np.ndarray, bits: int) -> np.ndarray:
    """Return a fused image (B, H, W) in [0, 1]: its digital numbers divided by 2**bits - 1.

    Unless `args.fused_bits` sets the bit depth, the image is refused if its mean differs from that of `like` by more
    than a factor of three, because it then probably has another depth.

    Args:
        args: the options, with fused_bits.
        fused: the fused images.
        index: the image to read.
        like: the reference or EXP, (B, H, W) in [0, 1].
        bits: bit depth of the sources, and of the fused images by default.

    Raises:
        DataError: for images in [0, 1], or of another bit depth.
    """
    scale = 2 ** (args.fused_bits or bits) - 1
    cube = fused.read(index, like.shape)
    file, span = fused.files[index], f"values {listed(cube)}"
    if scale > 1 and 0 < np.abs(cube).max() <= 1.5:
        raise DataError(file, f"{span}, already scaled", f"digital numbers of {bits} bits, or --fused-bits 1")
    mean, usual = float(cube.mean()) / scale, float(like.mean())
    if args.fused_bits is None and mean and usual and not 1 / 3 < mean / usual < 3:
        expected = f"one near {usual * scale:.0f}, as the sources in {bits} bits have (--fused-bits for another depth)"
        raise DataError(file, f"{span}, a mean of {mean * scale:g}", expected)
    return cube / scale
