"""benchmarks/self_fusion.py: what it says of a fusion that is known."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from outputs import pairs
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import self_fusion


class Larger(nn.Module):
    """Brighter than the larger one by 2 of 255."""

    def forward(self, first, second):
        return torch.maximum(first, second) + 2 / 255


def test_what_is_told_of_the_larger_of_both(tmp_path, monkeypatch):
    pairs(tmp_path, *"abc")
    monkeypatch.setattr(self_fusion, "load_pretrained", lambda *args, **kwargs: Larger())
    (row,) = self_fusion.main(["--data", str(tmp_path), "--every", "2"])
    sources = [[cv2.imread(f"{tmp_path}/{kind}/{name}.png", 0) / 255 for kind in ("vi", "ir")] for name in "ac"]
    brighter = np.mean([255 * (np.maximum(*both) - np.mean(both, axis=0)).mean() + 2 for both in sources])
    least = np.mean([-10 * np.log10(((np.maximum(*b) + 2 / 255 - np.minimum(*b)) ** 2).mean()) for b in sources])
    off = -20 * np.log10(2 / 255)
    assert row["images"] == 4
    found = [row[name] for name in ("itself", "least", "largest", "minimum", "maximum", "brighter")]
    assert found == pytest.approx([off, off, off, least, off, brighter], rel=1e-4)
    assert row["minimum"] < row["mean"] < row["maximum"]
