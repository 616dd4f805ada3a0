"""A training that is killed at a random moment goes on to the same bits; `python -m tests.kills` does it more often."""

import random
import sys

import pytest

from tests.kills.lives import SETUPS, killed, undisturbed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for processes"),
]


@pytest.mark.parametrize("name", SETUPS)
def test_a_kill_changes_nothing(name, tmp_path):
    times = undisturbed(SETUPS[name], tmp_path / "whole")
    life = killed(SETUPS[name], tmp_path / "run", tmp_path / "whole", times, 2, random.Random(name))
    assert life.differences == []
