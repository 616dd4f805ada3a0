"""The tables in README and docs: made from what is kept in pretrained/, published rows beside them."""

import json

import cards
import pytest

from benchmarks.publish import documents
from benchmarks.publish.kept_tables import table_text
from utils.commandline.errors import UsageError


def test_published_rows_of_the_same_images_are_rows_and_others_are_lines():
    published = {"source": "DCINN paper Table 7", "data": "TNO", "metrics": {"EN": {"mean": 6.6371}}}
    table = {
        **{"title": "Fusion", "metrics": ["EN"], "images": ["a", "b"], "remarks": ["A remark."]},
        "summary": {
            "DCINN (x)": {"EN": {"mean": 6.5}},
            "empty": {"EN": {"mean": None}},
            "full": {"EN": {"mean": "inf"}},
        },
        "published_same_images": [{**published, "method": "DCINN"}, {**published, "method": "GTF"}],
        "published_other_images": [{**published, "method": "CDDFuse"}],
    }
    text = cards.markdown({"tables": [table], "command": "python x"}, remarks=True)
    assert "| DCINN (x) | 6.500 |\n| empty |  |\n| full | inf |\n" in text
    assert "| DCINN, published (DCINN paper Table 7) | 6.637 |" in text
    assert "GTF" not in text
    assert "Published, on other images (DCINN paper Table 7; TNO): CDDFuse: EN 6.637." in text
    assert "* A remark." in text
    assert "A remark" not in cards.markdown({"tables": [table], "command": "python x"})


def test_a_table_of_one_sensor_has_the_published_rows_of_that_sensor():
    rows = [
        {"method": "DCINN", "source": f"Table {n}", "data": data, "metrics": {"SAM": {"mean": n}}}
        for n, data in ((2, "WV3, 78 images"), (3, "WV2, 20 images"))
    ]
    table = {
        **{"title": "t", "metrics": ["SAM"], "sensor": "WV2", "summary": {}},
        **{"published_same_images": [], "published_other_images": rows},
    }
    assert "DCINN" not in table_text(table)
    assert table_text(table, "x", others=True).splitlines()[2:] == [
        "| DCINN, published, other images (Table 3; WV2, 20 images) | 3.000 |"
    ]
    assert len(table_text({**table, "sensor": "QB"}, others=True).splitlines()) == 4
    same = {**table, "published_same_images": [{**rows[0], "data": "here"}]}
    assert "Table 3" not in table_text(same, others=True)


@pytest.mark.parametrize("file", documents.PARTS)
def test_a_document_shows_the_kept_numbers(file):
    """benchmarks/publish/cards.py write, where this fails."""
    text = (documents.ROOT / file).read_text(encoding="utf-8")
    assert documents.renewed(file, text) == text


def test_a_document_without_its_marks_is_refused():
    text = (documents.ROOT / "README.md").read_text(encoding="utf-8")
    for other in (text.replace("weights: begin", "weight: begin"), text.replace("results: end", "result: end")):
        with pytest.raises(UsageError, match=r"README\.md: found other marks"):
            documents.renewed("README.md", other)


def test_every_kept_result_and_weight_is_shown():
    shown = (documents.ROOT / "docs/results.md").read_text(encoding="utf-8")
    for path in (cards.PRETRAINED / "results").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert f"\n    {result['command']}\n" in shown, path.stem
    chosen = (documents.ROOT / "docs/weights.md").read_text(encoding="utf-8")
    for path in [*cards.PRETRAINED.glob("*.pth"), *cards.PRETRAINED.glob("peers/*.pth")]:
        assert f"{path.relative_to(cards.PRETRAINED).with_suffix('.md')})" in chosen


def test_a_measure_stands_beside_the_papers_and_the_trivial_one(tmp_path, monkeypatch):
    cells = {"DCINN (hmf)": 49.5, "bicubic": 34.3}
    same = {"method": "DCINN", "source": "Table 5", "metrics": {"PSNR": {"mean": 52.2}}}
    table = {
        **{"title": "t", "metrics": ["PSNR"], "published_same_images": [same]},
        "summary": {row: {"PSNR": {"mean": value}} for row, value in cells.items()},
    }
    monkeypatch.setattr(documents, "results", lambda name: {"tables": [table]} if name == "cave_x4" else None)
    assert documents.headline("hmf") == "CAVE, ratio 4, the 11 test scenes: PSNR 49.50 (paper 52.20, bicubic 34.30)"
    table["summary"].pop("DCINN (hmf)")
    assert documents.headline("hmf") == ""


def test_published_pictures_give_the_printed_numbers():
    """To what rounding to two digits, and a tie on the way, can do."""
    found = documents.scored_pictures()
    assert [method for method, *_ in found] == ["SDNet", "CDDFuse"]
    for _, _, measured, printed in found:
        assert len(printed) == 8
        assert {k: v for k, v in printed.items() if abs(v - measured[k]) > 0.01} == {}
