"""Trainings of the peers: by the engine of the others, by their own recipes."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import train_peers
from data.patches.pairs import PairGrid
from data.patches.single_images import FolderImages, GrayCrops, PairImages, Views
from data.samples import sample_pairs
from models import load_pretrained
from models.peers import AUIF, CDDFuse
from models.weights.checkpoint import load_extra
from utils.training.engine import Trainer
from utils.training.loader import Batches
from utils.training.peers import tasks as peer_tasks
from utils.training.peers.objectives import RebuildObjective, TwoStageObjective
from utils.training.settings import Settings
from utils.training.validation import Validation

NOTHING = Validation(("loss",), -1, lambda _: ({"loss": 1.0}, {}))


def train(method, folder, *options):
    return train_peers.main([method, "--output", str(folder), *map(str, options)])


def rows(folder):
    with (folder / "train.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_recipes_are_the_authors():
    auif, cddfuse, defusion = (train_peers.RECIPES[m] for m in ("auif", "cddfuse", "defusion"))
    assert (auif.lr, auif.epochs, auif.batch, auif.patch, auif.milestones, auif.gamma) == (
        1e-2,
        80,
        32,
        128,
        (41,),
        0.1,
    )
    assert auif.clip == math.inf
    assert (cddfuse.lr, cddfuse.epochs, cddfuse.batch, cddfuse.patch, cddfuse.clip) == (1e-4, 120, 8, 128, 0.01)
    assert (cddfuse.milestones, cddfuse.first_stage) == ((20, 40, 60, 80, 100), 40)
    assert (defusion.lr, defusion.epochs, defusion.batch, defusion.patch, defusion.clip) == (4e-4, 50, 16, 224, 20)
    assert defusion.milestones == (20, 40, 45, 47)
    latent = train_peers.RECIPES["defusion_latent"]
    assert (latent.lr, latent.epochs, latent.batch, latent.patch, latent.clip) == (1e-4, 200, 16, 224, 20)
    assert (latent.milestones, latent.gamma) == ((80, 160, 180, 190), 0.5)


def engine(objective, numbers, tmp_path):
    source = PairGrid(sample_pairs(), [0], 32)
    settings = Settings(tmp_path, torch.device("cpu"), numbers)
    return Trainer(objective, Batches(source, 1, 0), NOTHING, settings)


def test_the_rates_of_the_parts(tmp_path):
    def rates(trainer, epoch):
        trainer.epoch = epoch
        return [trainer._rate(group) for group in trainer.groups]

    auif = engine(RebuildObjective(AUIF()), train_peers.RECIPES["auif"], tmp_path)
    assert rates(auif, 40) == pytest.approx([1e-2, 1e-3, 1e-2])
    assert rates(auif, 41) == pytest.approx([1e-3, 1e-4, 1e-3])
    numbers = train_peers.RECIPES["cddfuse"]
    cddfuse = engine(TwoStageObjective(CDDFuse(), numbers.first_stage), numbers, tmp_path)
    assert rates(cddfuse, 19) == pytest.approx([1e-4] * 4)
    assert rates(cddfuse, 40) == pytest.approx([2.5e-5, 2.5e-5, 1e-4, 1e-4]), "the fusion layers begin there"
    assert rates(cddfuse, 60) == pytest.approx([1.25e-5, 1.25e-5, 5e-5, 5e-5])
    assert sum(len(g.parameters) for g in cddfuse.groups) == len(list(cddfuse.model.parameters()))


def test_gradients_are_clipped_part_by_part(tmp_path):
    numbers = train_peers.RECIPES["cddfuse"]
    trainer = engine(TwoStageObjective(CDDFuse(), 0), numbers, tmp_path)
    trainer._one_step(trainer.update, next(iter(trainer.batches.epoch(0))))
    norms = [torch.sqrt(sum((p.grad**2).sum() for p in g.parameters)) for g in trainer.groups]
    assert [float(n) for n in norms] == pytest.approx([0.01] * 4, rel=1e-3)


def changed(model, before):
    """The parts of which something has."""
    state = model.state_dict()
    return {name.partition(".")[0] for name in state if not torch.equal(state[name], before[name])}


def test_the_first_stage_leaves_the_fusion_layers_alone(tmp_path):
    model = CDDFuse()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = engine(TwoStageObjective(model, 1), train_peers.RECIPES["cddfuse"], tmp_path)
    batch = next(iter(trainer.batches.epoch(0)))
    first, _ = trainer._one_step(trainer.update, batch)
    moved = {
        name.partition(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved == {"encoder", "decoder"}
    trainer.epoch = 1
    second, _ = trainer._one_step(trainer.update, batch)
    named = [dict(zip(trainer.objective.names, terms, strict=True)) for terms in (first, second)]
    assert named[0]["intensity"] == named[1]["rebuilt_visible"] == 0
    assert named[0]["rebuilt_visible"] > 0 < named[1]["intensity"]
    moved = {
        name.partition(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved == {"encoder", "decoder", "base_fuse", "detail_fuse"}


def test_a_training_lowers_its_validation_loss_and_goes_on(tmp_path):
    options = ("--batch", 4, "--patch", 32, "--hold-back", 1, "--seed", 3)
    train("auif", tmp_path / "whole", "--epochs", 8, *options)
    losses = [float(row["val_loss"]) for row in rows(tmp_path / "whole")]
    assert min(losses[4:]) < losses[0]
    train("auif", tmp_path / "parts", "--epochs", 8, "--steps", 7, *options)
    train("auif", tmp_path / "parts", "--epochs", 8, "--resume", *options)
    whole, parts = (load_pretrained(tmp_path / name / "last.pth", method="auif") for name in ("whole", "parts"))
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), parts.state_dict().values(), strict=True))
    run = json.loads((tmp_path / "whole/run.json").read_text())
    assert run["model"] == {"method": "auif", "rule": "sum"}
    assert run["parameters"] == 11_631


@pytest.mark.slow
def test_defusion_lowers_it_too(tmp_path):
    train("defusion", tmp_path / "run", "--epochs", 4, "--batch", 4)
    losses = [float(row["val_loss"]) for row in rows(tmp_path / "run")]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_both_stages_of_cddfuse_run_and_go_on(tmp_path):
    options = ("--patch", 32, "--batch", 5, "--first-stage", 1, "--eval-every", 9)
    train("cddfuse", tmp_path / "run", "--epochs", 1, *options)
    train("cddfuse", tmp_path / "run", "--epochs", 2, "--resume", *options)
    first, second = rows(tmp_path / "run")
    assert float(first["intensity"]) == float(second["rebuilt_visible"]) == 0
    assert float(first["rebuilt_visible"]) > 0
    assert float(second["intensity"]) > 0


def test_an_incomplete_last_batch():
    source = PairGrid(sample_pairs(), [0], 32)  # four patches
    count = len(source)
    for short, sizes in ((False, [3] * (count // 3)), (True, [3] * (count // 3) + [count % 3] * bool(count % 3))):
        batches = Batches(source, 3, 0, short_last=short)
        assert [len(row) for row in batches.order(0)] == sizes
        assert len(batches) == len(sizes)
        assert [len(batch["names"]) for batch in batches.epoch(0)] == sizes


def test_patches_of_low_contrast_are_left_out():
    rng = np.random.default_rng(0)
    pair = {"name": "a", "colour": None, "coloured": "visible"}
    pair |= {key: 0.2 + 0.6 * rng.random((1, 240, 440), np.float32) for key in ("visible", "infrared")}
    assert PairGrid([pair], [0], 40).places == [(0, t, c) for t in (0, 200) for c in (0, 200, 400)]
    pair["visible"][:, :40, 200:240] = 0.5
    pair["infrared"][:, 200:240, 400:440] = 0
    assert PairGrid([pair], [0], 40).places == [(0, 0, 0), (0, 0, 400), (0, 200, 0), (0, 200, 200), (0, 200, 400)]


def test_single_images(tmp_path):
    from skimage.io import imsave

    images = PairImages(sample_pairs())
    assert len(images) == 8
    crops, views = GrayCrops(images, 48), Views(images, 224)
    first, again, other = (crops.sample(2, np.random.default_rng(seed))["image"] for seed in (0, 0, 1))
    assert first.shape == (1, 48, 48)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    sample = views.sample(3, np.random.default_rng(0))
    assert {name: value.shape for name, value in sample.items() if name != "name"} == {
        "view1": (3, 224, 224),
        "view2": (3, 224, 224),
        "image": (3, 224, 224),
        "mask1": (1, 224, 224),
        "mask2": (1, 224, 224),
    }
    (tmp_path / "deeper").mkdir()
    imsave(tmp_path / "deeper/a.png", np.zeros((40, 50, 3), np.uint8), check_contrast=False)
    imsave(tmp_path / "b.png", np.full((40, 50), 65535, np.uint16), check_contrast=False)
    found = FolderImages(tmp_path)
    assert [(name, picture.size) for name, picture in found] == [("b", (50, 40)), ("a", (50, 40))]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["other"], "choose from"),
        (["defusion", "--whole", "1"], "--whole: found 1, expected a number from 0 to under 1"),
        (["auif", "--whole", "0.5"], "--whole"),
        (["defusion", "--soft", "nan"], "--soft: found nan, expected a number from 0 to under 1"),
        ([], "method"),
        (["defusion", "--patch", "64"], "--patch: found 64, expected 224"),
        (["auif", "--data", "none"], "none: found no such folder"),
        (["auif", "--hold-back", "4"], "--hold-back"),
        (["cddfuse", "--hold-back", "4"], "--hold-back"),
        (["cddfuse", "--first-stage", "-1"], "--first-stage"),
        (["auif", "--without", "anet"], "--without"),
    ],
)
def test_bad_options(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        train_peers.main(options)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_best_weights_are_of_the_last_stage(tmp_path):
    numbers = replace(train_peers.RECIPES["cddfuse"], epochs=2)
    trainer = engine(TwoStageObjective(CDDFuse(), 1), numbers, tmp_path)
    trainer.validation = Validation(("loss",), -1, lambda _: ({"loss": float(trainer.epoch)}, {}))
    trainer.fit({})
    assert load_extra(tmp_path / "best.pth")["epoch"] == 2
    assert trainer.best == 2


def test_cddfuse_is_judged_before_the_stretch(tmp_path, monkeypatch):
    model, said = CDDFuse(), []
    validation = Validation(("loss",), -1, lambda m: said.append(m.stretch) or ({"loss": 1.0}, {}))
    peer_tasks._unstretched(validation, model)
    assert said == [False]
    assert model.stretch
