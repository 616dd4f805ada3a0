import json
import os
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from golden_inputs import image, weight

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from models.weights.author_names import from_released, haar_entries

os.environ["CI"] = "true"  # no lines of progress in what is printed, however slow the machine is
if "PYTEST_XDIST_WORKER" in os.environ:  # each process has a core of its own, and so have the scripts that it starts
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
torch.set_flush_denormal(True)  # as the training scripts; before the threads start that inherit it

EXPECTED = Path(__file__).with_name("expected")
BUILDERS = {
    "ps": lambda: dcinn_ps(8),
    "hmf": lambda: dcinn_hmf(srf=spectral_response()),
    "ivf": lambda: dcinn_ivf("max"),
    "ivf_mean": lambda: dcinn_ivf("mean"),
}


def pytest_addoption(parser):
    default = Path(__file__).resolve().parents[2] / "shared"
    parser.addoption("--shared", type=Path, default=default, help="folder of data and weights that cannot be shipped")


@pytest.fixture(scope="session")
def shared(request):
    """path("weights/x.pth") of a file that cannot be shipped; skips the test where it is not there."""

    def path(name):
        file = request.config.getoption("--shared") / name
        if not file.exists():
            pytest.skip(f"{file} is not here")
        return file

    return path


@pytest.fixture(scope="session")
def expected():
    return dict(np.load(EXPECTED / "networks.npz"))


@pytest.fixture(scope="session")
def released_shapes():
    return json.loads((EXPECTED / "released_shapes.json").read_text())


@pytest.fixture(scope="session")
def golden_model(released_shapes):
    """golden_model("ps"): a network with the golden weights, given under the authors' names, in evaluation mode."""

    def build(kind):
        model = BUILDERS[kind]()
        fixed = haar_entries(model.config)
        shapes = released_shapes[kind.partition("_")[0]]
        state = {n: fixed[n] if n in fixed else torch.from_numpy(weight(n, s)) for n, s in shapes.items()}
        model.load_state_dict(from_released(state, model))
        return model.eval()

    return build


@pytest.fixture(scope="session")
def golden_sources():
    """golden_sources("ps"): base image and guide of the golden runs."""
    names = {
        "ps": (("ps.lms", (1, 8, 48, 64)), ("ps.pan", (1, 1, 48, 64))),
        "hmf": (("hmf.ms", (1, 31, 32, 32)), ("hmf.rgb", (1, 3, 32, 32))),
        "ivf": (("ivf.a", (1, 1, 64, 48)), ("ivf.b", (1, 1, 64, 48))),
    }
    return lambda kind: tuple(torch.from_numpy(image(*n)) for n in names[kind.partition("_")[0]])


@pytest.fixture
def gray_set(tmp_path):
    """Two pairs and fused images of them; the fused in another file format."""
    images, rng = {}, np.random.default_rng(6)
    for name in ("a", "b"):
        images[name] = [rng.integers(0, 256, (48, 60)).astype(np.uint8) for _ in range(3)]
        for kind, pixels, suffix in zip(("f", "ir", "vi"), images[name], ("bmp", "png", "png"), strict=True):
            (tmp_path / kind).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / kind / f"{name}.{suffix}"), pixels)
    return tmp_path, images


@pytest.fixture
def stacked(tmp_path):
    """A PanCollection file of two scenes, and a fused stack, (N, B, H, W)."""
    rng = np.random.default_rng(6)
    gt = rng.integers(100, 2000, (2, 4, 80, 96))
    with h5py.File(tmp_path / "qb.h5", "w") as file:
        file["gt"], file["lms"], file["pan"] = gt, (gt + 30).clip(0, 2047), gt[:, :1]
        file["ms"] = gt[:, :, ::4, ::4]
    return tmp_path / "qb.h5", gt, (gt + rng.integers(-40, 41, gt.shape)).clip(0, 2047).astype(np.float32)
