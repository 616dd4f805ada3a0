"""The convolution exponential by Winograd's way is the plain one, forward and backward, wherever it is used."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from models.convexp import ConvExp
from models.fast import compiled, winograd, winograd_base
from models.fast.series import horner, series

compiles = pytest.mark.skipif(not compiled.vectors(), reason="no C compiler here")
SHAPES = [(3, 8, 19, 13), (2, 16, 13, 30), (1, 17, 50, 5), (2, 31, 33, 18), (1, 40, 3, 90), (1, 64, 40, 40)]
SHAPES += [(20, 100, 2, 3), (1, 124, 17, 21), (2, 130, 12, 11)]


@pytest.fixture
def used(monkeypatch):
    """How often Winograd's way was taken."""
    calls = []
    for lanes in compiled.vectors():
        winograd._routines(lanes)  # which tries itself
    original = winograd.Series.__call__

    def counted(self, *arguments, **options):
        calls.append(len(self.jobs))
        return original(self, *arguments, **options)

    monkeypatch.setattr(winograd.Series, "__call__", counted)
    return calls


def example(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    kernel = torch.randn(shape[1], shape[1], 5, 5, generator=generator) * 1.2 / (shape[1] * 25) ** 0.5
    return torch.randn(shape, generator=generator), kernel, torch.randn(shape, generator=generator)


def with_gradients(function, x, kernel, weight, terms=10):
    x, kernel = (t.detach().requires_grad_() for t in (x, kernel))
    y = function(x, kernel, terms)
    return (y.detach(), *torch.autograd.grad((y * weight).sum(), (x, kernel)))


def assert_same(found, expected, most=1e-5):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).norm() <= most * other.norm()
        assert (one - other).abs().max() <= 3 * most * other.abs().max()


@compiles
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lanes", compiled.vectors())
def test_the_plain_series_and_its_gradients(shape, lanes, used, monkeypatch):
    if lanes > shape[1]:
        pytest.skip("fewer channels than a vector has")
    monkeypatch.setattr(compiled, "vectors", lambda: (lanes,))
    x, kernel, weight = example(shape)
    expected = with_gradients(horner, x.double(), kernel.double(), weight.double())
    used.clear()
    assert_same(with_gradients(series, x, kernel, weight), expected)
    assert len(used) == 1
    with torch.no_grad():
        assert_same([series(x, kernel, 10)], expected[:1])


@compiles
def test_any_layout(used):
    x, kernel, weight = example((2, 24, 20, 22))
    expected = with_gradients(horner, x, kernel, weight)
    wide = torch.zeros(2, 30, 22, 50)
    strided = wide[:, 3:27, 1:21, 2:46:2]
    strided.copy_(x)
    used.clear()
    for given in (x.contiguous(memory_format=torch.channels_last), strided, x.transpose(2, 3).contiguous().mT):
        turned = kernel.transpose(0, 1).contiguous().transpose(0, 1)
        assert_same(with_gradients(series, given, turned, weight), expected)
    assert len(used) == 3
    single = with_gradients(series, *(t[:1] for t in (x,)), kernel, torch.ones(()).expand(1, 24, 20, 22))
    assert_same(single, with_gradients(horner, x[:1], kernel, torch.ones(1, 24, 20, 22)))


@compiles
def test_threads_agree_and_results_repeat_to_the_bit(used, monkeypatch):
    monkeypatch.setattr(winograd_base, "LEAST_WORK", 2**12)
    x, kernel, weight = example((3, 32, 21, 26))
    expected = with_gradients(horner, x, kernel, weight)
    used.clear()
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
        first, second = (with_gradients(series, x, kernel, weight) for _ in range(2))
        assert_same(first, expected)
        assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert used == [1, 1, 3, 3]
    with ThreadPoolExecutor(4) as pool:  # as torch.nn.DataParallel and servers do
        for found in pool.map(lambda _: series(x, kernel, 10), range(8)):
            assert torch.equal(found, first[0])


@compiles
@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_one_gradient_alone(wanted):
    x, kernel, weight = example((2, 16, 18, 18))
    expected = with_gradients(horner, x, kernel, weight)[1:]
    inputs = [t.requires_grad_(need) for t, need in zip((x, kernel), wanted, strict=True)]
    (series(*inputs, 10) * weight).sum().backward()
    for given, other, need in zip(inputs, expected, wanted, strict=True):
        assert (given.grad is not None) == need
        if need:
            assert_same([given.grad], [other])


@compiles
def test_gradients_of_gradients():
    found = []
    for function in (series, horner):
        x, kernel, weight = example((1, 16, 16, 16))
        x.requires_grad_()
        kernel.requires_grad_()
        first = torch.autograd.grad((function(x, kernel, 4) * weight).sum(), (x, kernel), create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), (x, kernel)))
    assert_same(*found)


@compiles
def test_the_plain_way_where_it_must_be(used):
    x, kernel, _ = example((1, 16, 20, 20))
    with torch.no_grad():
        used.clear()
        for y, k in ((x.double(), kernel.double()), (x[:, :, :4, :4], kernel), (x, kernel[..., 1:4, 1:4])):
            assert torch.equal(series(y, k, 3), horner(y, k, 3))
        assert torch.equal(series(x[:, :7], kernel[:7, :7], 3), horner(x[:, :7], kernel[:7, :7], 3))
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(series(x, kernel, 3), horner(x, kernel, 3))
        assert (torch.func.vmap(lambda y: series(y[None], kernel, 3))(x)[0] - horner(x, kernel, 3)).abs().max() < 1e-4
        assert not used
        traced = torch.jit.trace(lambda y: series(y, kernel, 3), (x,), check_trace=False)
        assert "_convolution" in str(traced.graph)
        assert torch.equal(traced(x[..., :19]), horner(x[..., :19], kernel, 3))
        program = torch.export.export(ConvExp(16).eval(), (x,), strict=False)
        assert any("conv2d" in str(node.target) for node in program.graph.nodes)
        assert not used


@compiles
def test_weights_changed_in_place_are_seen(used):
    layer = ConvExp(16)
    x = torch.randn(1, 16, 20, 20)
    for training in (True, False):
        layer.train(training)
        for seed in (1, 2):
            layer.kernel.data.copy_(example((1, 16, 1, 1), seed)[1])
            with torch.set_grad_enabled(training):
                assert_same([layer(x), layer.inverse(x)], [horner(x, s * layer.kernel, 10) for s in (1, -1)])
    assert len(used) == 8


@compiles
def test_copies_and_pickles():
    layer = ConvExp(16).eval()
    layer.kernel.data.copy_(example((1, 16, 1, 1))[1])
    x = torch.randn(1, 16, 20, 20)
    with torch.no_grad():
        expected = layer(x)
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(other(x), expected)
    assert not any(key.startswith("_") for key in layer.state_dict())
