"""The published rows: whole, as the paper prints them, with the names and sizes of the sets at hand."""

from pathlib import Path

import pytest

from metrics import published
from metrics.columns import COLUMNS


def test_published_tables_are_whole():
    ids = [t.id for t in published.tables()]
    assert len(ids) == len(set(ids)) >= 40
    for t in published.tables():
        assert t.source in published.sources()
        assert t.role in published.ROLES
        assert set(t.headline) <= set(t.rows)
        assert set(t.row_sources.values()) <= set(published.sources())
        assert set(t.metrics) <= set(COLUMNS), f"{t.id}: a column without a direction"
        for method, cells in t.rows.items():
            assert len(cells) == len(t.metrics), (t.id, method)
            assert all(c is None or isinstance(c, int | float) or len(c) == 2 for c in cells)
            if "2EN" in t.metrics:
                row = t.row(method)["metrics"]
                assert row["2EN"]["mean"] == pytest.approx(2 * row["EN"]["mean"], abs=2e-4), "what the paper calls MI"


@pytest.mark.parametrize(
    ("table_id_part", "method", "metric", "mean", "std"),
    [
        ("Table 2", "DCINN", "SAM", 2.829, 1.025),
        ("Table 2", "DCINN", "QNR", 0.965, 0.016),
        ("Table 3", "DCINN", "Q2n", 0.8639, None),
        ("Table 4", "DCINN", "ERGAS", 0.71, 0.680),
        ("Table 5", "DCINN", "PSNR", 52.21, 4.246),
        ("Table 6", "DCINN", "SAM", 8.06, None),
        ("Table 7", "DCINN", "MEF-SSIM", 0.8653, None),
        ("Table 8", "w/o CINN", "EN", 6.9173, None),
        ("Table 9", "Fusformer+Detail", "PSNR", 50.70, 3.643),
        ("Table 10", "DCINN Mean/Max", "SD*", 52.0458, None),
        ("Table 11", "SwinFusion", "SD*", 89.7986, None),
    ],
)
def test_some_numbers_of_every_table_of_the_paper(table_id_part, method, metric, mean, std):
    of_it = [
        t for t in published.tables() if t.source == "DCINN paper" and t.where == table_id_part and method in t.rows
    ]
    cells = [t.row(method)["metrics"].get(metric) for t in of_it]
    assert {"mean": mean, "std": std} in cells


def test_the_sets_at_hand_have_the_names_of_the_lists(shared):
    for name, folder in (
        ("tno_25", "cddfuse_test/TNO/vi"),
        ("roadscene_50", "cddfuse_test/RoadScene/vi"),
        ("tno_8", "tno8/vi"),
    ):
        there = shared(f"datasets/{folder.split('/')[0]}").joinpath(*Path(folder).parts[1:])
        if there.is_dir():
            assert sorted(p.stem for p in there.iterdir()) == sorted(published.image_set(name))


def test_the_sizes_at_hand_are_those_of_the_lists(shared):
    from data import PairedImages

    for name, folder in (("tno_25", "cddfuse_test/TNO"), ("roadscene_50", "cddfuse_test/RoadScene"), ("tno_8", "tno8")):
        of_it = next(t for t in published.tables() if t.images == published.image_set(name))
        found = {p["name"]: p["visible"].shape[1:] for p in PairedImages(shared("datasets").joinpath(folder))}
        assert found == dict(zip(of_it.images, of_it.sizes, strict=True))
