"""Checks data and metrics: scores baselines that need no training, and compares them with published values.

    python benchmarks/calibrate.py --cave CAVE_DIR --tno TNO_DIR --roadscene ROADSCENE_DIR --pan FILE [--output DIR]

At least one of the data options is needed. If a bicubic row misses its published value, the data or the metric differ,
and no network should be judged; the exit code is then 1. Published values are read from metrics/published.json.
"""

import argparse
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import CAVE, PairedImages
from data.hyperspectral import CAVE_TEST, fusion_inputs
from data.pan_scenes import PanScenes
from data.simulate import spectral_response
from metrics import protocols, published, table_text
from metrics.protocols import EXP
from metrics.table import Table
from utils.commandline.errors import UsageError, single_line_errors
from utils.commandline.parser import SENSOR_HELP, Parser, bit_depth, sensor
from utils.evaluation.table_rows import add_pair, add_row_ps
from utils.output.images import to_eight_bit
from utils.output.result_folder import ResultFolder

# Allowed difference of a mean from the published one: two printed digits, and copies of the data with fewer bits.
PSNR_TOLERANCE = {4: 0.03, 8: 0.05}  # ratio -> dB
RELATIVE_TOLERANCE = 0.02  # for other metrics; SAM depends on dark pixels, which fewer bits quantise


def cave(folder: Path, bits: int | None) -> tuple[list[Table], list[dict]]:
    """Return tables of interpolation of CAVE's 11 test scenes, x4 and x8, and the checks of bicubic."""
    there = CAVE(folder, bits=bits).scenes
    lacking = [scene for scene in CAVE_TEST if scene not in there]
    if lacking:
        raise UsageError(f"{folder}: found no scene {lacking[0]}, expected the 11 test scenes of the published tables")
    scenes = CAVE(folder, CAVE_TEST, bits=bits)
    tables = {
        ratio: Table(f"CAVE x{ratio}, interpolation", "hmf", protocols.HMF["group"], "group", ratio=ratio)
        for ratio in PSNR_TOLERANCE
    }
    for scene in scenes:
        for ratio, table in tables.items():
            inputs = fusion_inputs(scene["gt"], spectral_response(), ratio)
            table.image(scene["name"], scene["gt"].shape[1:])
            for row, image in (("bicubic, ours", inputs["bicubic"]), ("bilinear, ours", inputs["hsi_up"])):
                table.add(row, protocols.hmf("group", image, scene["gt"], ratio=ratio))
    checks = [c for ratio, table in tables.items() for c in _compared(table, "bicubic, ours", "bicubic", ratio)]
    return list(tables.values()), checks


def pairs(folder: Path, task: str) -> list[Table]:
    """Return tables of mean and maximum of infrared-visible pairs, by the paper's four metrics and CDDFuse's eight."""
    tables = [Table(f"{folder}: mean and max ({p})", task, columns, p) for p, columns in protocols.IVF.items()]
    for pair in PairedImages(folder):
        infrared, visible = (to_eight_bit(pair[k][0]) for k in ("infrared", "visible"))
        halves_to_even = np.rint((infrared.astype(float) + visible) / 2)  # rounding of CDDFuse's evaluator
        add_pair(tables, pair["name"], {"mean, halves to even": halves_to_even}, infrared, visible)
    return tables


def scene(file: Path, sensor: str | None, bits: int | None) -> tuple[list[Table], list[dict]]:
    """Return tables of EXP at the resolutions that a file allows, and checks if it is a test file of PanCollection."""
    scenes = PanScenes(file, sensor, bits)
    about = {"ratio": scenes.ratio, "sensor": scenes.sensor}
    kinds = ["reduced"] if scenes.has_reference else ["full"] if scenes.cannot_reduce() else ["reduced", "full"]
    tables, checks = [], []
    for kind in kinds:
        columns = protocols.PS_REDUCED["toolbox"] if kind == "reduced" else protocols.PS_FULL
        table = Table(f"{file}: EXP, {kind} resolution", f"ps_{kind}", columns, "toolbox", **about)
        if kind == "reduced" and not scenes.has_reference:
            table.remark(f"Reduced by Wald's protocol, MTF of {scenes.sensor}.")
        for index in range(len(scenes)):
            item = scenes.reduced(index) if kind == "reduced" else scenes.full(index)
            table.image(item["name"], item["lms"].shape[1:])
            add_row_ps(table, item, EXP, item["lms"], scenes.scale)
        tables.append(table)
        checks += _compared(table, EXP, "EXP", scenes.ratio)
    return tables, checks


def _compared(table: Table, ours: str, theirs: str, ratio: int) -> list[dict]:
    """Return one check per metric of the published rows for images of these names, whatever their size.

    Args:
        table: the measured table.
        ours, theirs: names of the measured and of the published row.
        ratio: resolution ratio.
    """
    same = published.comparable(table.task, table.protocol, table.images, table.ratio, table.sensor)
    rows = [t.row(theirs) for t in same if theirs in t.rows]
    found = table.summary()[ours]
    checks = []
    for row in rows:
        for metric, cell in row["metrics"].items():
            if metric not in found:
                continue
            value, goal = found[metric]["mean"], cell["mean"]
            room = PSNR_TOLERANCE.get(ratio, 0.1) if metric == "PSNR" else RELATIVE_TOLERANCE * abs(goal)
            line = {"table": table.title, "metric": metric, "ours": value, "published": goal, "source": row["source"]}
            off = None if value is None else value - goal
            checks.append({**line, "difference": off, "tolerance": room, "ok": off is not None and abs(off) <= room})
    return checks


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(description="Compare baselines that need no training with published values.", allow_abbrev=False)
    parser.add_argument("--cave", type=Path, help="folder of CAVE in its own layout, at least the 11 test scenes")
    parser.add_argument("--cave-bits", type=bit_depth, help="bit depth of that copy of CAVE (default: 16)")
    parser.add_argument("--tno", type=Path, help="folder of TNO pairs")
    parser.add_argument("--roadscene", type=Path, help="folder of RoadScene pairs")
    parser.add_argument("--pan", type=Path, help="file of pansharpening scenes: a PanCollection .h5, or a .mat")
    parser.add_argument("--sensor", type=sensor, help=f"--pan: {SENSOR_HELP} (default: the file's own)")
    parser.add_argument("--bits", type=bit_depth, help="--pan: bit depth (default: the file's own, else 11)")
    parser.add_argument("--output", type=Path, help="folder for the tables and checks (default: print only)")
    return parser


def main(argv: list[str] | None = None) -> dict:
    """Run the checks; returns tables and checks, or raises SystemExit(1) if one fails."""
    parser = options()
    args = parser.parse_args(argv)
    if not any((args.cave, args.tno, args.roadscene, args.pan)):
        parser.error("found no data, expected --cave, --tno, --roadscene or --pan")
    for path in filter(None, (args.cave, args.tno, args.roadscene, args.pan)):
        if not path.exists():
            raise UsageError(f"{path}: found no such file or folder, expected data")
    start = time.perf_counter()
    with ResultFolder(args.output) if args.output else nullcontext() as folder:  # refused before the work
        tables, checks = _measured(args)
        if folder:
            folder.write_tables(tables, {"checks": checks})
            folder.write_text("checks.md", _verdict(checks))
    print("\n".join(table_text.markdown(table) for table in tables) + "\n" + _verdict(checks))
    print(f"{time.perf_counter() - start:.0f} s")
    if not all(check["ok"] for check in checks):
        raise SystemExit(1)
    return {"tables": [table.as_dict() for table in tables], "checks": checks}


def _measured(args: argparse.Namespace) -> tuple[list[Table], list[dict]]:
    tables: list[Table] = []
    checks: list[dict] = []
    if args.cave:
        more, checked = cave(args.cave, args.cave_bits)
        tables, checks = tables + more, checks + checked
    for folder, task in ((args.tno, "ivf_tno"), (args.roadscene, "ivf_rs")):
        tables += pairs(folder, task) if folder else []
    if args.pan:
        more, checked = scene(args.pan, args.sensor, args.bits)
        tables, checks = tables + more, checks + checked
    return tables, checks


def _verdict(checks: list[dict]) -> str:
    if not checks:
        return "No published row of the same images: nothing to check against.\n"
    lines = ["| table | metric | ours | published | difference | allowed | |", "|---|---|---:|---:|---:|---:|---|"]
    for c in checks:
        ours, off = ("" if v is None else f"{v:{form}}" for v, form in ((c["ours"], ".4f"), (c["difference"], "+.4f")))
        numbers = f"{ours} | {c['published']:g} | {off} | {c['tolerance']:.4f}"
        lines.append(f"| {c['table']} | {c['metric']} | {numbers} | {'ok' if c['ok'] else 'OFF'} ({c['source']}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    single_line_errors(main)()
