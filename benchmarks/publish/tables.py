"""Measures the weights in pretrained/ on all data sets at hand; writes the results, or compares them with earlier ones.

    python benchmarks/publish/tables.py --datasets DIR                write all tables to pretrained/results/NAME.json
    python benchmarks/publish/tables.py --datasets DIR --only tno8    write one table
    python benchmarks/publish/tables.py --datasets DIR --check        write nothing, compare with pretrained/results

DIR holds the folders and files that are named in TABLES. A table without its data is left out, with a printed line.
"""

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import test_dcinn_hmf
import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
import test_peers
from data.files.atomic import write_whole
from models.weights.files import PRETRAINED
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.evaluation import score
from utils.evaluation.parser import evaluation_script


def scored(words: list[str]) -> dict:
    """Run `python -m metrics` and return the content of metrics.json.

    Args:
        words: the options, with --device and its value, which are removed, as no network runs; the working directory is
            DIR, so "DIR/" is removed from paths.
    """
    place = words.index("--device")
    return score.run([word.removeprefix("DIR/") for word in (*words[:place], *words[place + 2 :])])


def photographs(words: list[str]) -> dict:
    """Run `test_peers.py multifocus` with these options, and return the content of metrics.json."""
    return test_peers.main(["multifocus", *words])


MULTIFOCUS = "test_peers.py multifocus"
SCORE, OF_PICTURES = "-m metrics", ("--task", "ivf", "--protocol", "cddfuse", "--fused")
SCRIPTS = {
    "test_dcinn_ps.py": test_dcinn_ps.main,
    "test_dcinn_hmf.py": test_dcinn_hmf.main,
    "test_dcinn_ivf_rs.py": test_dcinn_ivf_rs.main,
    "test_dcinn_ivf_tno.py": test_dcinn_ivf_tno.main,
    SCORE: scored,
    MULTIFOCUS: photographs,
}
RESULTS = PRETRAINED / "results"
WV2_TEST_ROWS = "192:320"  # rows of the WorldView-2 scene to test on; 0:160 are trained on, 160:192 validated on
RELEASED = {  # placeholder of an authors' file in the commands -> option that names the file
    "AUTHORS_WV3.pth": "released_ps",
    "AUTHORS_auif_decoder.pth": "released_auif",
}
METHODS = ("--methods", "dcinn,auif,cddfuse,defusion", "--weights", "ivf_tuned", "--protocol", "cddfuse")
BOTH_AUIF = ("--peer-weights", "auif=peers/auif", "auif=AUTHORS_auif_decoder.pth")
BESIDE = ("--beside", "ivf_tuned", "ivf_contrast")
PICTURES = "DIR/published_fused"  # fused images that the authors of other methods published
BESIDE_TNO = ("--fused-beside", f"SDNet={PICTURES}/TNO/SDNet", f"U2Fusion={PICTURES}/TNO/U2Fusion")
BESIDE_ROADSCENE = ("--fused-beside", f"CDDFuse={PICTURES}/RoadScene/CDDFuse")
SPOT6 = ("--sensor", "none", "--bits", "12")
TOLERANCE = {"PSNR": 0.01}  # allowed difference in dB; 1e-3 for all other metrics


@dataclass(frozen=True)
class Entry:
    """The command of a result.

    Attributes:
        script: the script with its positional arguments, a key of `SCRIPTS`.
        data: path of the data in DIR, the folder of all data sets.
        options: further options.
    """

    script: str
    data: str
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command line, as documents show it."""
        return " ".join(("python", self.script, "--data", f"DIR/{self.data}", *self.options))


TABLES = {
    "tno8": Entry("test_dcinn_ivf_tno.py", "tno8", BESIDE),
    "tno8_mean": Entry("test_dcinn_ivf_tno.py", "tno8", ("--base-rule", "mean", "--protocol", "paper")),
    "tno25": Entry("test_dcinn_ivf_tno.py", "cddfuse_test/TNO", (*BESIDE, *BESIDE_TNO)),
    "roadscene50": Entry("test_dcinn_ivf_rs.py", "cddfuse_test/RoadScene", (*BESIDE, *BESIDE_ROADSCENE)),
    "mri_ct": Entry("test_dcinn_ivf_tno.py", "medical/MRI_CT", BESIDE),
    "cave_x4": Entry("test_dcinn_hmf.py", "cave", ("--bits", "12")),
    "cave_x8": Entry("test_dcinn_hmf.py", "cave", ("--bits", "12", "--ratio", "8")),
    "wv2_released": Entry(
        "test_dcinn_ps.py", "pansharpening/wv2.mat", ("--rows", WV2_TEST_ROWS, "--weights", "AUTHORS_WV3.pth")
    ),
    "methods_tno25": Entry("test_dcinn_ivf_tno.py", "cddfuse_test/TNO", (*METHODS, *BOTH_AUIF)),
    "methods_roadscene50": Entry("test_dcinn_ivf_rs.py", "cddfuse_test/RoadScene", (*METHODS, *BOTH_AUIF)),
    "methods_mri_ct": Entry("test_dcinn_ivf_tno.py", "medical/MRI_CT", METHODS),
    "lytro": Entry(MULTIFOCUS, "lytro"),
    "wv2": Entry("test_dcinn_ps.py", "pansharpening/wv2.mat", ("--rows", WV2_TEST_ROWS)),
    "ps4_ikonos": Entry("test_dcinn_ps.py", "four_band/ikonos.mat", ("--rows", "224:320", "--sensor", "IKONOS")),
    "ps4_quickbird": Entry("test_dcinn_ps.py", "four_band/quickbird_fr.mat", ("--rows", "192:256", "--sensor", "QB")),
    "ps4_spot6_cropland": Entry("test_dcinn_ps.py", "four_band/spot6_cropland.mat", ("--rows", "192:256", *SPOT6)),
    "ps4_spot6_vegetation": Entry("test_dcinn_ps.py", "four_band/spot6_vegetation.mat", ("--rows", "192:256", *SPOT6)),
    "ps4_gf2": Entry("test_dcinn_ps.py", "four_band/gf2_fr_0.mat", ("--sensor", "GF2")),
    # Pictures that other authors published, scored here: the metrics are those of the printed rows.
    "published_tno25": Entry(SCORE, "cddfuse_test/TNO", (*OF_PICTURES, "DIR/published_fused/TNO/SDNet")),
    "published_roadscene50": Entry(
        SCORE, "cddfuse_test/RoadScene", (*OF_PICTURES, "DIR/published_fused/RoadScene/CDDFuse")
    ),
}


def differences(found: dict, expected: dict) -> list[tuple[float, str]]:
    """Compare all means of two results.

    Args:
        found, expected: the results, each the content of a metrics.json.

    Returns:
        (difference divided by its tolerance, text naming table, method, metric and both values) of every mean, the
        largest first.

    Raises:
        UsageError: if methods or metrics are not the same.
    """
    listed = []
    for a, b in zip(found["tables"], expected["tables"], strict=True):
        if list(a["summary"]) != list(b["summary"]) or list(a["metrics"]) != list(b["metrics"]):
            raise UsageError(f"found the rows {list(a['summary'])}, expected {list(b['summary'])}")
        for method, row in b["summary"].items():
            for metric, cell in row.items():
                now, then = a["summary"][method][metric]["mean"], cell["mean"]
                off = 0.0 if now == then else float("inf") if None in (now, then) else abs(now - then)
                listed.append(
                    (off / TOLERANCE.get(metric, 1e-3), f"{a['protocol']}, {method}, {metric}: {now}, was {then}")
                )
    return sorted(listed, reverse=True)


def measured(entry: Entry, folder: Path, device: str) -> dict:
    """Run the command of an entry, and return its metrics.json without the list of files.

    Args:
        entry: the entry.
        folder: the folder of all data sets; it is the working directory meanwhile, so that tables name the data
            relative to it.
        device: the value of --device.
    """
    before = Path.cwd()
    output = Path(tempfile.mkdtemp())
    os.chdir(folder)
    try:
        options = [word.replace("=DIR/", "=") for word in entry.options]
        words = ["--data", entry.data, *options, "--device", device, "--output", str(output / "run")]
        with redirect_stdout(io.StringIO()):
            SCRIPTS[entry.script](words)
        result = json.loads((output / "run/metrics.json").read_text(encoding="utf-8"))
        return {key: value for key, value in result.items() if key != "files"}
    finally:
        os.chdir(before)
        shutil.rmtree(output)


def main(argv: list[str] | None = None) -> int:
    """Run with these options; returns 1 where --check found a difference over its tolerance."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of all data sets")
    only = "tables to measure (default: all)"
    parser.add_argument("--only", nargs="+", choices=tuple(TABLES), default=tuple(TABLES), help=only)
    parser.add_argument("--released-ps", type=Path, help="the authors' WV3 weights, for the table wv2_released")
    parser.add_argument("--released-auif", type=Path, help="a file of AUIF-Net's authors, for the tables methods_...")
    parser.add_argument("--check", action="store_true", help="compare with pretrained/results, and write nothing")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the networks run")
    args = parser.parse_args(argv)
    if not args.datasets.is_dir():
        raise UsageError(f"{args.datasets}: found no such folder, expected one of data sets")
    failed = False
    for name in args.only:
        entry, file = TABLES[name], RESULTS / f"{name}.json"
        lacking = _lacking(entry, args)
        if lacking:
            print(f"{name}: left out, {lacking}")
            failed |= args.check  # a table that was not compared is not confirmed
            continue
        if args.check and not file.is_file():
            raise UsageError(f"{file}: found no such file, expected the numbers to compare with")
        options = entry.options
        for mark, option in RELEASED.items():
            given = getattr(args, option)
            options = tuple(word.replace(mark, str(given.resolve())) if given else word for word in options)
        result = measured(replace(entry, options=options), args.datasets, args.device)
        if args.check:
            worst = differences(result, json.loads(file.read_text(encoding="utf-8")))[0]
            failed |= not worst[0] <= 1
            print(f"{name}: largest difference {worst[0]:.3g} of what is allowed ({worst[1]})")
        elif entry.script != SCORE and result["networks"][0]["sha256"] is None and "untrained" not in entry.options:
            raise UsageError(f"{name}: found no weights in {PRETRAINED}, expected some to measure")
        else:
            RESULTS.mkdir(exist_ok=True)
            write_whole(file, json.dumps({**result, "command": entry.command}, indent=1) + "\n")
            print(f"{name}: kept in {file}")
    return int(failed)


def _lacking(entry: Entry, args: argparse.Namespace) -> str | None:
    """Return a text on the first thing that a table needs and that is missing: data, or an option; None if none is."""
    places = [entry.data, *(option.removeprefix("DIR/") for option in entry.options if option.startswith("DIR/"))]
    for place in places:
        if not (args.datasets / place).exists():
            return f"no {place} in {args.datasets}"
    options = " ".join(entry.options)
    wanted = [option for mark, option in RELEASED.items() if mark in options and getattr(args, option) is None]
    return f"no --{wanted[0].replace('_', '-')}" if wanted else None


if __name__ == "__main__":
    sys.exit(evaluation_script(main, program="tables.py")())
