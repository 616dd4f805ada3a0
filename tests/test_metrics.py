"""The first metrics against the DLPan-Toolbox, the DCINN authors' own code, and the CDDFuse evaluator."""

import json
from pathlib import Path

import numpy as np
import pytest

from metrics import ag, d_lambda, d_s, en, ergas, psnr, qnr, sam, sd, sd_unnormalised, sf, ssim
from metrics.report import Table

EXPECTED = Path(__file__).with_name("expected")
CASE = json.loads((EXPECTED / "pansharpening.json").read_text())["case1"]
IMAGES = {k: v.astype(np.float64) for k, v in np.load(EXPECTED / "pansharpening_case1.npz").items()}
FUSED, GT, LMS, PAN = (IMAGES[k] for k in ("fused", "gt", "exp", "pan"))


def test_toolbox_values():
    assert sam(FUSED, GT) == pytest.approx(CASE["rr_full"]["SAM"], rel=1e-9)
    assert ergas(FUSED, GT, ratio=4) == pytest.approx(CASE["rr_full"]["ERGAS"], rel=1e-9)
    assert d_lambda(FUSED, LMS) == pytest.approx(CASE["qnr"]["D_lambda"], rel=1e-9)
    assert d_s(FUSED, LMS, PAN) == pytest.approx(CASE["qnr"]["D_s"], rel=1e-9)
    assert qnr(FUSED, LMS, PAN) == pytest.approx(CASE["qnr"]["QNR"], rel=1e-9)


def test_authors_values():
    fused, gt = (np.clip(x / 2047, 0, 1) for x in (FUSED, GT))
    assert psnr(fused, gt) == pytest.approx(CASE["authors"]["psnr"], rel=1e-9)
    assert ssim(fused, gt, data_range=2) == pytest.approx(CASE["authors"]["ssim_data_range_2"], rel=1e-9)
    assert ssim(fused, gt) == pytest.approx(CASE["authors"]["ssim_data_range_1"], rel=1e-9)


def test_identity_and_direction():
    assert sam(GT, GT) == pytest.approx(0, abs=1e-5)
    assert ergas(GT, GT, ratio=4) == 0
    assert ssim(GT, GT) == pytest.approx(1)
    assert psnr(GT, GT) == np.inf
    assert ergas(FUSED, GT, ratio=8) == pytest.approx(ergas(FUSED, GT, ratio=4) / 2)
    assert ergas(FUSED, GT, ratio=4) != pytest.approx(ergas(GT, FUSED, ratio=4), rel=1e-5)


def test_pixels_and_bands_of_zero():
    """A pixel without a spectrum has no angle; a band that is zero in both has no error."""
    reference, fused = np.ones((4, 4, 2)), np.ones((4, 4, 2))
    fused[..., 1] = 0  # 45 degrees
    reference[0] = 0
    assert sam(fused, reference) == pytest.approx(45)
    assert sam(fused, np.zeros((4, 4, 2))) == 0
    assert ergas(np.zeros((4, 4)), np.zeros((4, 4)), ratio=4) == 0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mean", [(0.4869953935481313e1, 11.289023674103802), (6.702746594127536, 66.72840892833733)]),
        ("max", [(4.562777423047814, 14.82855171133388), (7.019292727951752, 96.81615453526229)]),
    ],
)
def test_the_papers_own_columns_on_its_tno_pairs(name, values, shared):
    from data import PairedImages

    pairs = {p["name"]: p for p in PairedImages(shared("datasets/tno8"))}
    for pair, (entropy, spread) in zip(("10", "2"), values, strict=True):
        a, b = (np.rint(pairs[pair][k][0].astype(np.float64) * 255) for k in ("infrared", "visible"))
        fused = np.floor((a + b) / 2 + 0.5) if name == "mean" else np.maximum(a, b)
        assert en(fused) == pytest.approx(entropy, rel=1e-9)
        assert sd_unnormalised(fused) == pytest.approx(spread, rel=1e-9)


def test_cddfuse_values_and_reading(shared):
    """Evaluator of CDDFuse on pair 01 of TNO, float64; the sums show that decoding and luma agree with its reading."""
    from data import PairedImages

    pair = PairedImages(shared("datasets/cddfuse_test/TNO"))[0]
    a, b = (np.rint(pair[k][0].astype(np.float64) * 255) for k in ("infrared", "visible"))
    assert (a.sum(), b.sum()) == (56505251, 60956147)
    fused = np.rint((a + b) / 2)
    found = [en(fused), sd(fused), sf(fused), ag(fused)]
    assert found == pytest.approx([6.248375, 23.316064, 6.672203, 2.603598], abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: psnr(np.zeros((4, 4)), np.zeros((4, 5))), "expected that of the reference"),
        (lambda: sam(np.full((4, 4, 2), np.nan), np.zeros((4, 4, 2))), "NaN"),
        (lambda: ssim(np.zeros((5, 9)), np.zeros((5, 9))), "at least 7"),
        (lambda: en(np.full((4, 4), 300.0)), "0 to 255"),
        (lambda: sd(np.zeros((4, 4, 3))), r"expected \(H, W\)"),
        (lambda: d_lambda(np.zeros((40, 32, 2)), np.zeros((40, 32, 2))), "32x32 blocks"),
    ],
)
def test_arrays_that_do_not_fit_say_so(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_published_row_stands_beside_ours_only_on_the_same_images():
    table = Table("t", "ivf_tno", ("EN",))
    for name in ("2", "3", "4", "5", "6", "7", "8", "10"):
        table.images.append(name)
        table.add("ours", {"EN": lambda: 6.0})
    assert "| DCINN, paper Table 7 (TNO, 8 pairs" in table.markdown()
    table.comparable = False
    assert "| DCINN, paper" not in table.markdown()
    table.comparable = True
    assert "| ours | 6.0000 ± 0.0000 |" in table.markdown()
    table.images.append("11")
    assert "| DCINN, paper" not in table.markdown(), "more images are other images"
    table.images.pop()
    table.images[0] = "other"
    assert "| DCINN, paper" not in table.markdown()
    assert "Set apart, other images" in table.markdown()


def test_mean_sample_deviation_and_direction():
    table = Table("t", "x", ("SAM", "PSNR", "D_s"))
    for value in (1.0, 2.0, 4.0):
        table.images.append(str(value))
        table.add("ours", {m: lambda v=value: v for m in table.metrics})
    assert table.summary()["ours"]["SAM"] == {"mean": pytest.approx(7 / 3), "std": pytest.approx(1.5275252)}
    assert "| method | SAM ↓ | PSNR ↑ | D_s ↓ |" in table.markdown()


def test_a_metric_that_refuses_an_image_leaves_its_cell_empty():
    table = Table("t", "x", ("AG", "EN"))
    table.images.append("pixel")
    table.add("ours", {"AG": lambda: ag(np.zeros((1, 1))), "EN": lambda: en(np.zeros((1, 1)))})
    assert "| ours |  | 0.0000 |" in table.markdown()
    assert "AG left empty" in table.markdown()
    assert table.csv().splitlines() == ["x,pixel,ours,AG,", "x,pixel,ours,EN,0.0"]
