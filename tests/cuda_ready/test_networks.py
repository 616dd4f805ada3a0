"""Every network on a CUDA device that is not there: no tensor of its own stays behind on the CPU, nothing waits."""

import contextlib

import pytest
import torch
from fake_cuda import CUDA, Traffic, fake_cuda
from networks_in_small import NETWORKS, images_for

from models.config import ABLATIONS
from models.decomposition import DETAIL_RULES
from models.peers import build_peer
from models.scene_pooling import ScenePooling

PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(name):
    dtype = PRECISIONS[name]
    return torch.autocast("cuda", dtype=dtype, enabled=dtype is not None)


def assert_undisturbed(traffic):
    assert not traffic.reads
    assert not traffic.uploads


@pytest.mark.parametrize(
    ("gradients", "precision"),
    [(True, "float32"), (False, "bf16"), *(pytest.param(g, "fp16", marks=pytest.mark.slow) for g in (True, False))],
)
@pytest.mark.parametrize("task", NETWORKS)
def test_both_directions(task, gradients, precision):
    model = NETWORKS[task]()
    with fake_cuda():
        model, images = model.to(CUDA).train(gradients), images_for(task)[:2]
        with Traffic() as traffic, torch.set_grad_enabled(gradients), autocast(precision):
            fused = model(*images)
            detail = model.invert(fused.float(), *images)
        assert fused.device == detail.device == images[0].device
        assert fused.shape == detail.shape == images[0].shape
        assert fused.dtype == torch.float32
    assert_undisturbed(traffic)


@pytest.mark.parametrize("task", NETWORKS)
def test_sides_that_are_reflected_and_recomputed_blocks(task):
    model = NETWORKS[task]()
    model.recompute = True
    with fake_cuda():
        model, images = model.to(CUDA).train(), images_for(task, side=21)[:2]
        with Traffic() as traffic:
            fused = model(*images)
        assert fused.shape == images[0].shape
        assert fused.requires_grad
    assert_undisturbed(traffic)


@pytest.mark.parametrize("without", [ABLATIONS[0], *(pytest.param(a, marks=pytest.mark.slow) for a in ABLATIONS[1:])])
@pytest.mark.parametrize("task", NETWORKS)
def test_ablations(task, without):
    try:
        model = NETWORKS[task](without=without)
    except ValueError:
        pytest.skip(f"{task} has no such part")
    with fake_cuda():
        model, images = model.to(CUDA).train(), images_for(task)[:2]
        with Traffic() as traffic:
            assert model(*images).device.type == "cuda"
    assert_undisturbed(traffic)


@pytest.mark.parametrize("rule", DETAIL_RULES)
def test_rules_of_details(rule):
    model = NETWORKS["ivf"](detail_rule=rule)
    with fake_cuda():
        model, images = model.to(CUDA), images_for("ivf")
        with Traffic() as traffic:
            model(*images)
    assert_undisturbed(traffic)


def test_an_exact_series_reads_back_once_a_term_or_twice():
    """It ends where the numbers say so: the one part of a network that waits, off by default."""
    model = NETWORKS["ps"](exact=True)
    series = sum(1 for name, _ in model.named_parameters() if name.endswith("kernel"))
    with fake_cuda():
        model, images = model.to(CUDA), images_for("ps")[:2]
        with Traffic() as traffic:
            model(*images)
    assert not traffic.uploads
    assert len(traffic.reads) == series * 2 * 2  # two small terms in a row end a series; two questions a term


@pytest.mark.parametrize("method", ["auif", "cddfuse", pytest.param("defusion", marks=pytest.mark.slow)])
def test_peers(method):
    model = build_peer(method, {})
    side = 32 if method != "defusion" else 224
    with fake_cuda():
        model, images = model.to(CUDA).eval(), images_for("ivf", side)
        with Traffic() as traffic, torch.no_grad():
            assert model(*images).device.type == "cuda"
    assert_undisturbed(traffic)


@pytest.mark.parametrize("masked", [True, False])
def test_pooling_over_a_scene(masked):
    model = NETWORKS["ps"]()
    with fake_cuda():
        model, images = model.to(CUDA).eval(), images_for("ps", batch=1)[:2]
        with ScenePooling(model) as pooling, torch.no_grad(), Traffic() as traffic:
            if masked:
                pooling.valid = torch.ones(1, 1, 32, 32, device=CUDA)
            model(*images)
            pooling.use()
            assert model(*images).device.type == "cuda"
    squeezes = sum(1 for name, _ in model.named_modules() if name.endswith("se"))
    assert len(traffic.reads) <= squeezes * 2  # a share of each, and whether any tile was seen


@pytest.mark.parametrize("task", NETWORKS)
def test_the_backward_pass_leaves_every_gradient_on_the_device(task, monkeypatch):
    """On the meta device, which refuses the CPU's tensors like CUDA and whose backward pass needs no GPU."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # meta has none
    model = NETWORKS[task]().to("meta").train()
    images = images_for(task, device="meta")[:2]
    fused = model(*images)
    (fused.mean() + model.invert(fused, *images).mean()).backward()
    assert {p.grad.device.type for p in model.parameters()} == {"meta"}
