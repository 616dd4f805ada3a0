"""Pairs as data sets ship them: which folders are taken, which names belong together, and what is refused."""

import unicodedata

import cv2
import numpy as np
import pytest

from data import DataError, PairedImages
from data.files.folders import natural


def write(root, *names):
    """Images that differ, each of its own value."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((16, 16), 10 + number, np.uint8))
    return root


def names_of(pairs, root):
    return [tuple(str(p.relative_to(root)) for p in pair) for pair in pairs.pairs]


LLVIP = [f"{kind}/{part}/{n}.jpg" for kind in ("visible", "infrared") for part in ("train", "test") for n in "12"]
MSRS = [f"{part}/{kind}/0001N.png" for part in ("train", "test") for kind in ("vi", "ir")]


def test_llvip_by_its_part(tmp_path):
    write(tmp_path, *LLVIP)
    with pytest.raises(DataError, match=r"pairs in each of test, train, expected one of them, as in --data .*test"):
        PairedImages(tmp_path)
    pairs = PairedImages(tmp_path / "test")  # no folder of this name is there
    assert names_of(pairs, tmp_path) == [(f"visible/test/{n}.jpg", f"infrared/test/{n}.jpg") for n in "12"]
    with pytest.raises(DataError, match="no such folder"):
        PairedImages(tmp_path / "val")


def test_llvip_with_one_part(tmp_path):
    write(tmp_path, *(name for name in LLVIP if "test" in name))
    pairs = PairedImages(tmp_path)
    assert len(pairs) == 2
    assert pairs.remarks == ["pairs of the subfolders test"]


def test_msrs(tmp_path):
    write(tmp_path, *MSRS)
    with pytest.raises(DataError, match=r"pairs in each of test, train, expected one of them, as in --data .*test"):
        PairedImages(tmp_path)
    assert names_of(PairedImages(tmp_path / "train"), tmp_path) == [("train/vi/0001N.png", "train/ir/0001N.png")]


@pytest.mark.parametrize("folder", ["M3FD_Fusion", "M3FD_Detection"])
@pytest.mark.parametrize(("visible", "infrared"), [("Vis", "Ir"), ("vi", "ir")])
def test_m3fd(folder, visible, infrared, tmp_path):
    write(tmp_path, f"{folder}/{visible}/00000.png", f"{folder}/{infrared}/00000.png")
    (tmp_path / folder / "Annotation").mkdir()
    assert len(PairedImages(tmp_path / folder)) == 1
    pairs = PairedImages(tmp_path)
    assert names_of(pairs, tmp_path) == [(f"{folder}/{visible}/00000.png", f"{folder}/{infrared}/00000.png")]
    assert pairs.remarks == [f"pairs of the subfolder {folder}"]


def test_flir_aligned(tmp_path):
    mixed = [f"FLIR_{n}_{what}" for n in ("00002", "00010") for what in ("RGB.jpg", "PreviewData.jpeg")]
    write(tmp_path, *(f"align/JPEGImages/{name}" for name in mixed))
    pairs = PairedImages(tmp_path)
    assert [(v.name, i.name) for v, i in pairs.pairs] == [tuple(mixed[:2]), tuple(mixed[2:])]
    assert "told apart and paired by their names" in pairs.remarks[0]
    write(tmp_path, "align/JPEGImages/FLIR_00011_RGB.jpg")
    with pytest.raises(DataError, match=r"FLIR_00011_RGB\.jpg: found no partner"):
        PairedImages(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("images_rgb_train/data/video-a-frame-1.jpg", "images_thermal_train/data/video-b-frame-1.jpg"),
        ("RGB/FLIR_1.jpg", "thermal_8_bit/FLIR_1.jpeg"),
    ],
)
def test_flir_that_is_not_registered_is_refused(names, tmp_path):
    write(tmp_path, *names)
    with pytest.raises(DataError, match=r"aligned pairs \(align/JPEGImages\).*not registered; or --visible DIR"):
        PairedImages(tmp_path)


@pytest.mark.parametrize(
    ("visible", "infrared"),
    [
        (["VIS1", "VIS2", "VIS10"], ["IR1", "IR2", "IR10"]),
        (["Kaptein_1123_Vis", "man_Vis"], ["Kaptein_1123_IR", "man_IR"]),
        (["VIS_meting003_r", "VIS_meting012-1200_r"], ["IR_meting003_g", "IR_meting012-1200_g"]),
        (["1_visible", "FLIR_2_visible"], ["1_infrared", "FLIR_2_infrared"]),
        (["a", "b"], ["a-thermal", "b-thermal"]),
        (["rgb 1", "rgb 2"], ["1 ir", "2 ir"]),
        (["manVIS", "treeVIS"], ["manIR", "treeIR"]),
        (["VIS"], ["IR"]),
    ],
)
def test_names_with_a_word_for_the_kind(visible, infrared, tmp_path):
    """In two folders, and, where both kinds have a word, in one; each with its own, none with another."""
    write(tmp_path / "two", *(f"vi/{name}.png" for name in visible), *(f"ir/{name}.bmp" for name in infrared))
    pairs = PairedImages(tmp_path / "two")
    expected = sorted(zip(visible, infrared, strict=True), key=lambda names: natural(names[0]))
    assert [(v.stem, i.stem) for v, i in pairs.pairs] == expected
    assert [pair["name"] for pair in pairs] == [v for v, _ in expected], "outputs are named as the visible file"
    assert (
        f"paired by names without the word for the kind ({expected[0][0]} with {expected[0][1]}, ...)" in pairs.remarks
    )
    if visible[0] != "a":
        write(tmp_path / "one", *(f"{name}.png" for name in (*visible, *infrared)))
        assert [(v.stem, i.stem) for v, i in PairedImages(tmp_path / "one").pairs] == expected


def test_same_names_are_not_looked_into(tmp_path):
    """The IR of FLIR is no word, and names that agree are the pairs."""
    write(tmp_path, *(f"{kind}/{name}.png" for kind in ("vi", "ir") for name in ("FLIR_1", "ir_1", "vis_1")))
    pairs = PairedImages(tmp_path)
    assert all(v.name == i.name for v, i in pairs.pairs)
    assert pairs.remarks == []


@pytest.mark.parametrize(
    ("visible", "infrared", "message"),
    [
        (["VIS1", "VIS2"], ["IR1", "IR3"], "no partner"),
        (["VIS1", "VIS_1"], ["IR1", "IR_1"], "no partner"),  # two ways
        (["IR1"], ["VIS1"], "no partner"),  # swapped
        (["a1", "a2"], ["b1", "b2"], "no partner"),
        (["FLIR_1"], ["FLVIS_1"], "no partner"),
    ],
)
def test_what_leaves_a_choice_is_refused(visible, infrared, message, tmp_path):
    write(tmp_path, *(f"vi/{name}.png" for name in visible), *(f"ir/{name}.png" for name in infrared))
    with pytest.raises(DataError, match=message):
        PairedImages(tmp_path)


def test_one_folder_with_an_image_of_no_kind(tmp_path):
    write(tmp_path, "VIS1.png", "IR1.png", "overview.png")
    with pytest.raises(DataError, match=r"overview\.png: found an image that may be of either kind"):
        PairedImages(tmp_path)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_of_either_unicode_form(forms, tmp_path):
    import test_dcinn_ivf_tno
    from utils.evaluation import score

    visible, infrared = (unicodedata.normalize(form, "café_01") for form in forms)
    write(tmp_path, f"visible/{visible}.png", f"infrared/{infrared}.png")
    for kind in ("visible", "infrared"):
        cv2.imwrite(str(next((tmp_path / kind).iterdir())), np.arange(4096, dtype=np.uint8).reshape(64, 64))
    pairs = PairedImages(tmp_path)
    assert [pair["name"] for pair in pairs] == [visible]
    pairs.keep(["café_01"])
    assert len(pairs) == 1
    out = tmp_path / "out"
    test_dcinn_ivf_tno.main(["--data", str(tmp_path), "--output", str(out), "--weights", "untrained"])
    assert [p.stem for p in (out / "fused").iterdir()] == [visible]
    fused = tmp_path / "fused"
    write(fused, f"{infrared}.png")
    cv2.imwrite(str(next(fused.iterdir())), np.arange(4096, dtype=np.uint8).reshape(64, 64))
    scored = score.run(["--task", "ivf", "--data", str(tmp_path), "--fused", str(fused), "--protocol", "paper"])
    assert len(scored["tables"]) == 1


def test_the_two_readers_of_one_folder_agree(tmp_path):
    """What `--data` of a training takes for pairs is what the test scripts take for pairs."""
    from data.pair_folders import holds_pairs

    write(tmp_path / "msrs", *MSRS)
    write(tmp_path / "llvip", *LLVIP)
    write(tmp_path / "photos", "a/1.png", "b/2.png")
    assert holds_pairs(tmp_path / "msrs")
    assert holds_pairs(tmp_path / "llvip/train")
    assert not holds_pairs(tmp_path / "photos")
    assert not holds_pairs(tmp_path / "nowhere")
