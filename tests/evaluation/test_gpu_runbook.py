"""benchmarks/gpu.py: in miniature on a CPU, killed in the middle and gone on with; what it keeps and refuses."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gpu
import pytest
from runbook import commands, steps, trainings
from runbook.diary import Diary
from runbook.plan import Plan

from utils.commandline.errors import UsageError

MEASURED = ("checks", "speed", "switches", "batch")
ROOT = Path(__file__).resolve().parents[2]
ABOUT = {"hardware": "h", "device": "cpu", "torch": "2", "small": True, "data": {"hmf": None}}


def states(folder):
    file = folder / "results.json"
    return {k: v["state"] for k, v in json.loads(file.read_text())["steps"].items()} if file.exists() else {}


@pytest.mark.slow
def test_all_steps_in_miniature_killed_in_the_middle(tmp_path):
    command = [sys.executable, "benchmarks/gpu.py", "--small", "--minutes", "20", "--device", "cpu"]
    command += ["--output", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    end = time.monotonic() + 1800
    while states(tmp_path).get("hmf") != "begun" or not (tmp_path / "hmf/last.pth").exists():
        assert process.poll() is None, "ended before it was killed"
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = json.loads((tmp_path / "results.json").read_text())["steps"]
    assert [before[name]["state"] for name in ("checks", "speed", "switches", "batch", "hmf")] == ["done"] * 4 + [
        "begun"
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = json.loads((tmp_path / "results.json").read_text())["steps"]
    assert list(after) == list(steps.STEPS)
    assert {step["state"] for step in after.values()} == {"done"}, (tmp_path / "report.md").read_text()
    assert all(after[name] == before[name] for name in MEASURED)
    assert after["checks"]["agree"] == "yes"
    assert after["checks"]["tests"].startswith("passed")
    assert after["hmf"]["options"] == before["hmf"]["options"]
    assert "PSNR" in after["hmf"]
    report = (tmp_path / "report.md").read_text()
    assert "in miniature" in report
    assert all(f"## {name}" in report for name in steps.STEPS)


def test_a_step_that_fails_does_not_end_the_others_and_is_tried_again(tmp_path):
    diary = Diary(tmp_path, ABOUT)
    for times in (1, 2):
        with diary.step("speed"):
            raise RuntimeError("out of memory\nsomewhere")
        assert diary.done("speed") is (times == 2)
    with diary.step("hmf") as result:
        result["PSNR"] = 40.5
        result["rows"] = [{"a": 1, "b": None}, {"a": 2.5, "c": "x|y"}]
    again = Diary(tmp_path, ABOUT)
    assert again.done("hmf")
    report = (tmp_path / "report.md").read_text()
    assert "failed: out of memory somewhere" in report
    assert "| a | b | c |" in report
    assert "| 2.5 |  | x/y |" in report


def test_what_was_cut_goes_on(tmp_path):
    diary = Diary(tmp_path, ABOUT)
    with diary.step("hmf") as result:
        result.update(state="cut", options=["--epochs", "3"])
    assert not Diary(tmp_path, ABOUT).done("hmf")
    with Diary(tmp_path, ABOUT).step("hmf") as result:
        assert result["options"] == ["--epochs", "3"]


def test_other_data_and_other_files_are_refused(tmp_path):
    Diary(tmp_path, ABOUT)
    with pytest.raises(UsageError, match="expected False, or another --output"):
        Diary(tmp_path, {**ABOUT, "small": False})
    begun = {"state": "begun", "seconds": 1.0, "failures": 0}
    contents = [{"about": ABOUT, "steps": {"tests": step}} for step in ({**begun, "state": 1}, {"state": "done"})]
    for other in ([], {"about": [], "steps": {}}, {"about": {}, "steps": {}}, *contents):
        (tmp_path / "results.json").write_text(json.dumps(other))
        with pytest.raises(UsageError, match="found another file"):
            Diary(tmp_path, ABOUT)
    for options in (["--minutes", "0"], ["--hmf", str(tmp_path / "no.h5")], ["--small", "--hmf", str(tmp_path)]):
        with pytest.raises(UsageError, match=r"^--[a-z]+: found .* expected "):
            gpu.main(["--output", str(tmp_path / "new"), *options])
    assert not (tmp_path / "new").exists()


def test_a_command_that_takes_too_long_is_stopped(tmp_path):
    log = tmp_path / "log"
    sleeper = ["-c", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import time; time.sleep(1000)"]
    assert commands.ran(sleeper, log, 1.0, grace=0.1) is None
    assert commands.ran(["-c", "print('so it is')"], log, 600) == 0
    assert commands.ran(["-c", "raise SystemExit(3)"], log, 600) == 3
    assert log.read_text().startswith("$ python -c")
    assert commands.last_line(log).startswith("$ python -c raise")


def test_the_schedule_fits_the_time_that_was_measured(tmp_path, monkeypatch):
    data = dict.fromkeys(("hmf", "ps", "ivf", "images"))
    plan = Plan("cuda", False, data, tmp_path, 1500.0, {"hmf": 0.5})
    monkeypatch.setattr(trainings, "_patches", lambda path: 4096)
    diary = Diary(tmp_path, {**ABOUT, "small": False})
    rows = [{"batch": b, "samples_per_s": s, "steps_per_s": s / b} for b, s in ((16, 800.0), (32, 1280.0))]
    diary.results.update(batch={"rows": rows}, switches={"fastest": "TF32, graph"})
    options = trainings._schedule("hmf", plan, diary, steps.SWITCHES)
    given = dict(itertools.pairwise(options))
    assert options[:3] == ["--tf32", "--graph", "--on-device"]
    assert given["--batch"] == "32"
    assert float(given["--lr"]) == pytest.approx(4e-4 * 2**0.5, rel=1e-5)
    assert given["--save-every"] == "4800", "two minutes at 40 steps a second"
    epochs = int(given["--epochs"])
    assert 0.8 * 750 < epochs * 128 / 40 < 750, "half of the call, validations aside"
    milestones = [int(n) for n in options[options.index("--milestones") + 1 :][:4]]
    assert milestones == [round(epochs * share) for share in (1 / 8, 1 / 4, 1 / 2, 3 / 4)]
