"""The start of DeFusion++'s short trainings: patches go in and come out."""

import pytest
import torch
from torch.nn import functional

import train_peers
from models.peers import DeFusion
from models.peers.defusion_cosine_start import GAIN, cosine_start, waves
from models.peers.vit import image_of


def test_waves_are_orthonormal_the_slowest_first():
    found = waves()
    assert found.shape == (192, 3, 16, 16)
    flat = found.flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(192), atol=1e-6)
    assert torch.allclose(found[0], torch.full((3, 16, 16), (3 * 256) ** -0.5))
    turns = (found[:, 0].sign().diff(dim=1) != 0).sum((1, 2)) + (found[:, 0].sign().diff(dim=2) != 0).sum((1, 2))
    assert turns[:10].max() < turns[140:160].min()


@torch.no_grad()
def test_what_is_embedded_is_drawn():
    torch.manual_seed(0)
    model = DeFusion()
    cosine_start(model)
    gray = functional.interpolate(torch.rand(1, 1, 14, 14), size=224).expand(1, 3, -1, -1)  # flat patches
    slopes = gray + torch.linspace(-1, 1, 16).repeat(14) * torch.tensor([1.0, 0.5, -1.0]).view(1, 3, 1, 1)
    for image in (gray, slopes):
        tokens = functional.conv2d(image, model.encoder.patch_embed.weight, stride=16).flatten(2).transpose(1, 2)
        tokens = torch.cat((tokens[:, :1], tokens), 1)
        for head in (model.common_head, model.unique_head, model.fuse_head, model.masked):
            drawn = image_of(tokens @ head.linear.weight.T)
            error = (drawn / GAIN**2 - image).norm() / image.norm()
            assert error < (1e-5 if image is gray else 0.05)


def test_the_training_starts_with_them(monkeypatch, capsys):
    monkeypatch.setattr(train_peers, "run", lambda name, args, numbers, prepare: prepare().build())
    plain, cosines = (
        train_peers.main(["defusion", *options]).encoder.patch_embed.weight.flatten(1)
        for options in ([], ["--cosines"])
    )
    assert torch.allclose(cosines @ cosines.T, GAIN**2 * torch.eye(192), atol=1e-6)
    assert not torch.allclose(plain @ plain.T, GAIN**2 * torch.eye(192), atol=1e-2)
    with pytest.raises(SystemExit):
        train_peers.main(["defusion", "--cosines", "--weights", "x.pth"])
    assert "--cosines: found beside --weights" in capsys.readouterr().err
