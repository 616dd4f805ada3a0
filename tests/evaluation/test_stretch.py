"""--stretch: every fused image of every method to the whole range, on request alone, and said."""

import cv2
import numpy as np
import pytest

import test_dcinn_ivf_tno
from utils.output.images import stretched


def fused(tmp_path, *options):
    result = test_dcinn_ivf_tno.main(["--weights", "untrained", "--limit", "1", "--output", str(tmp_path), *options])
    file = next((tmp_path / "fused").iterdir())
    return result, cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2GRAY).astype(float)


def test_the_two_kinds():
    image = np.linspace(0.2, 0.6, 2001, dtype=np.float32).reshape(3, 667)
    assert stretched(image, "none") is image
    found = stretched(image, "minmax")
    assert (found.min(), found.max(), found.dtype) == (0, 1, np.float32)
    found = stretched(image, "percentile")
    assert (found < 0).sum() == (found > 1).sum() == 2
    assert found.flat[1000] == pytest.approx(0.5)
    flat = np.full((3, 3), 0.4)
    assert stretched(flat, "minmax") is flat


@pytest.mark.parametrize("how", ["minmax", "percentile"])
def test_of_all_rows_and_in_the_remarks(how, tmp_path):
    plain, image = fused(tmp_path / "plain", "--gray")
    wide, other = fused(tmp_path / how, "--gray", "--stretch", how)
    assert np.ptp(other) == 255
    assert np.ptp(image) < 255
    for before, after in zip(plain["tables"], wide["tables"], strict=True):
        assert any("STRETCHED" in line for line in after["remarks"])
        assert not any("STRETCHED" in line for line in before["remarks"])
        changed = {name for name in before["values"] if before["values"][name] != after["values"][name]}
        assert changed == {name for name in before["values"] if name.startswith("DCINN")}
