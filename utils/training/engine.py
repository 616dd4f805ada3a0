"""The training loop of all networks: steps, validation, checkpoints, and resuming a stopped run."""

import time
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from data.errors import DataError
from models import load_pretrained, save_checkpoint
from models.weights.files import WeightFile
from utils import distributed
from utils.commandline.progress import progress
from utils.commandline.signals import asked_to_stop

from . import resume, run_folder
from .graphs import Recorded, recorded_or_plain
from .loader import Batches
from .logs import Logs
from .objectives import Group, Objective
from .readings import Reading, Readings
from .settings import Settings
from .update import Update
from .validation import Validation, validated


class Trainer:
    """One training run.

    Args:
        objective: network and loss, on the device.
        batches: the training set in batches.
        validation: how the network is validated between epochs.
        settings: how the training is run.
    """

    def __init__(self, objective: Objective, batches: Batches, validation: Validation, settings: Settings) -> None:
        self.objective, self.model, self.batches, self.settings = objective, objective.model, batches, settings
        objective.at_once = settings.at_once
        self.validation = validation
        if settings.channels_last:
            self.model.to(memory_format=torch.channels_last)
        self.update = Update(objective, settings)
        self.groups, self.optimiser, self.average = self.update.groups, self.update.optimiser, self.update.average
        self.readings = Readings(settings.read_every)
        self.epoch = self.step = self.total = self.skipped = 0
        self.sums = np.zeros(len(objective.names))
        self.best: float | None = None
        self.sound = False  # whether last.pth is known to be readable
        self.asked = self.stop = False  # stop requested in this process; agreed by all after a step

    def resume(self, file: WeightFile) -> None:
        """Restore the state that `save` wrote to a checkpoint.

        Raises:
            CheckpointError, DataError: for a file without a training state, and a run with other settings.
        """
        state = resume.training_state(file, self.settings.shared)
        with resume.fitting(file.path):
            self.model.load_state_dict(load_pretrained(file, method=None).state_dict())
            resume.load_optimiser(self.optimiser, state["optimiser"])
            self.update.scaler.load_state_dict(state["scaler"])
            self.average.load(resume.checked_average(state["average"], self.model), self.settings.device)
            for name, value in resume.checked_counters(state).items():
                setattr(self, name, value)
            self.skipped = self.skipped if distributed.rank() == 0 else 0  # the sum over all processes
            self.sums = np.array(state["sums"], np.float64) * np.ones(len(self.objective.names))
            resume.set_random_state(state["random"])
        self.sound = self.settings.last.exists() and file.path.samefile(self.settings.last)

    def save(self) -> None:
        """Write last.pth atomically, with network, optimiser and all other state; the first process writes.

        The old last.pth becomes previous.pth, but only if this run has read or written it, since it may be damaged.

        Raises:
            FloatingPointError: for weights that are not finite; last.pth is not changed then.
        """
        if not torch.stack([torch.isfinite(p).all() for p in self.model.parameters()]).all():
            raise FloatingPointError(f"step {self.total}: found weights that are not finite; {self._kept()}")
        if distributed.rank() == 0:
            state = {
                "settings": self.settings.shared,
                "optimiser": self.update.optimiser_state(),
                "scaler": self.update.scaler.state_dict(),
                "average": self.average.weights,
                "sums": self.sums.tolist(),
                "random": resume.random_state(),
                **{name: getattr(self, name) for name in resume.COUNTERS},
            }
            if self.sound:
                run_folder.keep_previous(self.settings)
            save_checkpoint(self.settings.last, self.model, {"training": state})
            self.sound = True

    def fit(self, config: dict) -> dict[str, float]:
        """Train to the last epoch, Ctrl-C or the limit of steps; return the last validation's metrics, if any."""
        if self.total == 0:
            self.objective.start(self._on_device(self._usable(self.batches.first_batch())))
        objective, mode = self.objective, self.settings.compile
        compiled = torch.compile(objective, mode=mode) if mode else objective
        self.update.run = distributed.shared(compiled, self.settings.device, objective.unused)
        step = recorded_or_plain(self.update) if self.settings.graph else self.update
        metrics: dict[str, float] = {}
        logs = None
        with ExitStack() as held:
            if distributed.rank() == 0:
                held.enter_context(run_folder.claimed(self.settings, fresh=self.total == 0))
                columns = ["lr", *self.objective.names, *self.validation.names, "seconds"]
                logs = Logs(self.settings.folder, columns, config, self.epoch, self.total)
                held.callback(logs.close)
            self.stop = self._enough()
            held.enter_context(asked_to_stop(self._interrupted))
            while self.epoch < self.settings.recipe.epochs and not self.stop:
                metrics = self._one_epoch(step, logs) or metrics
                self.stop = distributed.anywhere(self.asked or self._enough())
        return metrics

    def _rate(self, group: Group) -> float:
        """Return a group's learning rate in the current epoch, reduced by each milestone that has passed."""
        behind = sum(group.since < milestone <= self.epoch for milestone in self.settings.recipe.milestones)
        return self.settings.recipe.lr * group.factor * self.settings.recipe.gamma**behind

    def _enough(self) -> bool:
        """Whether the limit of steps has been reached."""
        return self.settings.steps is not None and self.total >= self.settings.steps

    def _one_epoch(self, step: Update | Recorded, logs: Logs | None) -> dict[str, float] | None:
        start = time.perf_counter()
        count = len(self.batches)
        bar = progress(
            self.batches.epoch(self.epoch, self.step),
            desc=f"epoch {self.epoch + 1}/{self.settings.recipe.epochs}",
            total=count,
            initial=self.step,
            unit="batch",
            further=0 if self.settings.steps else (self.settings.recipe.epochs - self.epoch - 1) * count,
        )
        for batch in bar:
            terms, norm = self._one_step(step, self._checked(batch))
            self.step, self.total = self.step + 1, self.total + 1
            self.readings.add(self.step, self.total, batch["names"], terms, norm)
            self.stop = distributed.anywhere(self.asked or self._enough())
            saved = self.stop or self.total % self.settings.save_every == 0
            if self.readings.due or saved or self.step == count:
                shown = self._read(logs)
                bar.set_postfix(loss=f"{shown[0]:.4g}", lr=f"{self._rate(self.groups[0]):.2g}")
            if self.step < count and saved:
                self.save()
            if self.stop and self.step < count:
                return None
        return self._end_of_epoch(logs, time.perf_counter() - start)

    def _end_of_epoch(self, logs: Logs | None, seconds: float) -> dict[str, float] | None:
        rate = self._rate(self.groups[0])
        means = dict(zip(self.objective.names, self.sums / max(self.step, 1), strict=True))
        self.sums[:] = 0
        self.epoch, self.step = self.epoch + 1, 0
        due = self.epoch % self.settings.eval_every == 0 or self.epoch == self.settings.recipe.epochs
        metrics, images = self._validated() if due else (None, {})
        if logs is not None:
            if metrics and self.epoch > self.objective.judged_after:
                self._keep_best(metrics)
            logs.row(self.epoch - 1, self.total, {"lr": rate, **means, **(metrics or {}), "seconds": round(seconds, 2)})
            for name, image in images.items():
                logs.image(name, image, self.total)
        self.save()
        distributed.wait()
        return metrics

    def _keep_best(self, metrics: dict[str, float]) -> None:
        """Write best.pth before last.pth: a run killed in between repeats the validation with the same result."""
        value = metrics[self.validation.names[0]]
        if self.validation.improves(value, self.best):
            self.best = value
            with self.average.inside(self.model):
                about = {"epoch": self.epoch, "steps": self.total, "metrics": metrics}
                save_checkpoint(self.settings.best, self.model, about)

    def _one_step(self, step: Update | Recorded, batch: dict) -> tuple[Tensor, Tensor]:
        """Take one step; return the terms of the loss, (terms,), and the gradient's norm, both on the device."""
        inputs = self._on_device(batch)
        self.objective.train()
        self.objective.epoch = self.epoch
        self.update.set_rates([self._rate(group) for group in self.groups])
        return step([inputs[k] for k in self.objective.roles if k in inputs])

    def _read(self, logs: Logs | None) -> np.ndarray:
        """Check, sum up and log the losses since the last reading; return the last step's terms.

        Raises:
            FloatingPointError: for the first loss or gradient norm that is not finite. No checkpoint is newer than it,
                because the losses are read before each checkpoint.
        """
        for reading in self.readings.read():
            if not np.isfinite(reading.terms).all():
                raise FloatingPointError(self._diverged("loss", reading.terms[0], reading))
            if not np.isfinite(reading.norm) and self.settings.amp != "fp16":  # the scaler leaves out such steps itself
                raise FloatingPointError(self._diverged("gradient's norm", reading.norm, reading))
            self.sums += reading.terms
            if logs is not None:
                logs.scalars("step", dict(zip(self.objective.names, reading.terms, strict=True)), reading.total)
        return reading.terms

    def _diverged(self, what: str, value: float, reading: Reading) -> str:
        shared = "the batch, of which this process has " if distributed.world() > 1 else ""
        names = shared + ", ".join(reading.names)
        return f"epoch {self.epoch + 1}, batch {reading.step}: found a {what} of {value:g} on {names}; {self._kept()}"

    def _kept(self) -> str:
        last = self.settings.last
        return f"the last good checkpoint is {last}" if last.exists() else "there is no checkpoint yet"

    def _checked(self, batch: dict) -> dict:
        """Return the batch after counting and reporting its bad samples."""
        for parts in self._usable(batch)["bad"]:
            self.skipped += 1
            tqdm.write(f"left out: {DataError(*parts)}")
        return batch

    def _usable(self, batch: dict) -> dict:
        """Return the batch. A bad sample in any process raises DataError, unless `skip_bad` has replaced it."""
        bad = distributed.anywhere(bool(batch["bad"]))
        if bad and (not self.settings.skip_bad or not batch["names"]):
            elsewhere = ("a sample of another process", "bad data", "one that can be read")
            raise DataError(*(batch["bad"] or [elsewhere])[0])
        return batch

    def _on_device(self, batch: dict) -> dict[str, Tensor]:
        layout = torch.channels_last if self.settings.channels_last else torch.preserve_format
        tensors = {k: v for k, v in batch.items() if isinstance(v, Tensor)}
        return {k: v.to(self.settings.device, non_blocking=True, memory_format=layout) for k, v in tensors.items()}

    def _validated(self) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        try:
            return validated(self.validation, self.objective, self.average)
        except FloatingPointError as error:
            raise FloatingPointError(f"validation after epoch {self.epoch}: {error}; {self._kept()}") from None

    def _interrupted(self, *_: object) -> None:
        """End the run after this step at the first Ctrl-C, at once at the second."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if distributed.rank() == 0:
            tqdm.write("stopping after this step; --resume goes on")
