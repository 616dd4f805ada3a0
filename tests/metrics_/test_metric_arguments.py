"""What metrics refuse: arrays of the wrong shape, type, range or unit, each with what was found and expected."""

import numpy as np
import pytest

from metrics import cc, cut_border, d_lambda, d_lambda_k, d_s, ergas, psnr, q2n, released, sam, scc, scd, ssim, uqi
from metrics.checks import digital_numbers, gray

ONES = np.ones((64, 64, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: psnr(np.zeros((4, 4)), np.zeros((4, 5))), r"fused: found shape \(4, 4\), expected .*\(4, 5\)"),
        (lambda: sam(np.full((4, 4, 2), np.nan), np.zeros((4, 4, 2))), "fused: found NaN"),
        (lambda: sam(np.zeros((4, 4, 2)), np.full((4, 4, 2), np.inf)), "reference: found NaN or infinity"),
        (lambda: sam(np.zeros(4), np.zeros(4)), r"found shape \(4,\), expected \(H, W\) or \(H, W, B\)"),
        (lambda: sam(np.zeros((0, 4, 2)), np.zeros((0, 4, 2))), "at least one pixel"),
        (lambda: uqi(ONES.astype(complex), ONES), "found values of type complex128, expected integers or floats"),
        (lambda: scc(ONES > 0, ONES), "found values of type bool"),
        (lambda: ssim(np.zeros((5, 9)), np.zeros((5, 9))), "found 5x9 pixels, expected sides of at least 7"),
        (lambda: uqi(np.zeros((31, 40)), np.zeros((31, 40))), "uqi: found 31x40 pixels"),
        (lambda: psnr(ONES, 2047 * ONES), "values from 2047 to 2047, expected 0 to 1, or another peak="),
        (lambda: ssim(ONES, -ONES), "expected 0 to 1, or another data_range="),
        (lambda: psnr(1.0021 * ONES, 1.0011 * ONES), "expected 0 to 1, or another peak="),
        (lambda: psnr(ONES, -0.0011 * ONES), "expected 0 to 1, or another peak="),
        (lambda: psnr(2.1 * ONES, ONES), "fused: found values from 2.1 to 2.1, expected the unit of the reference"),
        (lambda: ssim(-1.1 * ONES, ONES), "fused: found values from -1.1 to -1.1"),
        (lambda: psnr(ONES, 0.5 * ONES, peak=255), "reference: found values up to 0.5, expected up to 255"),
        (lambda: psnr(ONES, ONES, peak=0), "peak: found 0, expected the largest possible value"),
        (lambda: psnr(ONES, ONES, peak=np.inf), "peak: found inf"),
        (lambda: ergas(ONES, ONES, ratio=0), "found ratio 0"),
        (lambda: ergas(ONES, ONES, ratio=np.inf), "found ratio inf"),
        (lambda: q2n(0.3 * ONES, 0.3 * ONES), "reference: found values up to 0.3, already scaled"),
        (lambda: q2n(0.3 * ONES, 300 * ONES), "fused: found values up to 0.3, already scaled"),
        (lambda: q2n(1.5 - 0.2 * ONES, 300 * ONES), "fused: found values up to 1.3, already scaled"),
        (lambda: d_lambda_k(0.3 * ONES, 300 * ONES, sensor="QB"), "fused: found values up to 0.3, already scaled"),
        (lambda: d_lambda_k(300 * ONES, 0.3 * ONES, sensor="QB"), "lms: found values up to 0.3, already scaled"),
        (lambda: d_s(ONES, ONES, ONES[..., 0], ratio=1), "d_s: found ratio 1, expected a power of two"),
        (lambda: d_s(ONES, ONES, ONES[..., 0], ratio=4.0), "d_s: found ratio 4.0"),
        (lambda: gray("x", np.full((4, 4), 255.5)), "found values from 255.5 to 255.5, expected 0 to 255"),
        (lambda: gray("x", np.full((4, 4), -1)), "found values from -1 to -1"),
        (lambda: gray("x", np.full((4, 4), 0.99)), "already scaled, expected 0 to 255"),
        (lambda: cut_border(np.zeros((99, 99)), 0), "found a border of 0"),
        (lambda: d_lambda(np.zeros((40, 32, 2)), np.zeros((40, 32, 2))), "d_lambda: found 40x32 pixels.*32x32 blocks"),
        (lambda: d_lambda(ONES[..., :1], ONES[..., :1]), "found 1 band"),
        (lambda: d_s(ONES, ONES, np.ones((32, 64))), r"pan: found shape \(32, 64\), expected \(64, 64\)"),
        (lambda: d_lambda_k(ONES, ONES, sensor="WV3"), "sensor WV3: found an image of 4 bands, expected 8"),
        (lambda: cut_border(np.zeros((41, 99))), "found 41x99 pixels, expected sides of at least 42"),
        (lambda: released.ssim(np.zeros((5, 9)), np.zeros((5, 9))), "at least 7"),
    ],
)
def test_arrays_that_do_not_fit_say_what_was_found_and_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_just_inside():
    """Rounding of half a digital number, a black image, and whole numbers stored as floats are no mistakes."""
    assert psnr(ONES, 1.0009 * ONES) > 60
    assert psnr(ONES, ONES - 1.0009) == pytest.approx(0, abs=0.01)
    assert np.isfinite(psnr(1.9 * ONES, ONES))
    assert psnr(ONES * 255, ONES, peak=255) == pytest.approx(20 * np.log10(255 / 254))
    assert psnr(ONES, 0 * ONES, peak=255) == pytest.approx(20 * np.log10(255))
    digital_numbers("x", np.ones((4, 4)))
    digital_numbers("x", np.zeros((4, 4)))
    digital_numbers("x", np.full((4, 4), 1.6))
    assert gray("x", np.ones((4, 4))).max() == 1
    assert gray("x", np.full((4, 4), 1.5)).max() == 1.5


@pytest.mark.parametrize("level", [100.1, 33.3, 200.7, 1000 / 3 - 100])
def test_constant_images_stay_undefined_whatever_the_rounding_of_their_mean(level):
    rng = np.random.default_rng(3)
    image, flat = rng.integers(0, 256, (37, 41)).astype(float), np.full((37, 41), level)
    assert np.isnan(cc(flat, image, image))
    assert np.isnan(scd(image, image, flat))
    flats = np.stack([np.full((64, 64), level), np.full((64, 64), 0.7 * level)], axis=-1)
    assert np.isnan(d_lambda(flats, 2 * flats)), "nothing to compare, 0 / 0"
