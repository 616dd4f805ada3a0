"""Lists of images that are not trained on: the images of published tables, and the validation images of our trainings.

roadscene_50: RoadScene's test pairs in CDDFuse (Zhao et al., CVPR 2023), as in its repository.
roadscene_held_21: RoadScene's pairs that validate our trainings (`--hold-back 21`): the last 21 names not in the 50.
roadscene_unseen_10: the ten of the 50 that AUIF-Net's authors did not train on (known by comparing the files' bytes).
cave_11: CAVE's test scenes (Deng et al., IJCAI 2023, Fig. 4).
"""

from pathlib import Path

FOLDER = Path(__file__).parent


def split(name: str) -> tuple[str, ...]:
    """Return the image names of a list, without suffixes.

    Raises:
        ValueError: for an unknown list.
    """
    file = FOLDER / f"{name}.txt"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.txt")))
        raise ValueError(f"split: found no list {name}, expected one of {known}")
    return tuple(file.read_text(encoding="utf-8").split())
