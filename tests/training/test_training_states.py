"""Checkpoints of a training that it cannot go on from: one line about the file, before the first step."""

import pytest
import torch

from models import CheckpointError
from tests.fuzzing.weight_files import contents, go_on


def nested(*path):
    def change(state, value):
        for key in path[:-1]:
            state = state[key]
        if value is Ellipsis:
            del state[path[-1]]
        else:
            state[path[-1]] = value

    return change


WEIGHT = "flow.block_in.coupling.F.gate.q.weight"
CASES = {
    "no count": (nested("total"), "x", "total x"),
    "a negative count": (nested("step"), -1, "step -1"),
    "true for a count": (nested("epoch"), True, "epoch True"),
    "a complex best": (nested("best"), 1j, "best 1j"),
    "no average of a weight": (nested("average", WEIGHT), ..., f"KeyError: '{WEIGHT}'"),
    "an average of other sides": (nested("average", WEIGHT), torch.zeros(3), f"an average of {WEIGHT} that are not"),
    "an average of bytes": (nested("average", WEIGHT), torch.zeros(16, 16, 1, 1, dtype=torch.uint8), "an average of"),
    "an average of one number": (nested("average", WEIGHT), torch.zeros(1).expand(16, 16, 1, 1), "an average of"),
    "a moment that is missing": (nested("optimiser", "state", 0, "exp_avg_sq"), ..., "step, exp_avg for a weight"),
    "a moment of lists": (nested("optimiser", "state", 0, "exp_avg"), [1.0], "exp_avg in the optimiser that are not"),
    "a moment of NaN": (nested("optimiser", "state", 0, "step"), torch.tensor(float("nan")), "step in the optimiser"),
    "another optimiser": (nested("optimiser", "param_groups", 0, "amsgrad"), True, "amsgrad True of the optimiser"),
    "other betas": (nested("optimiser", "param_groups", 0, "betas"), (0.5, 0.9), r"betas \(0.5, 0.9\)"),
    "sums of text": (nested("sums"), ["a", "b"], "ValueError"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_state_that_does_not_fit(case, tmp_path):
    change, value, words = CASES[case]
    content = contents("last")
    torch.save(content, tmp_path / "good.pth")
    go_on(tmp_path / "good.pth", tmp_path)
    content = torch.load(tmp_path / "good.pth", weights_only=True)
    change(content["extra"]["training"], value)
    torch.save(content, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=rf"bad\.pth: found a training state that does not fit .*{words}"):
        go_on(tmp_path / "bad.pth", tmp_path)
