"""Pictures that other programs fused, as rows beside the networks': --fused-beside; and published pictures."""

import cv2
import numpy as np
import pytest

import test_dcinn_ivf_tno
from metrics import protocols, published
from utils.evaluation import score

NAMES = ("one", "two")
PAIRS = {"TNO": "cddfuse_test/TNO", "RoadScene": "cddfuse_test/RoadScene"}
PRINTED = {"SDNet": ("TNO", "cddfuse-tno-25"), "CDDFuse": ("RoadScene", "cddfuse-roadscene-50")}


@pytest.fixture
def folder(tmp_path):
    """pairs/vi, pairs/ir and theirs/, two images each."""
    rng = np.random.default_rng(3)
    for kind in ("pairs/vi", "pairs/ir", "theirs"):
        (tmp_path / kind).mkdir(parents=True)
        for name in NAMES:
            image = cv2.GaussianBlur(rng.integers(0, 256, (48, 64)).astype(np.uint8), (5, 5), 1.5)
            cv2.imwrite(str(tmp_path / kind / f"{name}.png"), image)
    return tmp_path


def run(folder, *options):
    words = ("--data", folder / "pairs", "--output", folder / "out", "--weights", "untrained", *options)
    return test_dcinn_ivf_tno.main([str(word) for word in words])


def test_their_row_has_the_values_that_the_metrics_give_them(folder):
    result = run(folder, "--fused-beside", f"Theirs={folder / 'theirs'}")
    scored = score.run(["--task", "ivf", "--data", str(folder / "pairs"), "--fused", str(folder / "theirs")])
    by_protocol = {table["protocol"]: table for table in scored["tables"]}
    for table in result["tables"]:
        other = by_protocol[table["protocol"]]
        assert table["values"]["Theirs (pictures)"] == other["values"]["theirs"]
        assert table["values"]["max of the two"] == other["values"]["max of the two"]
        assert table["values"]["Theirs (pictures)"] != table["values"]["DCINN (untrained, seed 0)"]
        assert any("not fused here" in line and str(folder / "theirs") in line for line in table["remarks"])
    assert (folder / "out" / "crops.png").is_file()


def test_each_picture_is_that_of_its_pair(folder):
    """The infrared images as pictures: each has SSIM 1 with its own infrared image, and its mutual information."""
    result = run(folder, "--fused-beside", f"Infrared={folder / 'pairs/ir'}", "--protocol", "cddfuse")
    table = result["tables"][0]
    for name, own in zip(NAMES, table["values"]["Infrared (pictures)"]["SSIM"], strict=True):
        infrared, visible = (cv2.imread(str(folder / "pairs" / kind / f"{name}.png"), 0) for kind in ("ir", "vi"))
        assert own == pytest.approx(protocols.ivf("cddfuse", infrared, infrared, visible)["SSIM"]())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "theirs/two.png").unlink(), "no image named two"),
        (lambda f: cv2.imwrite(str(f / "theirs/two.png"), np.zeros((48, 60), np.uint8)), "48x60 pixels"),
        (lambda f: (f / "theirs/two.png").write_bytes(b"text"), "two.png"),
    ],
)
def test_pictures_that_do_not_fit_end_with_one_line(folder, capsys, spoil, said):
    spoil(folder)
    with pytest.raises(SystemExit) as ended:
        run(folder, "--fused-beside", f"Theirs={folder / 'theirs'}")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("test_dcinn")]
    assert ended.value.code == 2
    assert said in lines[-1]
    assert not list((folder / "out").glob("**/*.png"))


@pytest.mark.parametrize("words", [("Theirs",), ("=x",), ("A=theirs", "A=theirs")])
def test_names_and_folders_come_in_twos(folder, capsys, monkeypatch, words):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        run(folder, "--fused-beside", *words)
    assert ended.value.code == 2
    assert "--fused-beside" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("method", PRINTED)
def test_published_pictures_have_the_printed_values(method, shared):
    """All eight metrics of the pictures that SDNet's and CDDFuse's authors published, to one in the last digit."""
    images, table = PRINTED[method]
    fused, pairs = (shared(f"datasets/{place}") for place in (f"published_fused/{images}/{method}", PAIRS[images]))
    words = ["--task", "ivf", "--protocol", "cddfuse", "--data", str(pairs), "--fused", str(fused)]
    found = score.run(words)["tables"][0]["summary"][method]
    printed = next(t for t in published.tables() if t.id == table).row(method)["metrics"]
    assert list(found) == list(printed)
    for name, cell in printed.items():
        assert abs(found[name]["mean"] - cell["mean"]) <= 0.0151, name
