"""The layer of reflected convolutions: when it goes Winograd's way, what it keeps of nn.Conv2d, and the networks."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from plain import PlainDCINN
from reflected_examples import assert_same, example
from torch import nn

from models.fast import compiled, reflect_conv, reflected
from models.fast.reflect_conv import ReflectConv
from models.fast.reflected import plain
from models.layers import Residual

compiles = pytest.mark.skipif(not compiled.vectors(), reason="no C compiler here")


@compiles
def test_the_plain_way_where_it_must_be(reflected_shapes):
    torch.manual_seed(0)
    layer, x = ReflectConv(32, 16), torch.randn(1, 32, 40, 40)
    reference = nn.Conv2d(32, 16, 3, padding=1, padding_mode="reflect")
    reference.load_state_dict(layer.state_dict())

    def is_plain(x, layer=layer, reference=reference):
        assert torch.equal(layer(x), reference(x))
        assert torch.equal(layer(x, slope=0.2), nn.functional.leaky_relu(reference(x), 0.2))
        assert not reflected_shapes

    with torch.no_grad():
        is_plain(x[:, :, :8, :8])
        is_plain(x.double(), copy.deepcopy(layer).double(), copy.deepcopy(reference).double())
        with torch.autocast("cpu", torch.bfloat16):
            is_plain(x)
        few = ReflectConv(32, 2), nn.Conv2d(32, 2, 3, padding=1, padding_mode="reflect")
        few[1].load_state_dict(few[0].state_dict())
        is_plain(x, *few)
        assert (torch.func.vmap(lambda y: layer(y[None])[0])(x)[0] - reference(x)[0]).abs().max() < 1e-5
        assert not reflected_shapes
        traced = torch.jit.trace(layer.eval(), (x,), check_trace=False)
        assert "_convolution" in str(traced.graph)
        assert torch.equal(traced(x[..., :39]), reference(x[..., :39]))
        program = torch.export.export(layer, (x,), strict=False)
        assert any("conv2d" in str(node.target) for node in program.graph.nodes)
        assert not reflected_shapes
        assert_same([layer(x)], [reference(x)])
        assert reflected_shapes == [(1, 40, 40, 32)]
    assert_same([layer(x)], [reference(x)])
    assert len(reflected_shapes) == 1, "with gradients, these few tiles are faster the plain way"
    layer(x.repeat(2, 1, 1, 1))
    assert len(reflected_shapes) == 2
    for wrong in (x[:, :30], x[0, :30], x[:, :, :1]):
        with pytest.raises(RuntimeError):
            layer(wrong)


@compiles
def test_weights_changed_in_place_are_seen():
    layer, x = ReflectConv(16, 24), torch.randn(2, 16, 40, 40)
    for seed in (1, 2):
        with torch.no_grad():
            for parameter, value in zip((layer.weight, layer.bias), example((16, 24, 1, 2, 2), seed)[1:3], strict=True):
                parameter.copy_(value)
            assert_same([layer(x)], [plain(x, layer.weight, layer.bias)])


def test_the_layer_is_a_conv2d_with_its_names_and_its_start():
    torch.manual_seed(3)
    layer = ReflectConv(9, 12)
    torch.manual_seed(3)
    reference = nn.Conv2d(9, 12, 3, padding=1, padding_mode="reflect")
    assert isinstance(layer, nn.Conv2d)
    assert list(layer.state_dict()) == list(reference.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), reference.parameters(), strict=True))
    x = torch.randn(1, 9, 30, 30)
    with torch.no_grad():
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(other(x), layer(x))


@compiles
def test_the_residual_block_in_inference_and_training(reflected_shapes):
    torch.manual_seed(0)
    block = Residual(16, 8)
    x = torch.randn(2, 16, 60, 60).requires_grad_()
    found = block(x)
    of_x = torch.autograd.grad(found.square().sum(), x)[0]
    with torch.no_grad():
        assert_same([block(x)], [found])
    assert len(reflected_shapes) == 4
    exact = copy.deepcopy(block).double()
    wide = x.detach().double().requires_grad_()
    expected = exact(wide)
    assert_same([found], [expected])
    assert_same([of_x], [torch.autograd.grad(expected.square().sum(), wide)[0]])


@compiles
@pytest.mark.parametrize(("kind", "sides"), [("ps", 64), ("hmf", 48), ("ivf", 128)])
def test_networks_agree_with_the_plain_ones(kind, sides, golden_model, reflected_shapes):
    model = golden_model(kind)
    a, b = (torch.rand(1, c, sides, sides) for c in {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}[kind])
    with torch.no_grad():
        found = model(a, b)
        expected = PlainDCINN(model.double())(a.double(), b.double())
    assert (found - expected).abs().max() <= 2e-5 * max(1, expected.abs().max())
    assert len(reflected_shapes) > 40


CHILD = """
import torch
from models.fast import reflect_conv, reflected
layer, x = reflect_conv.ReflectConv(16, 16), torch.randn(1, 16, 60, 60)
assert reflected.routines_for(16) is None
expected = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (1,) * 4, mode="reflect"), layer.weight, layer.bias)
assert torch.equal(layer(x), expected)
layer(x).sum().backward()
"""


@pytest.mark.parametrize("environment", [{"DCINN_COMPILE": "0"}, {"PATH": "/nowhere", "CC": ""}])
def test_without_a_compiler(environment):
    root = Path(__file__).resolve().parents[2]
    variables = {**os.environ, "PYTHONPATH": str(root), **environment}
    subprocess.run([sys.executable, "-c", CHILD], cwd=root, env=variables, check=True)


@compiles
def test_code_that_computes_wrongly_is_not_used(monkeypatch):
    monkeypatch.setattr(reflected, "plain", lambda *arguments: plain(*arguments) + 1e-3)
    reflected._routines.cache_clear()
    try:
        assert reflected.routines_for(16) is None
        assert not reflect_conv.suits(
            torch.zeros(1, 16, 40, 40), *ReflectConv(16, 16).requires_grad_(False).parameters()
        )
    finally:
        reflected._routines.cache_clear()
