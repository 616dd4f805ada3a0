"""benchmarks/self_fusion.py: what it says of a fusion that is known."""

import cv2
import numpy as np
import pytest
import self_fusion
import torch
from outputs import pairs
from torch import nn


class Larger(nn.Module):
    """Brighter than the larger one by a hundredth of the first one's mean."""

    def forward(self, first, second):
        return torch.maximum(first, second) + first.mean() / 100


def test_what_is_told_of_the_larger_of_both(tmp_path, monkeypatch):
    pairs(tmp_path, *"abc")
    monkeypatch.setattr(self_fusion, "load_pretrained", lambda *args, **kwargs: Larger())
    (row,) = self_fusion.main(["--data", str(tmp_path), "--every", "2"])
    sources = [[cv2.imread(f"{tmp_path}/{kind}/{name}.png", 0) / 255 for kind in ("vi", "ir")] for name in "ac"]
    smaller, larger, means = (
        [of(both, axis=0) for both in sources] for of in (np.minimum.reduce, np.maximum.reduce, np.mean)
    )
    fused = [of + visible.mean() / 100 for of, (visible, _) in zip(larger, sources, strict=True)]
    again = [-20 * np.log10(source.mean() / 100) for both in sources for source in both]

    def nearness(to):
        return np.mean([-10 * np.log10(((a - b) ** 2).mean()) for a, b in zip(fused, to, strict=True)])

    brighter = np.mean([255 * (a - b).mean() for a, b in zip(fused, means, strict=True)])
    expected = [np.mean(again), min(again), max(again), *map(nearness, (smaller, means, larger)), brighter]
    assert row["images"] == 4
    assert [row[name] for name in self_fusion.COLUMNS[2:]] == pytest.approx(expected, rel=1e-4)
    assert max(again) - min(again) > 0.1
