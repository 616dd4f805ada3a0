"""A step as one CUDA graph: its thousands of launches are recorded once and repeated as one, the numbers the same."""

from collections.abc import Callable

import torch
from torch import Tensor

from utils import distributed
from utils.commandline.terminal import say

from .settings import Settings
from .update import Update

WARM_UP = 3  # steps before the recording: libraries choose their ways, Adam and the average make their tensors


def why_not(settings: Settings, one_graph: bool) -> str | None:
    """Why a training's steps cannot be recorded, for a note; None where they can.

    Args:
        settings: of the training.
        one_graph: whether every step of the objective runs the same operations.
    """
    if settings.device.type != "cuda":
        return f"it needs a CUDA GPU, the training runs on {settings.device}"
    if settings.amp == "fp16":
        return "fp16's scaler decides from step to step; bf16 can be recorded"
    if distributed.world() > 1:
        return "several processes meet inside a step"
    return None if one_graph else "the steps of this method differ from each other"


def recorded_or_plain(update: Update) -> "Recorded | Update":
    """A training's step, recorded where that can be; as it is, with a note, where it cannot."""
    reason = why_not(update.settings, update.objective.one_graph)
    if reason is None:
        return Recorded(update)
    say(f"note: --graph: {reason}; goes on without")
    return update


class Recorded:
    """`Update`, recorded after some steps; the steps before and those of other shapes are run as they are.

    Every call takes one step, the recording none by itself. Where it fails, a note says so and the steps go on plainly.

    Args:
        update: the step.
        graph: takes a function, records what it runs, and gives a function that repeats it; `cuda_graph`.
        alone: runs a function of a step before the recording; `on_side_stream`.
    """

    def __init__(
        self,
        update: Update,
        graph: Callable[[Callable[[], object]], Callable[[], None]] | None = None,
        alone: Callable[[Callable[[], tuple[Tensor, Tensor]]], tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        self.update = update
        self._graph, self._alone = graph or cuda_graph, alone or on_side_stream
        self._before, self._repeat = WARM_UP, None
        self._inputs: list[Tensor] = []
        self._outputs: list[tuple[Tensor, Tensor]] = []
        for group in update.optimiser.param_groups:  # a number would be recorded as it is now
            group["lr"] = torch.tensor(float(group["lr"]), device=update.settings.device)

    def __call__(self, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step; arguments and results as of `Update`."""
        if self._before:
            self._before -= 1
            return self._alone(lambda: self.update(sources))
        if self._repeat is None and not self._inputs:
            self._record(sources)
        if self._repeat is None or [x.shape for x in sources] != [x.shape for x in self._inputs]:
            return self.update(sources)
        for own, given in zip(self._inputs, sources, strict=True):
            own.copy_(given, non_blocking=True)
        self._repeat()
        terms, norm = self._outputs[-1]
        return terms.clone(), norm.clone()  # the next step writes to the same places

    def _record(self, sources: list[Tensor]) -> None:
        self._inputs = [x.clone() for x in sources]
        self.update.optimiser.zero_grad(set_to_none=True)  # gradients then belong to the graph's memory
        self._capturable(self.update.settings.device.type == "cuda")
        try:
            self._repeat = self._graph(lambda: self._outputs.append(self.update(self._inputs)))
        except RuntimeError as error:
            self._outputs.clear()
            why = " ".join(str(error).split())[:200]
            say(f"note: --graph: the step could not be recorded ({why}); goes on without")
        finally:
            self._capturable(False)

    def _capturable(self, value: bool) -> None:
        """Tell Adam that it is being recorded; it warns where it is told so at other times."""
        for group in self.update.optimiser.param_groups:
            group["capturable"] = value


def cuda_graph(function: Callable[[], object]) -> Callable[[], None]:
    """Record what a function launches on the current CUDA device; nothing is computed until it is repeated."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function()
    return graph.replay


def on_side_stream(function: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Run a function on a stream of its own, as PyTorch asks for before a recording."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        results = function()
    torch.cuda.current_stream().wait_stream(side)
    return results
