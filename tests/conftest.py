import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_inputs import image, weight

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from models.released import from_released, haar_entries

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
