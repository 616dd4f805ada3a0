"""The documents' pictures: drawn from what is there now, small, and all of them shown."""

import hashlib
import json
import re
from xml.etree import ElementTree

import network_figure
import numpy as np
import pictures
import pytest
import sheets
from document_commands import DOCUMENTS, ROOT
from PIL import Image

from models import dcinn_ps

DRAWN = sorted(path for path in (ROOT / "docs/pictures").rglob("*") if path.suffix in (".jpg", ".png", ".svg"))
MOST_BYTES = 150_000


@pytest.mark.parametrize("name", network_figure.NETWORKS)
def test_the_figure_is_that_of_the_network(name):
    """benchmarks/publish/network_figure.py, where this fails."""
    kept = (network_figure.FOLDER / f"network_{name}.svg").read_text(encoding="utf-8")
    assert network_figure.draw(network_figure.NETWORKS[name]()) == kept


def test_another_network_is_another_figure():
    words = {
        element.text
        for element in ElementTree.fromstring(network_figure.draw(dcinn_ps(4, low_blocks=5))).iter()
        if element.tag.endswith("text")
    }
    assert {
        "low0 … low4",
        "4 ch = 2 + 2",
        "16 ch = 8 + 8",
        "4 × H × W",
        "convolution 5 → 32, 2 residual blocks of 32",
    } <= words


def test_the_steps_are_those_of_the_flow():
    found = network_figure.steps(network_figure.NETWORKS["ivf"]())
    assert [(step.channels, step.scale) for step in found[:7]] == [
        *((4, 2), (4, 2), (16, 4), (16, 4), (64, 8), (64, 8), (16, 4)),
    ]
    assert [step.count for step in found if step.split] == [1, 1, 4, 1, 1]
    assert sum(step.split is None for step in found) == 6


def test_the_pictures_are_of_the_kept_weights():
    """benchmarks/publish/pictures.py, where this fails; look at what it draws."""
    kept = json.loads(pictures.MADE_FROM.read_text(encoding="utf-8"))
    assert kept == pictures.made_from()
    for name in pictures.own_weights():
        assert hashlib.sha256(pictures.file_of(name).read_bytes()).hexdigest() == kept[name]
        assert (pictures.PICTURES / f"weights/{name}.jpg").is_file()


def test_the_first_command_takes_the_weights_of_the_pictures():
    assert f"test_dcinn_ivf_tno.py --weights {pictures.BEST_ON_SAMPLE}\n" in DOCUMENTS["README.md"]


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(path):
    assert path.stat().st_size <= MOST_BYTES
    place = str(path.relative_to(ROOT / "docs"))
    shown = {target for text in DOCUMENTS.values() for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)}
    assert {place, f"docs/{place}"} & shown, "no page shows it"


def test_a_sheet_has_its_panels_side_by_side(tmp_path):
    rng = np.random.default_rng(0)
    panels = [sheets.Panel("a", np.zeros((200, 300))), sheets.Panel("b", np.ones((200, 300, 3)))]
    sheet = sheets.row(panels, 624)
    assert sheet.size == (624, 200 + sheets.LETTERS + 2 * sheets.GAP)
    image = np.asarray(sheet)
    assert image[120, 100].tolist() == [0, 0, 0]
    assert image[120, 400].tolist() == [255, 255, 255]
    assert image[120, 309].tolist() == [255, 255, 255], "the gap"
    noise = sheets.row([sheets.Panel("noise", rng.random((400, 600, 3)))], 616)
    sheets.save(tmp_path / "n.jpg", noise)
    assert (tmp_path / "n.jpg").stat().st_size <= MOST_BYTES
    assert Image.open(tmp_path / "n.jpg").size == noise.size
