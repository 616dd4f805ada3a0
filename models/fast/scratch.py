"""Scratch memory that is kept: new pages from the system take longer than many a convolution that writes to them."""

import threading
from collections.abc import Hashable

import torch
from torch import Tensor

MOST = 2**22  # floats of a piece that is kept

_kept = threading.local()


def scratch(name: Hashable, size: int) -> Tensor:
    """Return `size` or more floats of any content, flat; this thread's next call with this name returns the same."""
    pieces: dict[Hashable, Tensor] = _kept.__dict__.setdefault("pieces", {})
    piece = pieces.get(name)
    if piece is None or len(piece) < size:
        piece = torch.empty(size, dtype=torch.float32, device="cpu")
        if size <= MOST:
            pieces[name] = piece
    return piece
