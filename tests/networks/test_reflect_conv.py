"""Reflected 3x3 convolutions by Winograd's way are PyTorch's, forward and backward."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from reflected_examples import assert_same, away_from_zero, example, with_gradients

from models.fast import compiled, reflected, winograd_base
from models.fast.reflect_conv import winograd
from models.fast.reflected import plain

compiles = pytest.mark.skipif(not compiled.vectors(), reason="no C compiler here")
CASES = [  # C in, C out, images, height, width
    *((8, 8, 1, 2, 2), (8, 8, 2, 3, 2), (8, 10, 3, 4, 9), (9, 8, 1, 5, 4), (16, 16, 2, 13, 30), (17, 31, 1, 50, 5)),
    *((31, 17, 2, 9, 18), (24, 32, 1, 12, 12), (64, 32, 1, 19, 21), (92, 64, 1, 16, 23), (20, 16, 40, 3, 6)),
]


@compiles
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lanes", compiled.vectors())
@pytest.mark.parametrize("slope", [1.0, 0.2])
def test_the_plain_convolution_and_its_gradients(case, lanes, slope, reflected_shapes, monkeypatch):
    if lanes > min(case[:2]):
        pytest.skip("fewer channels than a vector has")
    monkeypatch.setattr(compiled, "vectors", lambda: (lanes,))
    x, kernel, bias, weight = example(case)
    if slope != 1:
        bias = away_from_zero(x, kernel, bias)
    expected = with_gradients(plain, *(t.double() for t in (x, kernel, bias, weight)), slope)
    reflected_shapes.clear()
    assert_same(with_gradients(winograd, x, kernel, bias, weight, slope), expected)
    with torch.no_grad():
        assert_same([winograd(x, kernel, bias, slope)], expected[:1])
    assert len(reflected_shapes) == 2


@compiles
def test_any_layout(reflected_shapes):
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
    assert len(reflected_shapes) == 4


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
