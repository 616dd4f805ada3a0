"""Lists of images that are not trained on: those of published tables, and those that ours are chosen by.

roadscene_50: RoadScene's test pairs in CDDFuse (Zhao et al., CVPR 2023), read off its repository.
roadscene_held_21: RoadScene's pairs that ours are chosen by: the last 21 by name without those 50 (`--hold-back 21`).
roadscene_unseen_10: those of the 50 that AUIF-Net's authors did not train on (found by their bytes).
cave_11: CAVE's test scenes (Deng et al., IJCAI 2023, Fig. 4).
"""

from pathlib import Path

FOLDER = Path(__file__).parent


def split(name: str) -> tuple[str, ...]:
    """The names of a list, without suffixes.

    Raises:
        ValueError: for a list that is not there.
    """
    file = FOLDER / f"{name}.txt"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.txt")))
        raise ValueError(f"split: found no list {name}, expected one of {known}")
    return tuple(file.read_text(encoding="utf-8").split())
