"""torchrun's processes share the images out: files and tables are those of one process, and one line says an error."""

import csv
import json
from collections import Counter

import cv2
import numpy as np
import pytest
from outputs import pairs
from scipy.io import savemat
from several_processes import run

from metrics.table import Table
from utils import processes
from utils.evaluation import sharing

RNG = np.random.default_rng(4)


def files(folder):
    """Name -> bytes; of metrics.json what it holds but for times and the number of processes."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    about = json.loads(found.pop("metrics.json", "{}"))
    about.pop("processes", None)
    for network in about.get("networks", []):
        del network["seconds"]
    return {**found, "metrics.json": about}


def compare(arguments, tmp_path, several=2):
    """Run with one process and several; the files of both, which are the same."""
    outs = []
    for number in (1, several):
        out = tmp_path / f"out{number}"
        code, said, errors = run([*arguments, "--output", out], number)
        assert (code, errors) == (0, [])
        outs.append((files(out), said.replace(str(out), "OUT").partition(" fused in ")[0]))
    (one, said_by_one), (more, said_by_more) = outs
    assert sorted(one) == sorted(more)
    assert [name for name in one if one[name] != more[name]] == []
    assert said_by_more == said_by_one
    assert not list(tmp_path.glob(".*"))
    return more


def odd_pairs(folder):
    """Five pairs, the last of another size and with a constant image: remarks and notes of one process alone."""
    pairs(folder, *"abcd")
    for kind, image in (("vi", RNG.integers(0, 256, (33, 36))), ("ir", np.full((33, 36), 80))):
        cv2.imwrite(str(folder / kind / "e.png"), image.astype(np.uint8))
    return folder


def test_two_processes_write_what_one_does(tmp_path):
    data = odd_pairs(tmp_path / "set")
    found = compare(["test_dcinn_ivf_tno.py", "--data", data, "--weights", "untrained"], tmp_path)
    assert [name for name in found if name.startswith("fused/")] == [f"fused/{name}.png" for name in "abcde"]
    tables = found["metrics.json"]["tables"]
    assert all(table["images"] == list("abcde") for table in tables)
    assert any("left empty" in line for line in tables[0]["remarks"])
    assert any("sides reflected" in line for line in tables[0]["remarks"])
    written = json.loads((tmp_path / "out2/metrics.json").read_text())
    assert written["processes"] == 2
    assert "processes" not in json.loads((tmp_path / "out1/metrics.json").read_text())


@pytest.mark.slow
def test_further_networks_and_more_processes_than_images(tmp_path):
    data = odd_pairs(tmp_path / "set")
    options = ["--beside", "ivf_rs", "--limit", "2", "--tile", "32"]
    found = compare(["test_dcinn_ivf_tno.py", "--data", data, *options], tmp_path, several=3)
    assert {"comparison.png", "crops.png", "fused/a.png", "fused_ivf_rs/b.png"} < set(found)


@pytest.mark.slow
def test_a_single_file(tmp_path):
    data = pairs(tmp_path / "set", "a")
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        options = ["--data", data, "--output", tmp_path / str(number) / "a.png"]
        assert run(["test_dcinn_ivf_tno.py", *options], number)[::2] == (0, [])
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert [p.name for p in (tmp_path / "2").iterdir()] == ["a.png"]


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--no-metrics",), ("--tile", "48", "--limit", "2")])
def test_scenes_at_both_resolutions(more, tmp_path):
    ms, pan = RNG.integers(1, 2000, (3, 8, 32, 32)), RNG.integers(1, 2000, (3, 1, 128, 128))
    savemat(tmp_path / "a.mat", {"ms": ms.astype(float), "pan": pan.astype(float)})
    options = ["--data", tmp_path / "a.mat", "--weights", "ps", "--format", "npy", *more]
    found = compare(["test_dcinn_ps.py", *options], tmp_path)
    assert len([name for name in found if name.endswith(".npy")]) == (4 if "--limit" in more else 6)


@pytest.mark.slow
def test_cubes_whose_sides_differ(tmp_path):
    for scene in range(3):
        folder = tmp_path / f"set/s{scene}_ms/s{scene}_ms"
        folder.mkdir(parents=True)
        for band in range(31):
            image = RNG.integers(0, 65536, (35 + scene, 36)).astype(np.uint16)
            cv2.imwrite(str(folder / f"s{scene}_ms_{band + 1:02d}.png"), image)
    options = ["--data", tmp_path / "set", "--weights", "untrained", "--format", "npy"]
    found = compare(["test_dcinn_hmf.py", *options], tmp_path)
    assert any("1 x 35x36 cropped to 32x36" in line for line in found["metrics.json"]["tables"][0]["remarks"])


@pytest.mark.slow
def test_photographs_of_the_sample(tmp_path):
    found = compare(["test_peers.py", "multifocus", "--weights", "untrained"], tmp_path)
    assert any("Mean PSNR" in line for line in found["metrics.json"]["tables"][0]["remarks"])


@pytest.mark.slow
def test_scores(tmp_path):
    data = odd_pairs(tmp_path / "set")
    found = compare(["-m", "metrics", "--task", "ivf", "--data", data, "--fused", data / "vi", "--name", "x"], tmp_path)
    assert [row["image"] for row in csv.DictReader(found["metrics.csv"].decode().splitlines())][:5]
    code, said, errors = run(
        ["-m", "metrics", "--task", "ivf", "--data", data, "--fused", data / "vi", "--name", "x"], 2
    )
    assert (code, errors, said.count("### ")) == (0, [], 2)


def walk(rank, world, monkeypatch, gathered):
    """One process's loop over seven images, in this process: its table, what it kept, its counts."""
    table, counts = Table("t", "ivf_tno", ("EN",)), Counter(before=1)
    table.remark("at the start")
    monkeypatch.setattr(processes, "rank", lambda: rank)
    monkeypatch.setattr(processes, "world", lambda: world)
    monkeypatch.setattr(
        processes, "at_first", lambda value: [value, *gathered] if rank == 0 else gathered.append(value)
    )
    shares = sharing.Shares(7, [table], "fusing", "pair", [counts])
    for index in shares:
        (part,) = shares.tables
        part.remark(f"of the third ones, from {index // 3 * 3} on")
        part.image(str(index), (8 + index, 8))
        part.add("ours", {"EN": lambda index=index: 0.1 * index if index != 4 else float("nan")})
        part.comparable = index != 5
        part.unranked |= {("ours", "EN")} if index == 6 else set()
        counts["seen"] += 1
        if index % 2:
            shares.keep("odd", index)
    return table, dict(shares.found), counts


@pytest.mark.parametrize("world", [2, 3, 9])
def test_what_processes_found_is_put_together_in_the_order_of_the_images(world, monkeypatch):
    one = walk(0, 1, monkeypatch, [])
    assert one[0].images == list("0123456")
    assert (one[0].comparable, one[0].unranked, len(one[0].remarks)) == (False, {("ours", "EN")}, 5)
    assert one[1:] == ({"odd": [1, 3, 5]}, {"before": 1, "seen": 7})
    gathered = []
    for rank in range(1, world):
        monkeypatch.setattr(sharing.Shares, "_put_together", lambda *_: None)
        walk(rank, world, monkeypatch, gathered)
    monkeypatch.undo()
    assert walk(0, world, monkeypatch, gathered) == one
