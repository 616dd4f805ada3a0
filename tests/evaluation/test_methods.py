"""--methods: rows, panels and images of the peers beside DCINN's."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cv2 import imwrite
from outputs import ended, ivf, one_line, pairs, snapshot
from skimage.io import imread

import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
from data.files.image_file import to_gray
from data.splits import split
from models import dcinn_ivf, save_checkpoint
from models.peers import AUIF, CDDFuse, build_peer
from utils.evaluation.evaluation import Evaluation
from utils.evaluation.peers import _auif_saw as auif_saw
from utils.evaluation.pick_network import Network
from utils.output.images import to_eight_bit


def authors_cddfuse():
    """What such a file of theirs holds."""
    shapes = json.loads((Path(__file__).parents[1] / "expected" / "peers_shapes.json").read_text())
    parts = ("DIDF_Encoder", "DIDF_Decoder", "BaseFuseLayer", "DetailFuseLayer")
    torch.manual_seed(0)
    return {part: {f"module.{n}": 0.1 * torch.randn(s) for n, s in shapes[part].items()} for part in parts}


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    made = {"auif": AUIF(), "cddfuse": CDDFuse()}
    for method, model in made.items():
        save_checkpoint(tmp_path / f"{method}.pth", model.eval())
    return made, {method: f"{method}={tmp_path / method}.pth" for method in made}


def test_rows_images_and_remarks(weights, tmp_path):
    models, files = weights
    options = ivf(tmp_path, "--methods", "dcinn,auif,cddfuse", "--peer-weights", *files.values())
    result = test_dcinn_ivf_tno.main([str(o) for o in options])
    rows = ["DCINN (untrained, seed 0)", "AUIF-Net (auif)", "CDDFuse (cddfuse)", "mean of the two", "max of the two"]
    for table in result["tables"]:
        assert list(table["values"]) == rows
        assert any("AUIF-Net (auif) 11,631" in remark for remark in table["remarks"])
        assert not any("TRAINING SET" in remark for remark in table["remarks"])
    networks = {n["label"]: n for n in result["networks"]}
    assert networks["CDDFuse (cddfuse)"]["parameters"] == 1_188_272
    assert networks["AUIF-Net (auif)"]["method"] == "auif"
    assert (tmp_path / "out/crops.png").is_file()
    for method, model in models.items():
        written = imread(tmp_path / f"out/fused_{method}_{method}/a.png")
        sources = [imread(tmp_path / f"set/{kind}/a.png")[None, None] / np.float32(255) for kind in ("vi", "ir")]
        with torch.inference_mode():
            fused = model(*map(torch.from_numpy, sources))[0, 0].numpy()
        assert np.array_equal(to_gray(written)[0], to_eight_bit(fused))
    assert json.loads((tmp_path / "out/metrics.json").read_text())["networks"] == result["networks"]


def test_two_files_of_a_method(weights, tmp_path, capfd):
    save_checkpoint(tmp_path / "other.pth", AUIF())
    (tmp_path / "deep").mkdir()
    save_checkpoint(tmp_path / "deep/auif.pth", AUIF())
    both = ["--methods", "dcinn,auif", "--peer-weights", weights[1]["auif"]]
    options = [str(o) for o in ivf(tmp_path, *both, f"auif={tmp_path / 'other.pth'}", "--protocol", "paper")]
    rows = test_dcinn_ivf_tno.main(options)["tables"][0]["values"]
    assert list(rows)[1:3] == ["AUIF-Net (auif)", "AUIF-Net (other)"]
    assert (tmp_path / "out/fused_auif_other/a.png").is_file()
    capfd.readouterr()
    ended(test_dcinn_ivf_tno.main, *ivf(tmp_path / "again", *both, f"auif={tmp_path / 'deep/auif.pth'}"))
    assert "found two files for AUIF-Net (auif), auif, expected other names" in one_line(capfd)
    twice = ("--methods", "dcinn,auif", "--peer-weights", "auif=untrained", "auif=untrained")
    ended(test_dcinn_ivf_tno.main, *ivf(tmp_path / "third", *twice))
    assert "found two files for AUIF-Net (untrained, seed 0), expected" in one_line(capfd)


def test_two_files_of_its_authors(tmp_path):
    files = []
    for name in ("CDDFuse_IVF", "CDDFuse_MIF"):
        torch.save(authors_cddfuse(), tmp_path / f"{name}.pth")
        files.append(f"cddfuse={tmp_path / name}.pth")
    options = ivf(tmp_path, "--methods", "dcinn,cddfuse", "--limit", 1, "--protocol", "paper", "--peer-weights", *files)
    rows = list(test_dcinn_ivf_tno.main([str(o) for o in options])["tables"][0]["values"])
    theirs = "CDDFuse (its authors' weights), "
    assert rows[1:3] == [f"{theirs}CDDFuse_IVF", f"{theirs}CDDFuse_MIF"]


def test_a_peer_without_weights_is_marked(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.evaluation.peers.PRETRAINED", tmp_path)
    result = test_dcinn_ivf_tno.main([str(o) for o in ivf(tmp_path, "--methods", "auif,dcinn", "--limit", 1)])
    assert "AUIF-Net (untrained, seed 0)" in result["tables"][0]["values"]
    assert any("AUIF-Net (untrained, seed 0): NO TRAINED" in remark for remark in result["tables"][0]["remarks"])


def test_pairs_that_a_peer_was_trained_on_are_marked(shared, tmp_path):
    weights = shared("weights/auif_detail_encoder.pth")
    clean = split("roadscene_unseen_10")[0]
    seen = sorted(set(split("roadscene_50")) - set(split("roadscene_unseen_10")))
    pairs(tmp_path / "set", clean, *seen[:2])
    options = ["--data", tmp_path / "set", "--output", tmp_path / "out", "--weights", "untrained"]
    options += ["--methods", "dcinn,auif", "--peer-weights", f"auif={weights}"]
    result = test_dcinn_ivf_rs.main([str(o) for o in options])
    assert len(seen) == 40
    for table in result["tables"]:
        assert any(r.startswith("AUIF-Net (its authors' weights): 2 of these 3 pairs") for r in table["remarks"])
    for number in range(1, 10):
        pairs(tmp_path / f"more{number}", split("roadscene_unseen_10")[number])
        for kind in ("vi", "ir"):
            file = next((tmp_path / f"more{number}/{kind}").iterdir())
            file.rename(tmp_path / "set" / kind / file.name)
    result = test_dcinn_ivf_rs.main([str(o) for o in (*options, "--split", "roadscene_unseen_10")])
    assert len(result["tables"][0]["images"]) == 10
    assert not any("TRAINING SET" in remark for remark in result["tables"][0]["remarks"])


@pytest.mark.parametrize(
    ("name", "folder", "options", "skip"),
    [
        ("CDDFuse_IVF", "ir", (), "visible"),
        ("CDDFuse_IVF", "CT", (), "sum"),
        ("CDDFuse_IVF", "PET", (), "sum"),
        ("CDDFuse_MIF", "CT", (), "none"),
        ("CDDFuse_MIF", "CT", ("--cddfuse-skip", "sum"), "sum"),
    ],
)
def test_what_the_decoder_of_cddfuse_adds(name, folder, options, skip, tmp_path):
    torch.save(authors_cddfuse(), tmp_path / f"{name}.pth")
    pairs(tmp_path / "set", "a")
    if folder != "ir":
        (tmp_path / "set/vi").rename(tmp_path / "set/MRI")
        (tmp_path / "set/ir").rename(tmp_path / "set" / folder)
    given = ["--data", tmp_path / "set", "--output", tmp_path / "out", "--weights", "untrained", "--methods"]
    given += ["dcinn,cddfuse", "--peer-weights", f"cddfuse={tmp_path / name}.pth", *options]
    result = test_dcinn_ivf_tno.main([str(o) for o in given])
    assert [n["skip"] for n in result["networks"] if n.get("method") == "cddfuse"] == [skip]
    title = "Infrared-visible" if folder == "ir" else f"MRI-{folder}"
    assert all(table["title"].startswith(f"{title} fusion") for table in result["tables"])


@pytest.mark.slow
def test_the_authors_auif_has_the_numbers_of_its_pictures(shared, tmp_path):
    """Measured by CDDFuse's evaluator on the pictures that AUIF-Net's authors published."""
    shared("datasets/cddfuse_test")
    weights = shared("weights/auif_base_encoder.pth")
    tno = {"EN": 6.922, "SD": 44.915, "SF": 12.362, "MI": 1.575, "SCD": 1.822, "VIF": 0.613, "SSIM": 0.932}
    wanted = {"TNO": tno | {"Qabf": 0.430}, "RoadScene": {"EN": 7.410, "SD": 50.67}}
    for name, metrics in wanted.items():
        options = ["--data", shared(f"datasets/cddfuse_test/{name}"), "--output", tmp_path / name]
        options += ["--methods", "dcinn,auif", "--peer-weights", f"auif={weights}", "--protocol", "cddfuse"]
        options += ["--weights", "untrained"]
        table = test_dcinn_ivf_tno.main([str(o) for o in options])["tables"][0]
        row = table["values"]["AUIF-Net (its authors' weights)"]
        for metric, value in metrics.items():
            digits = len(str(value).partition(".")[2])
            assert abs(np.mean(row[metric]) - value) < 1.01 * 10**-digits, (name, metric)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--methods", "dcinn,u2fusion"), "found 'u2fusion', expected dcinn and any of auif, cddfuse, defusion"),
        (("--methods", "auif"), "found 'auif', expected dcinn and any of"),
        (("--peer-weights", "auif=x.pth"), "found auif=x.pth, expected METHOD=FILE of a further method (none in"),
        (("--methods", "dcinn,auif", "--peer-weights", "cddfuse=x"), "found cddfuse=x, expected METHOD=FILE of a"),
        (("--methods", "dcinn,auif", "--peer-weights", "auif"), "found auif, expected METHOD=FILE"),
        (("--methods", "dcinn,auif", "--peer-weights", "auif=none.pth"), "none.pth: found no such file"),
        (
            ("--methods", "dcinn,auif", "--peer-weights", "auif=ivf_tno"),
            "found a network of dcinn, expected",
        ),
        (
            ("--methods", "dcinn,auif", "--output", "a.png", "--limit", "1"),
            "found --beside, --methods or --fused-beside",
        ),
    ],
)
def test_what_is_refused(options, words, tmp_path, capfd):
    given = [str(o) for o in ivf(tmp_path)]
    before = snapshot(tmp_path)
    ended(test_dcinn_ivf_tno.main, *given, *options)
    assert words in one_line(capfd)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", ["auif", "cddfuse"])
def test_tiny_images(method, tmp_path):
    for kind in ("vi", "ir"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for name, shape in (("a", (1, 1)), ("b", (9, 3)), ("c", (4, 30))):
            imwrite(str(tmp_path / f"set/{kind}/{name}.png"), np.full(shape, 90, np.uint8))
    options = ("--data", tmp_path / "set", "--output", tmp_path / "out", "--weights", "untrained", "--no-metrics")
    given = ("--methods", f"dcinn,{method}", "--peer-weights", f"{method}=untrained")
    test_dcinn_ivf_tno.main([str(o) for o in (*options, *given)])
    assert len(list((tmp_path / "out/fused").iterdir())) == 3


def test_training_images_of_auif_beyond_the_fifty():
    found = {name for name in ("FLIR_09999", "FLIR_video_00018", "01", *split("roadscene_50")) if auif_saw(name)}
    assert not found & {"01", *split("roadscene_unseen_10")}
    assert {"FLIR_09999", "FLIR_video_00018"} <= found
    assert len(found & set(split("roadscene_50"))) == 40


def test_one_file_of_pet_is_medical_too(tmp_path):
    for name in ("MRI", "PET"):
        (tmp_path / name).mkdir()
        image = np.random.default_rng(1).integers(0, 255, (40, 48, 3)).astype(np.uint8)
        imwrite(str(tmp_path / name / "a.png"), image if name == "PET" else image[..., 0])
    options = ("--visible", tmp_path / "MRI/a.png", "--infrared", tmp_path / "PET/a.png", "--output", tmp_path / "o")
    given = ("--methods", "dcinn,cddfuse", "--peer-weights", "cddfuse=untrained", "--weights", "untrained")
    result = test_dcinn_ivf_tno.main([str(o) for o in (*options, *given)])
    assert result["networks"][-1]["skip"] == "sum"
    assert result["tables"][0]["title"].startswith("MRI-PET")
    assert imread(tmp_path / "o/fused/a.png").shape == (40, 48, 3)


def test_a_method_that_needs_the_whole_image_is_not_given_tiles(monkeypatch):
    seen = []

    def fuse(model, a, b, *, tile, scene, done):
        seen.append((model.whole_images_only, tile, scene))
        return a

    monkeypatch.setattr("utils.evaluation.evaluation.fuse", fuse)
    dcinn = Network(dcinn_ivf("max").eval(), "ours", trained=False)
    auif = Network(build_peer("auif", {}).eval(), "theirs", trained=False)
    run = Evaluation("ivf_tno", dcinn, None, 32, others=(auif,))
    image = np.zeros((1, 64, 64), np.float32)
    for network in (dcinn, auif):
        run.fuse(image, image, network)
    assert seen == [(False, 32, True), (True, 0, False)]
