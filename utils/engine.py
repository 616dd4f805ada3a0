"""The training loop of all four networks: steps, validation, checkpoints, and going on where a run stopped."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from data.errors import DataError
from models import load_pretrained, save_checkpoint
from models.checkpoint import load_extra

from . import distributed
from .average import Average
from .entry import quiet
from .loader import Batches
from .logs import Logs
from .objectives import Objective, start_actnorm
from .recipes import CLIP
from .state import check_same, random_state, set_random_state

ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
PRECISIONS = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Options:
    """How a recipe is run; see --help of the training scripts.

    Attributes:
        settings: what a resumed run must share with the one it goes on with.
    """

    folder: Path
    device: torch.device
    lr: float
    epochs: int
    milestones: tuple[int, ...] = ()
    clip: float = CLIP
    amp: str = "off"
    compile: bool = False
    ema: float = 0.0
    eval_every: int = 1
    save_every: int = 500
    steps: int | None = None
    skip_bad: bool = False
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Validation:
    """How a network is judged between epochs.

    Attributes:
        names: of the metrics; the first one decides which checkpoint is the best.
        better: 1 where a higher value of it is better, -1 where a lower one is.
        measure: the network in evaluation mode -> (means over the validation images, name -> image to look at).
    """

    names: tuple[str, ...]
    better: int
    measure: Callable[[nn.Module], tuple[dict[str, float], dict[str, np.ndarray]]]


class Trainer:
    """One training run.

    Args:
        objective: network and loss, on the device.
        batches: the training set.
        validation: see `Validation`.
        options: see `Options`.
    """

    def __init__(self, objective: Objective, batches: Batches, validation: Validation, options: Options) -> None:
        self.objective, self.model, self.batches, self.options = objective, objective.model, batches, options
        self.validation = validation
        parameters = [p for p in objective.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(parameters, lr=options.lr, **ADAM)
        self.scaler = torch.amp.GradScaler(options.device.type, enabled=options.amp == "fp16")
        self.average = Average(options.ema)
        self.epoch = self.step = self.total = self.skipped = 0
        self.sums = np.zeros(len(objective.names))
        self.best: float | None = None
        self.stop = False

    @property
    def last(self) -> Path:
        """The checkpoint that a run goes on from."""
        return self.options.folder / "last.pth"

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of `save`.

        Raises:
            CheckpointError: for files that are no such checkpoint, and runs with other settings.
        """
        self.model.load_state_dict(load_pretrained(path).state_dict())
        state = load_extra(path).get("training")
        if not isinstance(state, dict):
            raise DataError(path, "weights without a training state", "a last.pth of a training run")
        check_same(path, state["settings"], self.options.settings)
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        if state["average"] is not None:
            self.average.weights = {k: v.to(self.options.device) for k, v in state["average"].items()}
        self.epoch, self.step, self.total = state["epoch"], state["step"], state["total"]
        self.skipped, self.best = state["skipped"], state["best"]
        self.sums = np.array(state["sums"])
        set_random_state(state["random"])

    def save(self) -> None:
        """last.pth: network, optimiser and everything else, complete or not at all. One process writes."""
        if distributed.rank() == 0:
            state = {
                "settings": self.options.settings,
                "optimiser": self.optimiser.state_dict(),
                "scaler": self.scaler.state_dict(),
                "average": self.average.weights,
                "epoch": self.epoch,
                "step": self.step,
                "total": self.total,
                "skipped": self.skipped,
                "best": self.best,
                "sums": self.sums.tolist(),
                "random": random_state(),
            }
            save_checkpoint(self.last, self.model, {"training": state})

    def fit(self, config: dict) -> dict[str, float]:
        """Train to the last epoch, or until Ctrl-C or the limit of steps; returns the last validation's metrics."""
        if self.total == 0:
            first = self._on_device(self._checked(self.batches.first_batch()))
            start_actnorm(self.model, first["base_image"], first["guide"])
        step = self._prepared()
        metrics: dict[str, float] = {}
        logs = None
        if distributed.rank() == 0:
            self.options.folder.mkdir(parents=True, exist_ok=True)
            resumed = self.epoch - 1 if self.total else -1
            logs = Logs(
                self.options.folder, ["lr", *self.objective.names, *self.validation.names, "seconds"], config, resumed
            )
        handlers = {s: signal.signal(s, self._interrupted) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self.epoch < self.options.epochs and not self.stop:
                metrics = self._one_epoch(step, logs) or metrics
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if logs is not None:
                logs.close()
        return metrics

    @property
    def rate(self) -> float:
        """The learning rate of the current epoch: halved after every milestone that is behind."""
        return self.options.lr * 0.5 ** sum(milestone <= self.epoch for milestone in self.options.milestones)

    def _prepared(self) -> nn.Module:
        step: nn.Module = self.objective
        if self.options.compile:
            step = torch.compile(step)
        if distributed.world() > 1:
            ids = [self.options.device.index] if self.options.device.type == "cuda" else None
            step = nn.parallel.DistributedDataParallel(step, device_ids=ids)
        return step

    def _one_epoch(self, step: nn.Module, logs: Logs | None) -> dict[str, float] | None:
        start = time.perf_counter()
        count = len(self.batches)
        bar = tqdm(
            self.batches.epoch(self.epoch, self.step),
            desc=f"epoch {self.epoch + 1}/{self.options.epochs}",
            total=count,
            initial=self.step,
            unit="batch",
            disable=distributed.rank() != 0 or quiet(count),
        )
        for batch in bar:
            terms = self._one_step(step, self._checked(batch))
            self.sums += terms
            self.step, self.total = self.step + 1, self.total + 1
            bar.set_postfix(loss=f"{terms[0]:.4g}", lr=f"{self.rate:.2g}")
            if logs is not None:
                for name, value in zip(self.objective.names, terms, strict=True):
                    logs.scalar(f"step/{name}", value, self.total)
            limit = self.options.steps is not None and self.total >= self.options.steps
            self.stop = distributed.anywhere(self.stop or limit, self.options.device)
            if self.step < count and (self.stop or self.total % self.options.save_every == 0):
                self.save()
            if self.stop and self.step < count:
                return None
        return self._end_of_epoch(logs, time.perf_counter() - start)

    def _end_of_epoch(self, logs: Logs | None, seconds: float) -> dict[str, float] | None:
        rate = self.rate
        means = dict(zip(self.objective.names, self.sums / max(self.step, 1), strict=True))
        self.sums[:] = 0
        self.epoch, self.step = self.epoch + 1, 0
        due = self.epoch % self.options.eval_every == 0 or self.epoch == self.options.epochs
        metrics: dict[str, float] | None = None
        better = False
        if logs is not None:
            images: dict = {}
            if due:
                metrics, images = self._validated()
                value = metrics[self.validation.names[0]]
                better = bool(np.isfinite(value)) and (
                    self.best is None or self.validation.better * (value - self.best) > 0
                )
                self.best = value if better else self.best
            logs.row(self.epoch - 1, self.total, {"lr": rate, **means, **(metrics or {}), "seconds": round(seconds, 2)})
            for name, image in images.items():
                logs.image(name, image, self.epoch - 1)
        self.save()
        if better:
            with self.average.inside(self.model):
                about = {"epoch": self.epoch, "steps": self.total, "metrics": metrics}
                save_checkpoint(self.options.folder / "best.pth", self.model, about)
        distributed.wait()
        return metrics

    def _one_step(self, step: nn.Module, batch: dict) -> np.ndarray:
        options = self.options
        inputs = self._on_device(batch)
        self.objective.train()
        self.optimiser.zero_grad(set_to_none=True)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        dtype = PRECISIONS[options.amp]
        with torch.autocast(options.device.type, dtype=dtype, enabled=dtype is not None):
            terms = step(*(inputs[k] for k in ("base_image", "guide", "gt") if k in inputs))
        shown = distributed.mean(terms).cpu().numpy().astype(np.float64)
        if not np.isfinite(shown).all():
            raise FloatingPointError(self._diverged("loss", shown[0], batch))
        self.scaler.scale(terms[0]).backward()
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.objective.parameters(), options.clip)
        if not torch.isfinite(norm) and options.amp != "fp16":  # the scaler leaves out such steps by itself
            raise FloatingPointError(self._diverged("gradient's norm", float(norm), batch))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.average.update(self.model)
        return shown

    def _diverged(self, what: str, value: float, batch: dict) -> str:
        kept = f"the last good checkpoint is {self.last}" if self.last.exists() else "there is no checkpoint yet"
        names = ", ".join(batch["names"])
        return f"epoch {self.epoch + 1}, batch {self.step + 1}: found a {what} of {value:g} on {names}; {kept}"

    def _checked(self, batch: dict) -> dict:
        """The batch without bad samples, which end the run or, with skip_bad, are counted and replaced by others."""
        bad = distributed.anywhere(bool(batch["bad"]), self.options.device)
        if bad and (not self.options.skip_bad or not batch["names"]):
            message = batch["bad"][0] if batch["bad"] else "a sample of another process: found bad data"
            raise DataError(*_parts(message))
        for line in batch["bad"]:
            self.skipped += 1
            tqdm.write(f"left out: {line}")
        return batch

    def _on_device(self, batch: dict) -> dict[str, Tensor]:
        return {k: v.to(self.options.device, non_blocking=True) for k, v in batch.items() if isinstance(v, Tensor)}

    @torch.no_grad()
    def _validated(self) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        self.objective.eval()
        with self.average.inside(self.model):
            return self.validation.measure(self.model)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        """The first Ctrl-C ends the run after this step, the second one at once."""
        if self.stop:
            raise KeyboardInterrupt
        self.stop = True
        if distributed.rank() == 0:
            tqdm.write("stopping after this step; --resume goes on")


def _parts(message: str) -> tuple[str, str, str]:
    """A DataError's line in its three parts again."""
    where, _, rest = message.partition(": found ")
    found, _, expected = rest.partition(", expected ")
    return where, found or "bad data", expected or "a sample that can be read"
