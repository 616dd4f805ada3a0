"""Infrared-visible metrics against the CDDFuse evaluator, Matlab's MEF-SSIM, and slow loops over the definitions."""

import json
from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest

from data import PairedImages
from metrics import ag, cc, en, entropy_twice, mef_ssim, mi, ms_ssim, qabf, scd, sd, sd_unnormalised, sf, ssim_sum, viff
from metrics.fusion import mse, psnr_to_sources
from metrics.mef_ssim_index import _quality

EXPECTED = Path(__file__).parents[1] / "expected"
EVALUATOR = json.loads((EXPECTED / "fusion_metrics.json").read_text())["first6"]
PAPER = json.loads((EXPECTED / "paper_ivf_metrics.json").read_text())
RNG = np.random.default_rng(4)
A, B, F = (RNG.integers(0, 256, (48, 56)) for _ in range(3))


def pairs(folder):
    """name -> infrared, visible in whole gray values."""
    images = PairedImages(folder)
    return {p["name"]: [np.rint(p[k][0].astype(float) * 255) for k in ("infrared", "visible")] for p in images}


@pytest.fixture(scope="session")
def cddfuse_pairs(shared):
    return {s: pairs(shared(f"datasets/cddfuse_test/{s}")) for s in ("TNO", "RoadScene")}


@pytest.mark.parametrize(
    "key", [k if k.endswith("mean") else pytest.param(k, marks=pytest.mark.slow) for k in EVALUATOR]
)
def test_the_cddfuse_evaluator(key, cddfuse_pairs):
    """Six pairs of TNO and RoadScene; the sums of the sources show that decoding and luma agree with its reading."""
    folder, rule = key.split("/")
    for item in EVALUATOR[key]:
        a, b = cddfuse_pairs[folder][Path(item["name"]).stem]
        f = np.rint((a + b) / 2) if rule == "mean" else np.maximum(a, b)
        assert (a.sum(), b.sum(), f.sum()) == (item["sum_ir"], item["sum_vi"], item["sum_fused"])
        found = {
            "EN": en(f),
            "SD": sd(f),
            "SF": sf(f),
            "AG": ag(f),
            "MI": mi(f, a, b),
            "MSE": mse(f, a, b),
            "CC": cc(f, a, b),
            "PSNR": psnr_to_sources(f, a, b),
            "SCD": scd(f, a, b),
            "VIFF": viff(f, a, b),
            "Qabf": qabf(f, a, b),
            "SSIM": ssim_sum(f, a, b),
            "SSIM_L255_sum": ssim_sum(f, a, b, data_range=255),
        }
        expected = {name: item["float64"][name] for name in found}
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-6)
        for name, exact in (("pytorch_msssim", 6e-6), ("torchmetrics", 1e-6)):  # the former's Gaussian is float32
            mean = np.mean(item["ms_ssim_[ir,vi]"][f"MS_SSIM_{name}"])
            assert ms_ssim(f, a, b, convention=name.replace("_", "-")) == pytest.approx(mean, abs=exact)
        assert 0.005 < qabf(f, a, b, corrected=True) - qabf(f, a, b) < 0.06


@pytest.mark.parametrize("rule", ["mean", "max"])
def test_the_papers_own_columns_on_its_tno_pairs(rule, shared):
    sources = pairs(shared("datasets/tno8"))
    for name, expected in PAPER[rule].items():
        a, b = sources[Path(name).stem]
        f = np.floor((a + b) / 2 + 0.5) if rule == "mean" else np.maximum(a, b)
        assert en(f) == pytest.approx(expected["EN"], rel=1e-9)
        assert entropy_twice(f) == pytest.approx(2 * expected["EN"], rel=1e-9)
        assert sd_unnormalised(f) == pytest.approx(expected["SD_unnormalised"], rel=1e-9)
        assert mef_ssim(f, a, b) == pytest.approx(expected["MEF_MS_SSIM"], rel=1e-8)


def test_mutual_information_by_counting():
    a, b, f = (np.rint(x / 40) for x in (A, B, F))
    f[:20] = a[:20]
    expected = 0
    for source in (a, b):
        joint = Counter(zip(f.ravel(), source.ravel(), strict=True))
        left, right, n = Counter(f.ravel()), Counter(source.ravel()), f.size
        expected += sum(c / n * log(c * n / (left[x] * right[y])) for (x, y), c in joint.items())
    assert mi(f, a, b) == pytest.approx(expected, rel=1e-12)
    assert mi(f, a, b, bits=True) == pytest.approx(expected / log(2), rel=1e-12)
    assert mi(f, f, np.zeros_like(f), bits=True) == pytest.approx(en(f))


def test_correlations_and_errors_by_numpy():
    assert cc(F, A, B) == pytest.approx((np.corrcoef(A.ravel(), F.ravel())[0, 1] + _r(B, F)) / 2)
    assert scd(F, A, B) == pytest.approx(_r(A, F - B) + _r(B, F - A))
    assert scd(F, A, B) != pytest.approx(_r(A, F - A) + _r(B, F - B))
    assert np.isnan(cc(np.full_like(A, 9), A, B))


def _r(x, y):
    return np.corrcoef(x.ravel(), y.ravel())[0, 1]


@pytest.mark.parametrize("corrected", [False, True])
def test_qabf_pixel_by_pixel(corrected):
    a, b, f = A[:12, :10].copy(), B[:12, :10].copy(), F[:12, :10].copy()
    f[:6], a[8:, 5:], b[8:, 5:], f[8:, 5:] = a[:6], 50, 90, 70  # equal gradients, and none
    kept = total = 0.0
    for source in (a, b):
        for i in range(12):
            for j in range(10):
                (strength, angle), (strength_f, angle_f) = _sobel(source, i, j), _sobel(f, i, j)
                if strength == strength_f:
                    gain = 1 if corrected else strength_f
                else:
                    gain = min(strength, strength_f) / max(strength, strength_f)
                away = abs(angle - angle_f)
                turn = abs(away - np.pi / 2) / (np.pi / 2) if corrected else 1 - away / (np.pi / 2)
                q = 0.9994 / (1 + np.exp(-15 * (gain - 0.5))) * 0.9879 / (1 + np.exp(-22 * (turn - 0.8)))
                kept, total = kept + q * strength, total + strength
    assert qabf(f, a, b, corrected=corrected) == pytest.approx(kept / total, rel=1e-10)


def _sobel(image, i, j):
    at = np.pad(image.astype(float), 1)[i : i + 3, j : j + 3]
    x = (at[:, 2] - at[:, 0]) @ [1, 2, 1]
    y = (at[0] - at[2]) @ [1, 2, 1]
    # true convolution turns both signs round, which leaves strength and angle as they are
    return np.hypot(x, y), np.pi / 2 if x == 0 else np.arctan(-y / -x)


def test_mef_ssim_patch_by_patch():
    """One scale as Ma, Zeng and Wang write it: the ideal patch built pixel by pixel."""
    f, sources = F[:20, :18].astype(float), [A[:20, :18].astype(float), B[:20, :18].astype(float)]
    sources[0][:11, :11] = 80  # a flat patch
    distance = np.arange(11) - 5
    weights = np.exp(-(distance**2) / (2 * 1.5**2))
    weights = np.outer(weights, weights) / weights.sum() ** 2
    eps, values = np.finfo(float).eps, []
    for i in range(10):
        for j in range(8):
            window = slice(i, i + 11), slice(j, j + 11)
            patches = [s[window] - s[window].mean() for s in sources]
            norms = [np.linalg.norm(p) for p in patches]
            consistency = (np.linalg.norm(sum(patches)) + eps) / (sum(norms) + eps)
            power = min(np.tan(np.pi / 2 * min(consistency, 1 - eps)), 10)
            shares = [((n + 0.001) / 11) ** power + eps for n in norms]
            ideal = sum(w / sum(shares) * p / (n + 0.001) for w, p, n in zip(shares, patches, norms, strict=True))
            ideal *= (max(norms) + 0.001) / np.linalg.norm(ideal)
            x, y = ideal - (weights * ideal).sum(), f[window] - (weights * f[window]).sum()
            c = (0.03 * 255) ** 2
            joint = (weights * x * y).sum()
            values.append((2 * joint + c) / ((weights * x * x).sum() + (weights * y * y).sum() + c))
    assert _quality(f, sources) == pytest.approx(np.mean(values), rel=1e-9)


def test_identity_and_asymmetry():
    a, b = (np.kron(RNG.integers(0, 256, (12, 12)), np.ones((16, 16))) for _ in range(2))
    a += np.linspace(0, 20, a.size).reshape(a.shape) - a / 255 * 20
    a, b = np.rint(a), np.rint(b)
    assert viff(a, a, a) == pytest.approx(2, abs=1e-6)
    assert ssim_sum(a, a, a) == pytest.approx(2)
    assert ms_ssim(a, a, a) == pytest.approx(1)
    assert mef_ssim(a, a, a) == pytest.approx(1, abs=1e-6)
    assert cc(a, a, a) == pytest.approx(1)
    ceiling = 0.9994 * 0.9879 / (1 + np.exp(-7.5)) / (1 + np.exp(-22 * 0.2))
    assert qabf(a, a, a, corrected=True) == pytest.approx(ceiling)
    assert qabf(a, a, a) != pytest.approx(ceiling, rel=1e-5), "the evaluator's fault: an equal gradient is its ratio"
    f = np.rint(0.7 * a + 0.3 * b)
    for metric in (mi, scd, viff, qabf, cc, ssim_sum, ms_ssim, mef_ssim):
        assert metric(f, a, b) == pytest.approx(metric(f, b, a), rel=1e-9), "the sources may change places"
        assert metric(f, a, b) != pytest.approx(metric(a, f, b), rel=1e-3), "fused and sources may not"
    assert 0 < viff(0.5 * a, a, a) < viff(0.9 * a, a, a) < 2


def test_constant_and_black_images():
    flat, black = np.full((176, 176), 90), np.zeros((176, 176))
    textured = np.random.default_rng(0).integers(0, 256, (176, 176))
    assert (en(flat), sd(flat), sf(flat), ag(flat), mi(flat, flat, flat)) == (0, 0, 0, 0, 0)
    assert np.isnan(qabf(flat[:9, :9] * 0, black[:9, :9], black[:9, :9]))
    assert np.isnan(viff(flat, flat, flat)), "a flat source holds no information, as scd has no correlation with it"
    assert np.isnan(viff(textured, flat, textured))
    assert viff(flat, textured, textured) == pytest.approx(0, abs=1e-6), "a flat fused image keeps none"
    assert ssim_sum(flat, flat, flat) == pytest.approx(2)
    assert mef_ssim(flat, flat, black) == pytest.approx(1), "nothing to preserve"
    assert np.isnan(scd(flat, flat, flat))


def test_simple_values():
    step = np.zeros((4, 4))
    step[:, 2:] = 255
    assert (en(step), sd(step), entropy_twice(step)) == (1, 127.5, 2)
    assert sd_unnormalised(step) == 2, "sqrt(16 * 0.25)"
    assert sf(step) == pytest.approx(255 / np.sqrt(3))
    assert ag(step) == pytest.approx(255 / 2 / np.sqrt(2) / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: en(np.full((4, 4), 300.0)), "found values from 300 to 300, expected 0 to 255"),
        (lambda: sd(np.zeros((4, 4, 3))), r"fused: found shape \(4, 4, 3\), expected \(H, W\)"),
        (lambda: en(np.full((4, 4), 0.5)), "values from 0.5 to 0.5, already scaled, expected 0 to 255"),
        (lambda: mi(A, A, B[:, :9]), r"visible: found shape \(48, 9\), expected that of the fused image, \(48, 56\)"),
        (lambda: scd(A, A[:9], B), "infrared: found shape"),
        (lambda: mi(A, np.full(A.shape, np.nan), B), "infrared: found NaN"),
        (lambda: viff(A[:40], A[:40], B[:40]), "viff: found 40x56 pixels, expected sides of at least 42"),
        (lambda: ms_ssim(A, A, B), "ms_ssim: found 48x56 pixels, expected sides of at least 161"),
        (lambda: ms_ssim(*[np.zeros((161, 161))] * 3, convention="x"), "found convention 'x', expected one of"),
        (lambda: mef_ssim(A[:, :40], A[:, :40], B[:, :40]), "mef_ssim: found 48x40 pixels"),
        (lambda: ssim_sum(A[:6], A[:6], B[:6]), "at least 7"),
        (lambda: ag(np.zeros((1, 9))), "at least 2"),
        (lambda: qabf(np.array([["a"]]), A, B), "found values of type <U1"),
    ],
)
def test_arrays_that_do_not_fit_say_what_was_found_and_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("side", [42, 43, 44, 45, 60])
def test_smallest_sides(side):
    a, b, f = (RNG.integers(0, 256, (side, side + 3)) for _ in range(3))
    assert np.isfinite([viff(f, a, b), mef_ssim(f, a, b), qabf(f, a, b)]).all()
