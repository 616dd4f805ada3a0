"""Pansharpening and hyperspectral metrics against the DLPan-Toolbox and the DCINN authors' own code."""

import json
from pathlib import Path

import numpy as np
import pytest

from metrics import (
    cut_border,
    d_lambda,
    d_lambda_k,
    d_s,
    ergas,
    hqnr,
    psnr,
    q2n,
    q2n_map,
    qnr,
    released,
    sam,
    scc,
    ssim,
    uqi,
)

EXPECTED = Path(__file__).parents[1] / "expected"
GOLDEN = json.loads((EXPECTED / "pansharpening_metrics.json").read_text())
CASES = ("case1", "case3")
IMAGES = {c: dict(np.load(EXPECTED / f"pansharpening_{c}.npz")) for c in CASES}
SENSORS = {"case1": ("WV3", "WV2"), "case3": ("QB", "IKONOS", "GeoEye1", "GF2")}
RNG = np.random.default_rng(3)


def scaled(case, name, dtype):
    return np.clip(IMAGES[case][name].astype(dtype) / dtype(2047), 0, 1)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("setting", ["rr_full", "rr_full_th1", "rr_cut21", "rr_cut21_th1", "rr_identity"])
def test_toolbox_at_reduced_resolution(case, setting):
    fused, gt = (IMAGES[case][k] for k in ("fused", "gt"))
    fused = gt if setting == "rr_identity" else fused
    if "cut21" in setting:
        fused, gt = cut_border(fused), cut_border(gt)
    if "th1" in setting:
        fused = np.clip(fused, 0, 2**11)
    expected = GOLDEN[case]["toolbox"][setting]
    found = {
        "SAM": sam(fused, gt),
        "ERGAS": ergas(fused, gt, ratio=4),
        "SCC": scc(fused, gt),
        "Q": uqi(fused, gt),
        "Q2n": q2n(fused, gt),
    }
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_q2n_block_by_block(case):
    found = q2n_map(IMAGES[case]["fused"], IMAGES[case]["gt"])
    assert found == pytest.approx(np.array(GOLDEN[case]["toolbox"]["Q2n_map"]), rel=1e-10)


@pytest.mark.parametrize(("case", "sensor"), [(c, s) for c in CASES for s in SENSORS[c]])
def test_toolbox_hqnr(case, sensor):
    images, expected = IMAGES[case], GOLDEN[case]["toolbox"]
    for key, fused in ((f"hqnr_{sensor}", images["fused"]), (f"hqnr_EXP_{sensor}", images["exp"])):
        assert d_lambda_k(fused, images["exp"], sensor=sensor) == pytest.approx(expected[key]["D_lambda_K"], rel=1e-9)
        assert d_s(fused, images["exp"], images["pan"]) == pytest.approx(expected[key]["D_s"], rel=1e-9)
        found = hqnr(fused, images["exp"], images["pan"], sensor=sensor)
        assert found == pytest.approx(expected[key]["HQNR"], rel=1e-10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("key", "name"), [("qnr", "fused"), ("qnr_of_gt", "gt")])
def test_toolbox_qnr(case, key, name):
    images, expected = IMAGES[case], GOLDEN[case]["toolbox"][key]
    fused, exp = images[name], images["exp"]
    assert d_lambda(fused, exp) == pytest.approx(expected["D_lambda"], rel=1e-9)
    assert d_s(fused, exp, images["pan"]) == pytest.approx(expected["D_s"], rel=1e-9)
    assert qnr(fused, exp, images["pan"]) == pytest.approx(expected["QNR"], rel=1e-10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_authors_own_four(case, dtype):
    """float64 to 1e-10; their float32 sums depend on the order of addition, hence on memory layout and NumPy."""
    expected = GOLDEN[case]["authors"][np.dtype(dtype).name]
    fused, gt = (scaled(case, k, dtype) for k in ("fused", "gt"))
    close = 1e-10 if dtype is np.float64 else 3e-4
    assert released.psnr(fused, gt, dtype=dtype) == pytest.approx(expected["cal_psnr"], rel=close)
    assert released.ergas(fused, gt, dtype=dtype) == pytest.approx(expected["compute_ergas(out,gt)"], rel=close)
    swapped = expected["compute_ergas_swapped(gt,out)_as_in_test_scripts"]
    assert released.ergas(gt, fused, dtype=dtype) == pytest.approx(swapped, rel=close)
    assert released.sam(fused, gt, dtype=dtype) == pytest.approx(expected["compute_sam"], rel=close)
    assert released.ssim(fused, gt, dtype=dtype) == pytest.approx(expected["compute_ssim_unmodified"], rel=1e-8)
    identity = released.sam(gt, gt, dtype=dtype)
    if dtype is np.float64:
        assert identity == pytest.approx(expected["compute_sam_identity"], rel=1e-9)
    else:
        assert np.isnan(identity), "a cosine over 1 poisons the mean"


@pytest.mark.parametrize("case", CASES)
def test_psnr_and_ssim_are_those_of_the_authors_but_for_the_data_range(case):
    expected = GOLDEN[case]["authors"]["float64"]
    fused, gt = (scaled(case, k, np.float64) for k in ("fused", "gt"))
    assert psnr(fused, gt) == pytest.approx(expected["cal_psnr"], rel=1e-10)
    assert psnr(2047 * fused, 2047 * gt, peak=2047) == pytest.approx(expected["cal_psnr"], rel=1e-10)
    assert ssim(fused, gt) == pytest.approx(expected["ssim_data_range_1"], rel=1e-10)
    assert ssim(2047 * fused, 2047 * gt, data_range=2047) == pytest.approx(expected["ssim_data_range_1"], rel=1e-10)
    assert ssim(fused, gt, data_range=2) == pytest.approx(expected["ssim_data_range_2"], rel=1e-10)


def test_released_metrics_clamp_and_count_black_pixels():
    reference, fused = np.full((8, 8, 2), 0.5), np.full((8, 8, 2), 0.5)
    fused[0, 0] = 0
    equal = np.degrees(np.arccos(0.5 / (0.5 + 1e-7)))
    assert released.sam(fused, reference) == pytest.approx((90 + 63 * equal) / 64, rel=1e-6)
    assert released.psnr(np.full((8, 8), 3.0), np.ones((8, 8))) == np.inf, "clamped to 1"
    assert released.ergas(np.full((8, 8), 0.6), np.full((8, 8), 0.5)) == pytest.approx(25 * 0.2, rel=1e-5)


def test_identity_and_direction():
    fused, gt = (IMAGES["case1"][k] for k in ("fused", "gt"))
    real = gt / 1337.7
    assert sam(real, real) == pytest.approx(0, abs=2e-6)
    assert ergas(real, real, ratio=4) == 0
    assert uqi(real, real) == pytest.approx(1, abs=1e-9)
    assert ssim(gt, gt, data_range=2047) == pytest.approx(1)
    assert psnr(gt, gt, peak=2047) == np.inf
    assert ergas(fused, gt, ratio=8) == pytest.approx(ergas(fused, gt, ratio=4) / 2)
    assert ergas(gt, fused, ratio=4) == pytest.approx(GOLDEN["case1"]["toolbox"]["ERGAS_swapped"], rel=1e-10)
    assert q2n(fused, gt) != pytest.approx(q2n(gt, fused), rel=1e-6), "normalised by the reference"
    assert d_lambda(gt, gt) == 0
    exp = IMAGES["case1"]["exp"]
    assert d_lambda_k(exp, exp, sensor="WV3") > 0.01, "blurred once more"


def test_units_do_not_matter_where_they_should_not():
    fused, gt, exp, pan = (IMAGES["case1"][k].astype(float) for k in ("fused", "gt", "exp", "pan"))
    for metric in (sam, scc, uqi, lambda a, b: ergas(a, b, ratio=4)):
        assert metric(fused / 2047, gt / 2047) == pytest.approx(metric(fused, gt), rel=1e-9)
    assert qnr(fused / 2047, exp / 2047, pan / 2047) == pytest.approx(qnr(fused, exp, pan), rel=1e-9)


def test_pixels_and_bands_of_zero():
    """A pixel without a spectrum has no angle; a band that is zero in both has no error."""
    reference, fused = np.ones((4, 4, 2)), np.ones((4, 4, 2))
    fused[..., 1] = 0  # 45 degrees
    reference[0] = 0
    assert sam(fused, reference) == pytest.approx(45)
    assert np.isnan(sam(fused, np.zeros((4, 4, 2)))), "no pixel has an angle"
    assert ergas(np.zeros((4, 4)), np.zeros((4, 4)), ratio=4) == 0
    assert ergas(np.ones((4, 4)), np.zeros((4, 4)), ratio=4) == np.inf
    assert np.isnan(scc(np.ones((6, 6)), np.zeros((6, 6))))
    assert scc(np.ones((6, 6)), 3 * np.ones((6, 6))) == pytest.approx(1), "the gradients of the border"


@pytest.mark.parametrize("level", [7, 0.1, 1 / 3])
def test_uqi_of_constant_windows(level):
    """Both constant: luminance alone; both zero: 1; one constant: nothing in common but the level, 0."""
    flat = np.full((40, 40), level)
    assert uqi(flat, flat) == pytest.approx(1)
    assert uqi(flat, 2 * flat) == pytest.approx(2 * 2 / 5)
    assert uqi(np.zeros((32, 32)), np.zeros((32, 32))) == 1
    assert uqi(flat, np.zeros((40, 40))) == 0
    assert uqi(RNG.random((40, 40)), flat) == pytest.approx(0, abs=1e-9)


def test_q2n_of_constant_and_zero_blocks():
    flat = np.full((32, 32, 4), 100.0)
    assert q2n(flat, flat) == 1, "no spread at all: the bias alone, of equal means"
    other = flat.copy()
    other[3, 4, 1] += 1
    assert q2n(other, flat) == pytest.approx(0, abs=1e-6), "a deviation of machine epsilon magnifies any difference"
    black = np.zeros((32, 32, 4))
    assert q2n(black, black) == 1
    assert 0 <= q2n(flat, black) < 1
    assert q2n_map(np.zeros((65, 33, 3)), np.zeros((65, 33, 3))).shape == (3, 2)


@pytest.mark.parametrize("bands", [1, 2, 3, 5, 9])
def test_q2n_of_any_number_of_bands(bands):
    """Bands of zeros are added to a power of two, so adding them by hand changes nothing; noise lowers it."""
    gt = RNG.integers(0, 2047, (64, 64, bands))
    fused = np.clip(gt + RNG.integers(-300, 300, gt.shape), 0, 2047)
    missing = (1 << (bands - 1).bit_length()) - bands
    padded = [np.pad(x, ((0, 0), (0, 0), (0, missing))) for x in (fused, gt)]
    assert q2n(gt, gt) == pytest.approx(1, abs=1e-12)
    assert 0.5 < q2n(fused, gt) < 1
    assert q2n(fused, gt) == pytest.approx(q2n(*padded), rel=1e-12)
    if bands == 1:
        assert q2n(fused, gt) == pytest.approx(_uqi_sample(fused[..., 0], gt[..., 0]), rel=1e-9)


def _uqi_sample(f, g):
    """One band of Q2n by hand: the quality index of the normalised blocks, sample covariance."""
    values = []
    for i in range(0, 64, 32):
        for j in range(0, 64, 32):
            x, y = (v[i : i + 32, j : j + 32].astype(float).ravel() for v in (g, f))
            mean, deviation = x.mean(), x.std(ddof=1)
            x, y = (x - mean) / deviation + 1, (y - mean) / deviation + 1
            (xx, xy), (_, yy) = np.cov(x, y)
            values.append(abs(4 * xy * x.mean() * y.mean() / ((xx + yy) * (x.mean() ** 2 + y.mean() ** 2))))
    return np.mean(values)


def test_cut_border():
    rows = np.tile(np.arange(256)[:, None], (1, 256))
    assert cut_border(rows).shape == (215, 215)
    assert (cut_border(rows)[0, 0], cut_border(rows)[-1, 0]) == (20, 234)
    assert cut_border(np.zeros((42, 42, 3))).shape == (1, 1, 3)
