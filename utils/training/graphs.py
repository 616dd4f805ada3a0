"""Records a training step as one CUDA graph: one launch repeats its thousands of kernels, with the same results."""

from collections.abc import Callable

import torch
from torch import Tensor

from utils import distributed
from utils.commandline.terminal import say

from .compilation import WITH_GRAPHS
from .settings import Settings
from .update import Update

WARM_UP = 3  # steps before the recording: libraries choose algorithms, Adam and the average create their tensors


def why_not(settings: Settings, one_graph: bool) -> str | None:
    """Return the reason why the steps cannot be recorded, as text for a note; None if they can.

    Args:
        settings: the settings of the training.
        one_graph: see `Objective`.
    """
    if settings.device.type != "cuda":
        return f"it needs a CUDA GPU, the training runs on {settings.device}"
    if settings.amp == "fp16":
        return "fp16's scaler decides from step to step; bf16 can be recorded"
    if settings.compile in WITH_GRAPHS:
        return f"--compile {settings.compile} records graphs of its own"
    if distributed.world() > 1:
        return "several processes meet inside a step"
    return None if one_graph else "the steps of this method differ from each other"


def recorded_or_plain(update: Update) -> "Recorded | Update":
    """Return the step as `Recorded`; if it cannot be recorded, print a note and return the step unchanged."""
    reason = why_not(update.settings, update.objective.one_graph)
    if reason is None:
        return Recorded(update)
    say(f"note: --graph: {reason}; goes on without")
    return update


class Recorded:
    """Takes the same steps as `Update`, from the fourth on by repeating a recording.

    The first three calls run the step as it is. The fourth one records it, without running it, and then repeats the
    recording, so every call takes exactly one step. Batches of another shape than the recorded one are run as they are.
    If recording fails, a note is printed and all steps are run as they are. The optimiser's learning rates become
    tensors, which a recording reads anew.

    Args:
        update: the step.
        graph: function that records what another function launches, and returns a function that repeats it; by default
            `cuda_graph`.
        alone: function that runs a step before the recording and returns its results; by default `on_side_stream`.
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
        for group in update.optimiser.param_groups:  # a recording would keep a plain number
            group["lr"] = torch.tensor(float(group["lr"]), device=update.settings.device)

    def __call__(self, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step; arguments and results are those of `Update`."""
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
        return terms.clone(), norm.clone()  # the next repetition overwrites them

    def _record(self, sources: list[Tensor]) -> None:
        self._inputs = [x.clone() for x in sources]
        self.update.optimiser.zero_grad(set_to_none=True)  # gradients are then allocated in the graph's memory
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
        """Set Adam's `capturable`, which recording requires. Adam warns if it is set at other times."""
        for group in self.update.optimiser.param_groups:
            group["capturable"] = value


def cuda_graph(function: Callable[[], object]) -> Callable[[], None]:
    """Record what a function launches on the current CUDA device, computing nothing; return a function to repeat it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function()
    return graph.replay


def on_side_stream(function: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the results of a function, run on a side stream, as PyTorch requires before a recording."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        results = function()
    torch.cuda.current_stream().wait_stream(side)
    return results
