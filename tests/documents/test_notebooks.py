"""The notebooks run from top to bottom, and what is committed has been run."""

import json
from pathlib import Path

import pytest

from benchmarks.publish.cards import markdown

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 500_000


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["fuse_your_own", "look_inside", "tables"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pretrained").symlink_to(ROOT / "pretrained")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(tmp_path / "notebooks")}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    errors = [o.text for c in cells(notebook) for o in c.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not errors, "warnings of ours are noise for a reader"
    if path.stem == "fuse_your_own":
        assert {p.name for p in (tmp_path / "notebooks").iterdir()} == {"fused.png", "fused_ms.npy"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed(path):
    """Run in order, small, and of no machine in particular."""
    notebook = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in cells(notebook)] == list(range(1, len(cells(notebook)) + 1))
    assert path.stat().st_size < MOST_BYTES
    assert "/tmp" not in path.read_text(encoding="utf-8")
    assert any("image/png" in o.get("data", {}) for cell in cells(notebook) for o in cell.outputs)


def test_the_notebook_of_tables_shows_the_present_results():
    """Run it again and save it after new tables: `jupyter nbconvert --execute --inplace notebooks/tables.ipynb`."""
    kept = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "pretrained/results").glob("*.json"))}
    notebook = nbformat.read(ROOT / "notebooks/tables.ipynb", as_version=4)
    shown = [
        o.data["text/markdown"] for c in cells(notebook) for o in c.outputs if "text/markdown" in o.get("data", {})
    ]
    assert shown == ["\n\n".join(markdown(result) for result in kept.values())]
