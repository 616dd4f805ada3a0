"""Strips of rows: several layers run on rows that fit the processor's cache, then on the next rows.

The result is exact: each strip is cut with a halo as wide as its layers reach, and the halo's outputs are dropped. Only
inference on a CPU is faster by strips: autograd stores all activations anyway, and a GPU is faster on whole images.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

CACHE = 2**19  # floats of the largest tensor that stays in the cache
MULTIPLE = 8  # rows of a strip are a multiple of this, so that they can be halved three times


def pay(x: Tensor, channels: int) -> bool:
    """Whether strips are faster for an image (B, C, H, W) whose layers have `channels` channels."""
    if torch.is_grad_enabled() or x.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return x.shape[-2] > 2 * rows_that_fit(x, channels)


def rows_that_fit(x: Tensor, channels: int) -> int:
    """Return the rows of one strip, a multiple of 8 and at least 32."""
    return max(CACHE // (x.shape[-1] * channels * x.shape[0]) // MULTIPLE, 4) * MULTIPLE


def by_strips(
    function: Callable[..., tuple[Tensor, ...]],
    inputs: tuple[Tensor, ...],
    halo: int,
    channels: int,
    in_place: bool = False,
) -> list[Tensor]:
    """Return the outputs of `function(*inputs)`, computed strip by strip.

    Args:
        function: maps images of equal height to images of that height, or of a half, a quarter or an eighth of it.
        inputs: images (B, C, H, W) of one height.
        halo: rows above and below that an output pixel depends on; a multiple of 8 if an output is smaller.
        channels: channels of the widest intermediate result.
        in_place: overwrite the inputs with the outputs, which have the same shapes. A strip is written only after the
            next one, which reads its last rows, has been computed.

    Returns:
        The outputs for the whole image; with `in_place` these are the inputs.
    """
    height, rows = inputs[0].shape[-2], rows_that_fit(inputs[0], channels)
    outputs = list(inputs) if in_place else []
    waiting: tuple[int, int, list[Tensor]] | None = None
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        top, bottom = max(start - halo, 0), min(stop + halo, height)
        pieces = function(*(x[:, :, top:bottom] for x in inputs))
        if not outputs:
            outputs = [_like(piece, height * piece.shape[-2] // (bottom - top)) for piece in pieces]
        kept = []
        for output, piece in zip(outputs, pieces, strict=True):
            shrink = height // output.shape[-2]
            kept.append(piece[:, :, (start - top) // shrink : (stop - top) // shrink])
        if waiting:
            _write(outputs, height, *waiting)
        waiting = start, stop, kept
        if not in_place:
            _write(outputs, height, *waiting)
            waiting = None
    if waiting:
        _write(outputs, height, *waiting)
    return outputs


def _write(outputs: list[Tensor], height: int, start: int, stop: int, pieces: list[Tensor]) -> None:
    for output, piece in zip(outputs, pieces, strict=True):
        shrink = height // output.shape[-2]
        output[:, :, start // shrink : stop // shrink] = piece


def _like(piece: Tensor, height: int) -> Tensor:
    b, c, _, w = piece.shape
    return torch.empty((b, c, height, w), dtype=piece.dtype, memory_format=torch.channels_last)


def subnet(net: Any, parts: tuple[Tensor, ...], spread: bool) -> Tensor:  # noqa: ANN401  layers.Subnet, not imported
    """Return `layers.Subnet.forward`'s result by strips: one pass before squeeze-excite's weights, one after."""

    def first(*parts: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat(parts, dim=1)
        x = net.gate(net.conv_in(2 * x - 1 if spread else x))
        return x, net.res.inner(x)

    def last(x: Tensor, y: Tensor) -> tuple[Tensor]:
        return (net.conv_out(torch.addcmul(x, y, weights)),)

    width = net.conv_in.out_channels
    x, y = by_strips(first, parts, 3, width)
    weights = net.res.se.weights(y)
    return by_strips(last, (x, y), 1, width)[0]


def trunk(net: Any, base_image: Tensor, guide: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401  of anet, not imported
    """Return ANet's conditions by strips, in three passes: before, between and after its two squeeze-excites."""

    def first(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        t = net.conv_in(torch.cat((a, b), dim=1).contiguous(memory_format=torch.channels_last))
        return t, net.res[0].inner(t)

    def second(t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        t = torch.addcmul(t, y, weights)
        return t, net.res[1].inner(t)

    def last(t: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        return net.tails(torch.addcmul(t, y, weights))

    width = net.conv_in.out_channels
    t, y = by_strips(first, (base_image, guide), 3, width)
    weights = net.res[0].se.weights(y)
    t, y = by_strips(second, (t, y), 2, width, in_place=True)
    weights = net.res[1].se.weights(y)
    return tuple(by_strips(last, (t, y), MULTIPLE, width))
