"""Files that cannot be used, and what must become of a command that is given one."""

import shutil

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from outputs import snapshot
from skimage.io import imsave

from models import dcinn_ps, export_released, save_checkpoint


def gray(h=32, w=40, dtype=np.uint8):
    return (np.arange(h * w) % 251).reshape(h, w).astype(dtype)


def pair_folders(tmp, visible=None, infrared=None):
    """DIR/vi/a.png and DIR/ir/a.png."""
    for folder, image in (("vi", visible), ("ir", infrared)):
        (tmp / "set" / folder).mkdir(parents=True)
        imsave(tmp / "set" / folder / "a.png", gray() if image is None else image, check_contrast=False)
    return tmp / "set"


def scene(**changes):
    """A reduced-resolution file's arrays, N,C,H,W."""
    rng = np.random.default_rng(0)
    arrays = {
        "gt": rng.integers(0, 2048, (2, 8, 32, 32)).astype(np.float32),
        "lms": rng.integers(0, 2048, (2, 8, 32, 32)).astype(np.float32),
        "ms": rng.integers(0, 2048, (2, 8, 8, 8)).astype(np.float32),
        "pan": rng.integers(0, 2048, (2, 1, 32, 32)).astype(np.float32),
    }
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def h5(tmp, **changes):
    with h5py.File(tmp / "test.h5", "w") as file:
        for name, value in scene(**changes).items():
            file[name] = value
    return tmp / "test.h5"


def cave(tmp, bands=31, image=None, odd_band=None):
    folder = tmp / "cave" / "toy_ms" / "toy_ms"
    folder.mkdir(parents=True)
    for i in range(1, bands + 1):
        band = gray(16, 16, np.uint16) * 250 if image is None else image
        imsave(
            folder / f"toy_ms_{i:02d}.png", odd_band if i == 7 and odd_band is not None else band, check_contrast=False
        )
    return tmp / "cave"


def truncated(path, part=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def written(path, content=b"no image, no array, no weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def checkpoint(tmp, model, theirs=False):
    (export_released if theirs else save_checkpoint)(tmp / "weights.pth", model)
    return tmp / "weights.pth"


def huge_kernel():
    model = dcinn_ps(8)
    model.flow.low0.conv_exp.kernel.data.fill_(1e30)
    return model


def nan_gt():
    gt = scene()["gt"]
    gt[1, 2, 3, 4] = np.nan
    return gt


def tiff_pair(tmp, image, **options):
    for folder in ("vi", "ir"):
        (tmp / "set" / folder).mkdir(parents=True)
        tifffile.imwrite(tmp / "set" / folder / "a.tif", image, **options)
    return tmp / "set"


def unmatched(tmp):
    root = pair_folders(tmp)
    (root / "ir" / "a.png").rename(root / "ir" / "b.png")
    return root


def twice(tmp):
    root = pair_folders(tmp)
    shutil.copy(root / "vi" / "a.png", root / "vi" / "a.bmp")
    return root


def two_visible_folders(tmp):
    root = pair_folders(tmp)
    shutil.copytree(root / "vi", root / "visible")
    return root


def truncated_jpeg(tmp):
    root = pair_folders(tmp)
    (root / "vi" / "a.png").unlink()
    imsave(root / "vi" / "a.jpg", gray(), check_contrast=False)
    truncated(root / "vi" / "a.jpg")
    return root


def mat(tmp, **arrays):
    scipy.io.savemat(tmp / "scene.mat", arrays)
    return tmp / "scene.mat"


def refused(main, make, words, folder, capfd, expected=True):
    """One line with these words, exit code 2, nothing written."""
    options = [str(o) for o in make(folder)]
    if "--output" not in options:
        options += ["--output", str(folder / "deep" / "results")]
    before = snapshot(folder)
    with pytest.raises(SystemExit) as stop:
        main(options)
    out, err = capfd.readouterr()
    assert stop.value.code == 2
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert "expected" in err or not expected
    assert out == ""
    assert snapshot(folder) == before
