"""Prepared files of several scenes and bit depths in one."""

import numpy as np
import pytest
import scipy.io

from data import PanCollection
from utils import prepare
from utils.commandline.errors import single_line_errors


def prepared(folder, name, bits, side=40, patch=16, bands=4):
    rng = np.random.default_rng(bits)
    most = 2**bits
    scene = {"ms": rng.integers(most // 4, most, (side, side, bands)), "pan": rng.integers(0, most, (4 * side,) * 2)}
    scipy.io.savemat(folder / f"{name}.mat", {key: value.astype(np.uint16) for key, value in scene.items()})
    words = ["ps", "--data", folder / f"{name}.mat", "--output", folder / f"{name}.h5", "--bits", bits]
    prepare.run([str(word) for word in (*words, "--sensor", "none", "--patch", patch, "--stride", 8)])
    return folder / f"{name}.h5"


def join(*words):
    return prepare.run(["join", *map(str, words)])


def test_patches_of_every_depth_keep_their_values_in_unit_range(tmp_path):
    files = [prepared(tmp_path, "ten", 10), prepared(tmp_path, "twelve", 12, side=24)]
    parts = [PanCollection(file) for file in files]
    assert join("--data", *files, "--output", tmp_path / "both.h5") == len(parts[0]) + len(parts[1])
    both = PanCollection(tmp_path / "both.h5")
    assert (both.bits, both.ratio, both.has_reference, both.sides) == (12, 4, True, (16, 16))
    singles = [item for part in parts for item in part]
    assert len(both) == len(singles)
    for found, expected in zip(both, singles, strict=True):
        for role in ("gt", "lms", "ms", "pan"):
            assert np.abs(found[role] - expected[role]).max() < 1e-6, role
    assert parts[0][0]["gt"].max() > 0.9  # ten bits fill the range, over 4095 they would not
    assert both[0]["gt"].max() > 0.9


@pytest.mark.parametrize(("patch", "bands", "said"), [(8, 4, "8x8"), (16, 3, "3 bands")])
def test_files_that_do_not_fit_are_named(tmp_path, capsys, patch, bands, said):
    files = [prepared(tmp_path, "one", 11), prepared(tmp_path, "two", 11, patch=patch, bands=bands)]
    words = ["join", "--data", *map(str, files), "--output", str(tmp_path / "both.h5")]
    with pytest.raises(SystemExit) as ended:
        single_line_errors(prepare.run, program="python -m data")(words)
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert "two.h5" in error
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "both.h5").exists()
