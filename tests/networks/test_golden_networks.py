"""What the authors' own networks answered, against ours with the same weights and inputs."""

import numpy as np
import pytest
import torch
from golden_inputs import image
from torch import nn
from torch.nn import functional

from models import load_pretrained
from models.weights.author_names import released_name
from utils.training.objectives import DetailObjective, StructureObjective

TOLERANCE = 2e-5
REVERSE_TOLERANCE = 2e-4  # the reverse entries carry the truncation of the series


def assert_close(found, expected, tolerance=TOLERANCE):
    found = np.asarray(found.detach() if isinstance(found, torch.Tensor) else found, np.float64)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def sources(*named):
    return tuple(torch.from_numpy(image(name, shape)) for name, shape in named)


@torch.no_grad()
def test_ps(golden_model, golden_sources, expected):
    model, (lms, pan) = golden_model("ps"), golden_sources("ps")
    fused = model(lms, pan)
    assert_close(fused, expected["ps.fused"])
    assert_close(model.invert(fused, lms, pan) + lms, expected["ps.reverse"], REVERSE_TOLERANCE)


@torch.no_grad()
def test_ps_with_the_authors_file(shared, expected):
    model = load_pretrained(shared("weights/released_pansharpening_wv3.pth"), task="ps")
    lms, pan = sources(("psw.lms", (1, 8, 64, 64)), ("psw.pan", (1, 1, 64, 64)))
    assert_close(model(lms * 0.4, pan * 0.4), expected["ps_wv3.fused"])


def test_ps_loss_and_gradients(golden_model, expected):
    """In float64: in float32 the signs of an L1 loss of almost nothing flip with a processor's rounding."""
    model = golden_model("ps").train().double()
    names = (("psg.lms", (2, 8, 32, 32)), ("psg.pan", (2, 1, 32, 32)), ("psg.gt", (2, 8, 32, 32)))
    lms, pan, gt = (image.double() for image in sources(*names))
    loss = DetailObjective(model, weight=1.0)(lms, pan, gt)[0]
    loss.backward()
    assert_close(loss, expected["ps.loss"])
    gradients = {released_name(n, "ps"): p.grad for n, p in model.named_parameters()}
    norm = torch.stack([g.norm() for g in gradients.values()]).norm()
    assert_close(norm, expected["ps.gradnorm"])
    checked = [n for n in expected if n.startswith("ps.grad.")]
    assert len(checked) == 4
    for name in checked:
        assert_close(gradients[name.removeprefix("ps.grad.")], expected[name])


@torch.no_grad()
def test_hmf(golden_model, golden_sources, expected):
    model, (base, rgb) = golden_model("hmf"), golden_sources("hmf")
    assert_close(model.decomposition.lift(rgb), expected["hmf.decomposed"])
    assert_close(model(base, rgb), expected["hmf.fused"])
    (low,) = sources(("hmf.lr", (1, 31, 8, 8)))
    base = functional.interpolate(low, scale_factor=4, mode="bilinear", align_corners=False)
    fused = model(base, rgb)
    assert_close(fused, expected["hmf.fused_x4"])
    assert_close(model.invert(fused, base, rgb) + base, expected["hmf.reverse"], REVERSE_TOLERANCE)


@torch.no_grad()
def test_ivf(golden_model, golden_sources, expected):
    visible, infrared = golden_sources("ivf")
    assert_close(golden_model("ivf")(visible, infrared), expected["ivf.max"])
    assert_close(golden_model("ivf_mean")(visible, infrared), expected["ivf.mean"])


class Known(nn.Module):
    """A network whose fused image is given."""

    def __init__(self, fused):
        super().__init__()
        self.fused = fused

    def forward(self, visible, infrared):
        return self.fused


@pytest.mark.parametrize(("name", "weights"), [("rs", (1, 0.05, 6e-4, 2.5e-4)), ("tno", (1, 1, 1e-4, 0))])
def test_ivf_loss(name, weights, expected):
    f, ir, vi = sources(*((f"loss.{k}", (2, 1, 48, 48)) for k in ("f", "ir", "vi")))
    loss, *terms = StructureObjective(Known(f), weights)(vi, ir)
    assert_close(torch.stack(terms), expected["ivf_loss.terms"])
    assert_close(loss, expected[f"ivf_loss.{name}"])
