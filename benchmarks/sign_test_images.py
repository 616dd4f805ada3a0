"""Write data/splits/test_images.csv, by which renamed or copied test images are recognised.

    python benchmarks/sign_test_images.py DIR       DIR holds cddfuse_test, tno8, medical and cave (12 bits: --bits 12)

The file has a row for each image of the pairs on which CDDFuse and DCINN are tested, and for the middle band of each of
CAVE's test scenes.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import CAVE, PairedImages
from data.files.image_file import read_raster, to_gray, to_unit
from data.hyperspectral import CAVE_TEST
from data.patches.training_images import MIDDLE
from data.splits.test_images import FILE, cell_means

PAIRS = {
    "roadscene_50": "cddfuse_test/RoadScene",
    "tno_25": "cddfuse_test/TNO",
    "tno_8": "tno8",
    "mri_ct_21": "medical/MRI_CT",
}


def main() -> None:
    """Read the folders, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the data sets: cddfuse_test, tno8, medical and cave")
    parser.add_argument("--bits", type=int, help="bit depth of CAVE's bands (default: 16)")
    args = parser.parse_args()
    rows = []
    for name, place in PAIRS.items():
        for pair in PairedImages(args.folder / place).pairs:
            rows += [(name, pair[0].stem, *signature(path)) for path in pair]
    cave = CAVE(args.folder / "cave", CAVE_TEST, args.bits)
    rows += [("cave_11", scene, *signature(cave.files[scene][MIDDLE], cave.bits)) for scene in CAVE_TEST]
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("set", "name", "height", "width", "means"))
        writer.writerows(rows)
    print(f"{len(rows)} images in {FILE}")


def signature(path: Path, bits: int | None = None) -> tuple[int, int, str]:
    """Return height, width, and the means of `cell_means` in hexadecimal digits."""
    image = to_unit(to_gray(read_raster(path))[0], path, bits)[0]
    return *image.shape, np.rint(cell_means(image)).astype(np.uint8).tobytes().hex()


if __name__ == "__main__":
    main()
