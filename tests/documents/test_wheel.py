"""The wheel: one name in site-packages, and everything that name promises works from any folder."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("models", "metrics", "pretrained", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def run(*command, cwd, **environment):
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_the_package_needs_is_what_the_scripts_install():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert set(needed) <= set(lines)


def test_every_folder_of_the_package_is_in_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = [p.parent for top in ("models", "metrics") for p in (ROOT / top).rglob("__init__.py")]
    names = [".".join(("dcinn", *folder.relative_to(ROOT).parts)) for folder in folders]
    assert {name.replace("dcinn.models", "dcinn") for name in names} <= set(listed)


@pytest.mark.slow
def test_a_wheel_installed_without_the_checkout(tmp_path):
    source, site, elsewhere = (tmp_path / name for name in ("source", "site", "elsewhere"))
    source.mkdir()
    elsewhere.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    (source / "build/lib/utils").mkdir(parents=True)  # of an earlier version's build
    (source / "build/lib/utils/__init__.py").write_text("")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", ".", "--no-deps", "--wheel-dir", str(tmp_path), cwd=source)
    (wheel,) = tmp_path.glob("dcinn-*.whl")
    run(*pip, "install", "--no-deps", "--target", str(site), str(wheel), cwd=elsewhere)
    assert sorted(p.name.partition("-")[0] for p in site.iterdir()) == ["dcinn", "dcinn"], "the package, its metadata"
    for name in ("winograd.c", "reflected.c", "winograd.h"):
        assert (site / "dcinn/fast" / name).is_file()
    shutil.rmtree(source)
    code = """
        import sys
        import numpy as np
        import torch
        import dcinn
        from dcinn.metrics import q2n

        image = torch.rand(1, 1, 40, 50)
        with torch.inference_mode():
            fused = dcinn.load_pretrained("ivf_tno")(image, image.flip(-1))
        assert fused.shape == image.shape and torch.isfinite(fused).all()
        for name in ("hmf", "ps", "ivf_rs", "ivf_tuned", "peers/auif", "peers/cddfuse"):
            dcinn.load_pretrained(name, method=None)
        scene = np.random.default_rng(0).integers(1, 2000, (64, 64, 4))
        assert abs(q2n(scene, scene) - 1) < 1e-9
        from dcinn.metrics import published
        assert published.tables()
        mixed = {"models", "metrics", "data", "utils"} & {name.partition(".")[0] for name in sys.modules}
        assert not mixed, mixed
    """
    run(sys.executable, "-c", textwrap.dedent(code), cwd=elsewhere, PYTHONPATH=str(site))
    command = [sys.executable, "-m", "dcinn.metrics"]
    variables = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=elsewhere, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "in the checkout" in done.stderr
