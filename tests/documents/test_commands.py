"""README and docs as a newcomer reads them: every command runs, on small files under the names that stand there."""

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from document_commands import DOCUMENTS, ROOT, all_sections, arguments, blocks, commands, make_world, marked

SECTIONS = all_sections()
LONG = {"docs/deployment.md: Export", "docs/training.md: The paper's studies", "docs/training.md: Your sensor"}
MARKED = {"README.md: Start", "README.md: Documents"}
WITH_COMMANDS = [
    pytest.param(name, marks=[pytest.mark.slow] if name in LONG else [])
    for name, text in SECTIONS.items()
    if commands(text) and name not in MARKED
]
ELSEWHERE = {  # tests themselves
    "tests/networks/test_golden_networks.py",
    "tests/networks/test_invertible.py",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


def run(words, folder, monkeypatch):
    """A command in this process, in a folder; its exit code."""
    name, options = arguments(words)
    options = ["FUSED_PS.npy" if word == "FUSED_PS" else word for word in options]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [name, *options])
    torch.manual_seed(0)
    try:
        if words[1] == "-m":
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(str(ROOT / name), run_name="__main__")
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_the_commands_of_a_section(name, world, monkeypatch, capsys):
    """What README has, too, is run there; every section begins without earlier trainings."""
    shutil.rmtree(world / "runs", ignore_errors=True)
    elsewhere = [] if name.startswith("README.md") else commands(DOCUMENTS["README.md"])
    for words in commands(SECTIONS[name]):
        if words in elsewhere:
            continue
        if words[0] == "pip":
            listed = (ROOT / "requirements-dev.txt").read_text()
            assert all(re.search(rf"^{package}\b", listed, flags=re.M) for package in words[2:])
        elif words[0] == "python":
            code = run(words, world, monkeypatch)
            assert code == 0, (words, capsys.readouterr().err)
        else:
            assert words[0] == "torchrun", words
            assert (ROOT / words[2]).is_file()


@pytest.mark.slow
def test_several_processes(world):
    """The commands of torchrun, with two processes for four."""
    asked = [words for text in SECTIONS.values() for words in commands(text) if words[0] == "torchrun"]
    assert len(asked) == 2
    for number, words in enumerate(asked):
        name, options = arguments(["python", *words[2:]])
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(ROOT / name)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CI": "true"}
        found = subprocess.run(
            [*launch, *options, "--output", f"several{number}"],
            cwd=world,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert found.returncode == 0, found.stderr


def test_the_two_marked_commands(world, monkeypatch):
    install, tests = (shlex.split(marked(name)) for name in ("run", "tests"))
    for words, file in ((install, "requirements.txt"), (tests, "requirements-dev.txt")):
        assert words[:7] == ["python3", "-m", "venv", ".venv", "&&", ".venv/bin/pip", "install"]
        assert words[7:10] == ["-r", file, "&&"]
        assert (ROOT / file).is_file()
    assert tests[10:] == [".venv/bin/python", "-m", "pytest"]
    assert run(["python", *install[11:]], world, monkeypatch) == 0
    assert (world / "results/ivf_tno/comparison.png").is_file()


def test_every_block_of_a_command_is_run():
    """Bash blocks stand below headings, where their section is found, or behind a mark."""
    for file, text in DOCUMENTS.items():
        found = [
            block for name, part in SECTIONS.items() if name.startswith(f"{file}: ") for block in blocks(part, "bash")
        ]
        assert found == blocks(text, "bash"), file
    inside = [block.strip() for name in MARKED for block in blocks(SECTIONS[name], "bash")]
    assert sorted(inside) == sorted(marked(name) for name in ("run", "tests"))


def executed(name, **given):
    """The first Python block of a section, run with these names; the names after it."""
    (block,) = blocks(SECTIONS[name], "python")
    exec(block.replace('load(".",', f"load({str(ROOT)!r},"), given)
    return given


def test_the_network_from_python(world, monkeypatch):
    monkeypatch.chdir(world)
    rng = torch.Generator().manual_seed(0)
    lms, pan = torch.rand(1, 8, 20, 24, generator=rng), torch.rand(1, 1, 20, 24, generator=rng)
    names = executed("docs/python.md: Pansharpening", lms=lms, pan=pan)
    assert names["fused"].shape == lms.shape
    assert torch.allclose(names["detail_again"], names["detail"], atol=1e-3)
    assert names["fresh"].config.bands == 4
    assert names["ours"].config.base_rule == "max"


def test_a_pair_and_a_cube_from_python():
    rng = np.random.default_rng(0)
    visible, infrared = torch.from_numpy(rng.random((2, 1, 1, 24, 20), np.float32))
    fused = executed("README.md: Fuse, reproduce, train", visible=visible, infrared=infrared)["fused"]
    assert fused.shape == visible.shape
    assert bool(fused.isfinite().all())
    cube, camera = rng.random((8, 6, 31)), rng.random((32, 24, 3))
    sharp = executed("docs/python.md: Hyperspectral", cube=cube, camera=camera)["sharp"]
    assert sharp.shape == (1, 31, 32, 24)
    assert bool(sharp.isfinite().all())


@pytest.mark.slow
def test_the_exported_network_from_python(world, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(world)
    if not Path("fusion.onnx").exists():
        assert run(["python", "-m", "utils.export", "ivf_tno", "fusion.onnx"], world, monkeypatch) == 0
    rng = torch.Generator().manual_seed(0)
    (block,) = blocks(SECTIONS["docs/deployment.md: Export"], "python")
    images = {name: torch.rand(1, 1, 24, 20, generator=rng).numpy() for name in ("visible", "infrared")}
    exec(block, images)
    assert np.isfinite(images["fused"]).all()


def test_the_commands_within_the_text(world, monkeypatch):
    """A measure of how right data are ends with 1 where they are others."""
    inline = [words.split() for text in DOCUMENTS.values() for words in re.findall(r"`(python [^`]+)`", text)]
    assert inline
    for words in inline:
        files = [word for word in words if word.endswith(".py")]
        if "pytest" in words:
            assert set(files) <= ELSEWHERE
        elif words[1] == "benchmarks/calibrate.py":
            assert run(words, world, monkeypatch) in (0, 1)
        elif words[1] == "demo.py":  # serves until Ctrl-C; tests/page has it
            assert run([*words, "--help"], world, monkeypatch) == 0
        elif words[1].startswith("benchmarks"):
            assert (ROOT / words[1]).is_file()
        elif not {"hmf"} & set(words):
            assert run(words, world, monkeypatch) == 0, words


@pytest.mark.slow
def test_the_commands_of_the_results(shared, tmp_path, monkeypatch):
    """With the real data, one image each; all of them: benchmarks/publish/tables.py --check."""
    lines = re.findall(r"^    (python test_.*)$", DOCUMENTS["docs/results.md"], flags=re.M)
    assert len(lines) >= 5
    data, weights = shared("datasets"), shared("weights/released_pansharpening_wv3.pth")
    theirs = {"AUTHORS_WV3.pth": weights, "AUTHORS_auif_decoder.pth": shared("weights/auif_decoder.pth")}
    for line in lines:
        for mark, file in {"DIR/": f"{data}/", **theirs}.items():
            line = line.replace(mark, str(file))  # noqa: PLW2901
        words = line.split()
        assert run([*words, "--output", str(tmp_path / "out")], tmp_path, monkeypatch) == 0, line
