"""Small valid checkpoints of every kind, the training that writes and resumes one, and checkpoints that are twisted."""

import collections
import copy
import functools
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import torch

from models import dcinn_ivf, dcinn_ps, save_checkpoint
from models.peers import AUIF
from models.weights.author_names import to_released
from models.weights.files import open_weights
from utils.training import engine
from utils.training.engine import Trainer
from utils.training.loader import Batches
from utils.training.objectives import DetailObjective
from utils.training.recipe import Recipe
from utils.training.settings import Settings
from utils.training.validation import Validation

from .array_files import Mark

Rng = np.random.Generator
BANDS, PATCH = 2, 8
TEXTS = ("", "two\nlines", "long " * 3000, "f_model_state_dict", "format", "model", "weight", "\udcff")


class Patches:
    """Three training patches of noise, always the same."""

    def __len__(self) -> int:
        return 3

    def sample(self, index: int, rng: Rng | None = None) -> dict:
        """Patch `index`."""
        rng = np.random.default_rng(index)
        bands = {role: rng.random((BANDS, PATCH, PATCH), np.float32) for role in ("base_image", "gt")}
        return {"name": f"{index}", "guide": rng.random((1, PATCH, PATCH), np.float32), **bands}


class Silent:
    """In the place of a training's logs."""

    def __init__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def trainer(folder: Path) -> Trainer:
    """A training of the smallest network, two steps long; its state goes to folder/last.pth."""
    torch.manual_seed(0)
    model = dcinn_ps(BANDS, low_blocks=1)
    validation = Validation(("loss",), -1, lambda _: ({"loss": 1.0}, {}))
    shared = {"task": "ps", "lr": 1e-4, "milestones": [1], "model": model.config.as_dict()}
    recipe = Recipe(1e-4, 9, 2, 8, (1,))
    settings = Settings(folder, torch.device("cpu"), recipe, ema=0.5, steps=2, shared=shared)
    return Trainer(DetailObjective(model, 0.0, "predicted"), Batches(Patches(), 2, 0), validation, settings)


def go_on(path: Path, folder: Path) -> None:
    """Resume from this checkpoint, and run one step more."""
    training = trainer(folder)
    training.resume(open_weights(path))
    training.settings.steps = training.total + 1
    with patch.object(engine, "Logs", Silent):
        training.fit({})


@functools.cache
def contents(kind: str) -> object:
    """What a valid file of "ours", "theirs", "bare", "peer" or "last" holds."""
    torch.manual_seed(0)
    if kind == "peer":
        with TemporaryDirectory() as folder:
            save_checkpoint(Path(folder) / "w.pth", AUIF(), {"epoch": 3})
            return torch.load(Path(folder) / "w.pth", weights_only=True)
    if kind in ("ours", "last"):
        with TemporaryDirectory() as folder, patch.object(engine, "Logs", Silent):
            training = trainer(Path(folder))
            if kind == "last":
                training.fit({})
            else:
                save_checkpoint(training.settings.last, training.model, {"epoch": 3, "note": "x"})
            return torch.load(training.settings.last, weights_only=True)
    state = to_released(dcinn_ivf("max", low_blocks=1) if kind == "bare" else dcinn_ps(BANDS, low_blocks=1))
    return state if kind == "bare" else {"f_model_state_dict": state}


def write_weights(kind: str, path: Path, rng: Rng, twisted: bool, mark: str) -> None:
    """A checkpoint of this kind; twisted: with one or two entries that are other than a loader expects.

    Args:
        kind: "ours", "theirs", "bare", "peer", "last".
        path: the file.
        rng: decides everything.
        twisted: see above.
        mark: a file that a pickle in the checkpoint would make if it were executed.
    """
    content = contents(kind)
    if twisted and rng.random() < 0.1:
        path.write_bytes(pickle.dumps([Mark(mark), content][: int(rng.integers(1, 3))], int(rng.integers(2, 6))))
        return
    if twisted:
        content = _copied(content)
        for _ in range(int(rng.integers(1, 3))):
            content = _twisted(content, rng, mark)
    torch.save(content, path, _use_new_zipfile_serialization=bool(rng.random() < 0.8))


def _copied(value: object) -> object:
    """Containers are copied, tensors shared."""
    if isinstance(value, dict):
        return type(value)((k, _copied(v)) for k, v in value.items())
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _twisted(content: object, rng: Rng, mark: str) -> object:
    """With one entry, somewhere, changed; a few in the whole rather than in a part."""
    holder, key, value = None, None, content
    while isinstance(value, dict | list) and value and (holder is None or rng.random() < 0.85):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        holder, key = value, keys[int(rng.integers(len(keys)))]
        value = holder[key]
    if holder is None:
        return _odd(content, rng, mark)
    what = rng.random()
    if what < 0.15:
        del holder[key]
    elif what < 0.3 and isinstance(holder, dict):
        names = (*TEXTS, 3, None, (1, 2), 2.5, True, f"{key}x")
        holder[names[int(rng.integers(len(names)))]] = holder.pop(key) if rng.random() < 0.5 else value
    else:
        holder[key] = _odd(value, rng, mark)
    return content


def _odd(value: object, rng: Rng, mark: str) -> object:
    if isinstance(value, torch.Tensor) and _plain(value) and rng.random() < 0.6:
        return _odd_tensor(value, rng)
    nest: list = []
    for _ in range(400):
        nest = [nest]
    plain = (
        *(None, True, -1, 0, 10**30, 10**5000, 1e308, float("nan"), float("inf"), b"x\n", [], {}, (), [[1]], (1, 2)),
        *({1: 2}, {"a": 1}, collections.OrderedDict(a=1), [float("nan")] * 3, [10**400], ["a", [1]], nest, *TEXTS),
        *(torch.zeros(0), torch.zeros(3), torch.tensor(float("nan")), torch.zeros(2, dtype=torch.complex64)),
        *(torch.zeros(1).expand(2**20, 2**20), torch.eye(3).to_sparse(), torch.zeros(2, device="meta")),
        *(torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), torch.nn.Parameter(torch.ones(2))),
        *(Mark(mark), copy.copy, np.float64(3), np.zeros(3), torch.float32, torch.Size([1]), complex(1, 2), range(3)),
    )
    return plain[int(rng.integers(len(plain)))]


def _plain(value: torch.Tensor) -> bool:
    """Whether it can be computed with: not changed before, say to a sparse one or to 2**40 numbers."""
    usual = value.layout is torch.strided and value.device.type == "cpu" and not value.is_quantized
    return usual and value.numel() < 2**24


def _odd_tensor(value: torch.Tensor, rng: Rng) -> torch.Tensor:
    made = (
        lambda: value * float("nan"),
        lambda: value.double() * 1e300,
        lambda: value.double() + 1e300,
        lambda: value.to(torch.complex64),
        value.bool,
        lambda: value.half() if value.is_floating_point() else value.float(),
        value.long,
        lambda: value.to(torch.int8),
        lambda: value[None],
        lambda: value.flatten()[:-1],
        lambda: value.flatten()[:1].expand(2**20, 2**20) if value.numel() else value,
        lambda: value.flatten()[:1].expand(value.numel()).reshape(value.shape) if value.numel() else value,
        lambda: value.to_sparse() if value.ndim else value,
        lambda: value.to("meta"),
        lambda: value[..., :0] if value.ndim else value,
        lambda: value.to(torch.float8_e4m3fn),
    )
    return made[int(rng.integers(len(made)))]()
