"""CDDFuse and AUIF-Net give what their authors' codes gave: outputs, losses, gradients."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_inputs import image, weight

from models import load_pretrained
from models.peers import AUIF, CDDFuse
from models.peers.auif import box_mean, combined, surround_minus_centre
from models.peers.cddfuse import stretched
from models.weights.peer_author_names import from_authors, our_name
from utils.training.peers import losses

EXPECTED = Path(__file__).parents[1] / "expected"
SHAPES = json.loads((EXPECTED / "peers_shapes.json").read_text())
PARTS = ("DIDF_Encoder", "DIDF_Decoder", "BaseFuseLayer", "DetailFuseLayer")


def filled(part, name, shape):
    """The value of a parameter, made from its name."""
    value, decoder = weight(f"{part}.{name}", shape), part == "auif_decoder"
    means = {"auif_base": 10 + 20 * value, "auif_detail": 10 * value, "auif_decoder": 0.2 + value}
    made = {
        "num_batches_tracked": np.zeros(shape, np.int64),
        "attn.temperature": 5 + 20 * value,
        "attn.scale": 5 + 20 * value,
        "body.weight": 1 + 4 * value,
        "bottleneckBlock.0.weight": 20 * value,
        "bottleneckBlock.5.weight": 0.3 * value,
        ".eta": 0.1 + value,
        ".theta": 0.2 + 4 * value,
        "running_mean": means.get(part),
        "running_var": 0.02 + 0.2 * np.abs(value) if decoder else 400 + 1000 * value,
        "rest.0.weight": 1 + 4 * value,
        "decoder.2.weight": 1 + 4 * value,
        "rest.1.weight": 0.25 + value,
    }
    return next((v for ending, v in made.items() if name.endswith(ending)), value)


def state(*parts):
    return {
        part: {f"module.{n}": torch.as_tensor(np.asarray(filled(part, n, s))) for n, s in SHAPES[part].items()}
        for part in parts
    }


def cddfuse(**options):
    model = CDDFuse(**options)
    model.load_state_dict(from_authors("cddfuse", state(*PARTS)))
    return model.eval()


def auif(rule="sum"):
    model = AUIF(rule)
    merged = {n: v for part in state("auif_base", "auif_detail", "auif_decoder").values() for n, v in part.items()}
    model.load_state_dict(from_authors("auif", merged))
    return model.eval()


def tensor(name, shape, dtype=torch.float32):
    return torch.from_numpy(image(name, shape)).to(dtype)


@pytest.fixture(scope="module")
def answers():
    return dict(np.load(EXPECTED / "peers_cddfuse_auif.npz"))


def near(found, expected, tolerance=2e-5):
    found = found.detach().double().numpy()
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def test_parameters():
    assert sum(p.numel() for p in CDDFuse().parameters()) == 1_188_272
    assert sum(p.numel() for p in AUIF().parameters()) == 11_631


@torch.no_grad()
def test_features_of_cddfuse(answers):
    model = cddfuse()
    visible, infrared = (tensor(f"cdd.f.{n}", (1, 1, 12, 16)) for n in ("vi", "ir"))
    near(model.encoder.shared(model.encoder.embed(visible)), answers["cdd.shared"])
    (base, detail), (base_i, detail_i) = model.encoder(visible), model.encoder(infrared)
    near(base, answers["cdd.base"])
    near(detail, answers["cdd.detail"])
    near(model.base_fuse(base + base_i), answers["cdd.fuse_base"])
    near(model.detail_fuse(detail + detail_i), answers["cdd.fuse_detail"])


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ivf", {"stretch": False}),
        ("ivf_stretched", {}),
        ("mif_sum", {"skip": "sum", "stretch": False}),
        ("mif_none", {"skip": "none", "stretch": False}),
    ],
)
def test_images_of_cddfuse(name, options, answers):
    fused = cddfuse(**options)(*(tensor(f"cdd.{n}", (1, 1, 45, 58)) for n in ("vi", "ir")))
    near(fused, answers[f"cdd.{name}"])


def norms(*parts):
    return torch.stack([torch.sqrt(sum((p.grad**2).sum() for p in part.parameters())) for part in parts])


def test_the_first_stage_of_cddfuse(answers):
    model = cddfuse().double().train()
    images = tuple(tensor(f"cdd.t.{n}", (2, 1, 32, 32), torch.float64) for n in ("vi", "ir"))
    features = tuple(model.encoder(x) for x in images)
    rebuilt = tuple(model.decoder(x, *f) for x, f in zip(images, features, strict=True))
    terms = losses.cddfuse_first(images, rebuilt, *features)
    near(terms, answers["cdd.phase1.terms"])
    terms[-1].backward()
    near(norms(model.encoder, model.decoder), answers["cdd.phase1.gradnorm"])
    named = dict(model.encoder.named_parameters())
    found = [key for key in answers if key.startswith("cdd.phase1.grad.")]
    assert len(found) == 5
    for key in found:
        near(named[our_name("cddfuse", key.removeprefix("cdd.phase1.grad."))].grad, answers[key])


def test_the_second_stage_of_cddfuse(answers):
    model = cddfuse().double().train()
    images = tuple(tensor(f"cdd.t.{n}", (2, 1, 32, 32), torch.float64) for n in ("vi", "ir"))
    features = tuple(model.encoder(x) for x in images)
    terms = losses.cddfuse_second(images, model.decode(*images, *features), *features)
    near(terms, answers["cdd.phase2.terms"])
    terms[-1].backward()
    near(norms(model.encoder, model.decoder, model.base_fuse, model.detail_fuse), answers["cdd.phase2.gradnorm"])


def test_the_parts_of_the_losses(answers):
    a, b = tensor("k.a", (2, 1, 28, 36)), tensor("k.b", (2, 1, 28, 36))
    b[1] = 1 - a[1]
    near(losses.dissimilarity(a, b, 11), answers["k.ssim11"])
    near(losses.dissimilarity(a, b, 3), answers["k.ssim3"])
    gradient = (losses.sobel(a, "replicate") - losses.sobel(b, "replicate")).abs().mean() / 8
    near(gradient, answers["k.spatial_gradient_l1"])
    near(losses.correlation(torch.cat((a, b), 1), torch.cat((b, a.flip(-1)), 1)), answers["k.cc"])
    near(losses.gradient_size(a[:1]), answers["k.sobel"])
    near(box_mean(a[:1]), answers["k.box11"])
    near(surround_minus_centre(a[:1]), answers["k.laplacian19"])


@torch.no_grad()
def test_images_of_auif(answers):
    infrared, visible = (tensor(f"auif.{n}", (1, 1, 40, 52)) for n in ("ir", "vi"))
    model = auif()
    near(model.base(infrared), answers["auif.base"])
    near(model.detail(infrared), answers["auif.detail"])
    for rule in ("sum", "average", "l1"):
        near(auif(rule)(visible, infrared), answers[f"auif.{rule}"])


def test_the_training_of_auif(answers):
    model = auif().double().train()
    x = tensor("auif.t", (4, 1, 32, 32), torch.float64)
    rebuilt = model.rebuild(x)
    near(rebuilt, answers["auif.train.recon"])
    terms = losses.auif_terms(x, rebuilt)
    near(terms, answers["auif.train.terms"])
    terms[-1].backward()
    decoder = torch.nn.ModuleList((model.conv, model.norm))
    near(norms(model.base, model.detail, decoder), answers["auif.train.gradnorm"])
    named = dict(model.named_parameters())
    found = [key for key in answers if key.startswith("auif.train.grad.")]
    assert len(found) == 5
    for key in found:
        near(named[our_name("auif", key.removeprefix("auif.train.grad.").partition(".")[2])].grad, answers[key])
    parts = (model.base.layers[0], model.base.layers[9], model.detail.layers[9], model)
    running = [(part.norm.running_mean, part.norm.running_var) for part in parts]
    near(torch.tensor(running).flatten(), answers["auif.train.running"])


def test_a_constant_image_is_not_divided_by_zero():
    black = torch.zeros(1, 1, 4, 4)
    assert combined("l1", black, black).tolist() == black.tolist()
    assert stretched(torch.full((1, 1, 4, 4), 0.5)).tolist() == torch.zeros(1, 1, 4, 4).tolist()


def test_the_authors_weights_of_auif(shared, answers):
    """On a crop of TNO-25's pair 17, from any of the three files."""
    from data.files.image_file import read_raster, to_gray

    folder = shared("datasets/cddfuse_test/TNO")
    crop = (slice(200, 296), slice(300, 420))
    images = [to_gray(read_raster(folder / kind / "17.png"))[0][crop] for kind in ("ir", "vi")]
    assert [float(i.sum()) for i in images] == answers["auif.released.input_sums"].tolist()
    infrared, visible = (torch.from_numpy(i / np.float32(255))[None, None] for i in images)
    for part in ("base_encoder", "detail_encoder", "decoder"):
        model = load_pretrained(shared(f"weights/auif_{part}.pth"), method="auif")
    for rule in ("sum", "average", "l1"):
        model.rule = rule
        with torch.no_grad():
            near(model(visible, infrared), answers[f"auif.released.{rule}"])
