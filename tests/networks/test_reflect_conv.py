"""Reflected 3x3 convolutions by Winograd's way are PyTorch's, forward and backward, wherever they are used."""

import copy
import itertools
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from plain import PlainDCINN
from torch import nn

from models.fast import compiled, reflect_conv, reflected, winograd_base
from models.fast.reflect_conv import ReflectConv, winograd
from models.fast.reflected import plain
from models.layers import Residual
from models.layers import reflect_conv as layer_of

compiles = pytest.mark.skipif(not compiled.vectors(), reason="no C compiler here")
CASES = [  # C in, C out, images, height, width
    *((8, 8, 1, 2, 2), (8, 8, 2, 3, 2), (8, 10, 3, 4, 9), (9, 8, 1, 5, 4), (16, 16, 2, 13, 30), (17, 31, 1, 50, 5)),
    *((31, 17, 2, 9, 18), (24, 32, 1, 12, 12), (64, 32, 1, 19, 21), (92, 64, 1, 16, 23), (20, 16, 40, 3, 6)),
]


@pytest.fixture
def used(monkeypatch):
    """The sizes of the images that went Winograd's way, with the number of threads."""
    calls = []
    for lanes in compiled.vectors():
        reflected._routines(lanes)  # which tries itself
    original = reflected.Reflected.forward

    def counted(self, x, *arguments):
        calls.append(tuple(x.shape))
        return original(self, x, *arguments)

    monkeypatch.setattr(reflected.Reflected, "forward", counted)
    return calls


def example(case, seed=0):
    c_in, c_out, n, height, width = case
    generator = torch.Generator().manual_seed(seed)
    shapes = (n, c_in, height, width), (c_out, c_in, 3, 3), (c_out,), (n, c_out, height, width)
    x, kernel, bias, weight = (torch.randn(shape, generator=generator) for shape in shapes)
    return x, kernel / (9 * c_in) ** 0.5, bias, weight


def with_gradients(function, x, kernel, bias, weight, slope=1.0):
    inputs = [t.detach().requires_grad_() for t in (x, kernel, bias)]
    y = function(*inputs, slope)
    return (y.detach(), *torch.autograd.grad((y * weight).sum(), inputs))


def assert_same(found, expected, most=3e-6):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).norm() <= most * other.norm()
        assert (one - other).abs().max() <= 3 * most * other.abs().max()


def away_from_zero(x, kernel, bias):
    """The bias moved so that no result is so near to zero that rounding decides about the slope of its gradient."""
    flat = plain(x.double(), kernel.double(), torch.zeros_like(bias).double()).transpose(0, 1).flatten(1)
    for channel, values in enumerate(flat):
        ordered = values.sort().values
        gap = ordered.diff().argmax() if len(ordered) > 1 else 0
        bias[channel] = -(ordered[gap] + ordered[min(gap + 1, len(ordered) - 1)]) / 2
    return bias


@compiles
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lanes", compiled.vectors())
@pytest.mark.parametrize("slope", [1.0, 0.2])
def test_the_plain_convolution_and_its_gradients(case, lanes, slope, used, monkeypatch):
    if lanes > min(case[:2]):
        pytest.skip("fewer channels than a vector has")
    monkeypatch.setattr(compiled, "vectors", lambda: (lanes,))
    x, kernel, bias, weight = example(case)
    if slope != 1:
        bias = away_from_zero(x, kernel, bias)
    expected = with_gradients(plain, *(t.double() for t in (x, kernel, bias, weight)), slope)
    used.clear()
    assert_same(with_gradients(winograd, x, kernel, bias, weight, slope), expected)
    with torch.no_grad():
        assert_same([winograd(x, kernel, bias, slope)], expected[:1])
    assert len(used) == 2


@compiles
def test_any_layout(used):
    x, kernel, bias, weight = example((24, 16, 2, 20, 22))
    expected = with_gradients(plain, x, kernel, bias, weight)
    wide = torch.zeros(2, 30, 22, 50)
    strided = wide[:, 3:27, 1:21, 2:46:2]
    strided.copy_(x)
    turned = kernel.transpose(0, 1).contiguous().transpose(0, 1)
    every_other = torch.stack((bias, bias)).t().flatten()[::2]
    for given in (x.contiguous(memory_format=torch.channels_last), strided, x.transpose(2, 3).contiguous().mT):
        assert_same(with_gradients(winograd, given, turned, every_other, weight), expected)
    ones = torch.ones(())
    spread = with_gradients(winograd, x, kernel, bias, ones.expand(2, 16, 20, 22))
    assert_same(spread, with_gradients(plain, x, kernel, bias, ones))
    assert len(used) == 4


@compiles
def test_threads_agree_and_results_repeat_to_the_bit(monkeypatch):
    monkeypatch.setattr(winograd_base, "LEAST_WORK", 2**10)
    given = example((32, 24, 3, 21, 26))
    expected = with_gradients(plain, *given)
    parts = []
    original = reflected.in_threads
    monkeypatch.setattr(reflected, "in_threads", lambda calls: parts.append(len(calls)) or original(calls))
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
        first, second = (with_gradients(winograd, *given) for _ in range(2))
        assert_same(first, expected)
        assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert parts == [1] * 6 + [3] * 6
    with ThreadPoolExecutor(4) as pool:  # as torch.nn.DataParallel and servers do
        for found in pool.map(lambda _: with_gradients(winograd, *given), range(8)):
            assert all(torch.equal(one, other) for one, other in zip(found, first, strict=True))


@compiles
def test_jobs_at_the_same_time_have_memory_of_their_own(monkeypatch):
    monkeypatch.setattr(winograd_base, "LEAST_WORK", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    routines = reflected.routines_for(8)
    jobs = routines._jobs(torch.zeros(1, 40, 40, 8), (8, 8), margin=0)
    assert [(job.first, job.last) for job in jobs] == [(0, 33), (33, 66), (66, 100)]
    pieces = [
        *routines.work(jobs, gradient=True),
        *routines.sums(jobs),
        routines.points(torch.zeros(8, 8, 3, 3), False),
    ]
    spans = sorted((piece.data_ptr(), piece.data_ptr() + 4 * piece.numel()) for piece in pieces)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


@compiles
@pytest.mark.parametrize("slope", [1.0, 0.2])
@pytest.mark.parametrize("wanted", [(True, False, False), (False, True, False), (False, False, True)])
def test_one_gradient_alone(wanted, slope):
    x, kernel, bias, weight = example((16, 8, 2, 18, 18))
    bias = away_from_zero(x, kernel, bias)
    expected = with_gradients(plain, x, kernel, bias, weight, slope)[1:]
    inputs = [t.requires_grad_(need) for t, need in zip((x, kernel, bias), wanted, strict=True)]
    (winograd(*inputs, slope) * weight).sum().backward()
    for given, other, need in zip(inputs, expected, wanted, strict=True):
        assert (given.grad is not None) == need
        if need:
            assert_same([given.grad], [other])


@compiles
def test_gradients_of_gradients():
    found = []
    for function in (winograd, plain):
        x, kernel, bias, weight = example((16, 8, 1, 12, 12))
        inputs = [t.requires_grad_() for t in (x, kernel, away_from_zero(x, kernel, bias))]
        first = torch.autograd.grad((function(*inputs, 0.2).square() * weight).sum(), inputs, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), inputs))
    assert_same(*found)


@compiles
def test_the_plain_way_where_it_must_be(used):
    torch.manual_seed(0)
    layer, x = ReflectConv(32, 16), torch.randn(1, 32, 40, 40)
    reference = nn.Conv2d(32, 16, 3, padding=1, padding_mode="reflect")
    reference.load_state_dict(layer.state_dict())

    def is_plain(x, layer=layer, reference=reference):
        assert torch.equal(layer(x), reference(x))
        assert torch.equal(layer(x, slope=0.2), nn.functional.leaky_relu(reference(x), 0.2))
        assert not used

    with torch.no_grad():
        is_plain(x[:, :, :8, :8])
        is_plain(x.double(), copy.deepcopy(layer).double(), copy.deepcopy(reference).double())
        with torch.autocast("cpu", torch.bfloat16):
            is_plain(x)
        few = ReflectConv(32, 2), nn.Conv2d(32, 2, 3, padding=1, padding_mode="reflect")
        few[1].load_state_dict(few[0].state_dict())
        is_plain(x, *few)
        assert (torch.func.vmap(lambda y: layer(y[None])[0])(x)[0] - reference(x)[0]).abs().max() < 1e-5
        assert not used
        traced = torch.jit.trace(layer.eval(), (x,), check_trace=False)
        assert "_convolution" in str(traced.graph)
        assert torch.equal(traced(x[..., :39]), reference(x[..., :39]))
        program = torch.export.export(layer, (x,), strict=False)
        assert any("conv2d" in str(node.target) for node in program.graph.nodes)
        assert not used
        assert_same([layer(x)], [reference(x)])
        assert used == [(1, 40, 40, 32)]
    assert_same([layer(x)], [reference(x)])
    assert len(used) == 1, "with gradients, these few tiles are faster the plain way"
    layer(x.repeat(2, 1, 1, 1))
    assert len(used) == 2
    for wrong in (x[:, :30], x[0, :30], x[:, :, :1]):
        with pytest.raises(RuntimeError):
            layer(wrong)


@compiles
def test_weights_changed_in_place_are_seen():
    layer, x = layer_of(16, 24), torch.randn(2, 16, 40, 40)
    for seed in (1, 2):
        with torch.no_grad():
            for parameter, value in zip((layer.weight, layer.bias), example((16, 24, 1, 2, 2), seed)[1:3], strict=True):
                parameter.copy_(value)
            assert_same([layer(x)], [plain(x, layer.weight, layer.bias)])


def test_the_layer_is_a_conv2d_with_its_names_and_its_start():
    torch.manual_seed(3)
    layer = layer_of(9, 12)
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
def test_the_residual_block_in_inference_and_training(used):
    torch.manual_seed(0)
    block = Residual(16, 8)
    x = torch.randn(2, 16, 60, 60).requires_grad_()
    found = block(x)
    of_x = torch.autograd.grad(found.square().sum(), x)[0]
    with torch.no_grad():
        assert_same([block(x)], [found])
    assert len(used) == 4
    exact = copy.deepcopy(block).double()
    wide = x.detach().double().requires_grad_()
    expected = exact(wide)
    assert_same([found], [expected])
    assert_same([of_x], [torch.autograd.grad(expected.square().sum(), wide)[0]])


@compiles
@pytest.mark.parametrize(("kind", "sides"), [("ps", 64), ("hmf", 48), ("ivf", 128)])
def test_networks_agree_with_the_plain_ones(kind, sides, golden_model, used):
    model = golden_model(kind)
    a, b = (torch.rand(1, c, sides, sides) for c in {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}[kind])
    with torch.no_grad():
        found = model(a, b)
        expected = PlainDCINN(model.double())(a.double(), b.double())
    assert (found - expected).abs().max() <= 2e-5 * max(1, expected.abs().max())
    assert len(used) > 40


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
