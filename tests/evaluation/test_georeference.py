"""MS and pan of different places: cropped to their common ground, or refused; what is written is where it was fused."""

import numpy as np
import pytest
from tiny_scenes import PIXEL, PLACE, fuse, geo, ground, stirred_network, write

from data.errors import DataError
from data.files.georeference import common_ground, georeference
from data.files.moved_tags import moved_tags

X, Y = PLACE


@pytest.fixture
def scene(tmp_path):
    """MS and pan of one ground, a folder with weights in it."""
    stirred_network(tmp_path / "w.pth")
    return *ground(), tmp_path


def put(folder, ms, pan, ms_geo=None, pan_geo=None):
    write(folder / "ms.tif", ms, geo(pixel=4 * PIXEL) if ms_geo is None else ms_geo)
    write(folder / "pan.tif", pan, geo() if pan_geo is None else pan_geo)


def refused(folder, capsys, *more):
    with pytest.raises(SystemExit) as stop:
        fuse(folder, *more)
    assert stop.value.code == 2
    assert not (folder / "o").exists()
    return capsys.readouterr().err.strip().splitlines()[-1]


def place_of(tags, row=0, column=0):
    """x and y of a pixel's outer corner."""
    return tuple(georeference(list_of(tags), None).grid @ (column, row, 1))


def list_of(tags):
    return [(code, 0, 0, value, True) for code, value in tags.items() if code in range(33550, 34738)]


@pytest.mark.parametrize("tile", [0, 96])
@pytest.mark.parametrize(
    ("pan_rows", "pan_columns", "ms_rows", "ms_columns", "fused_rows", "fused_columns"),
    [
        ((40, 192), (20, 192), (0, 48), (0, 48), (40, 192), (20, 192)),  # a pan that begins later
        ((0, 192), (0, 192), (5, 48), (10, 40), (20, 192), (40, 160)),  # an MS image that does
        ((3, 190), (2, 187), (0, 48), (0, 48), (4, 188), (4, 184)),  # no whole MS pixels
        ((0, 130), (60, 192), (10, 48), (0, 30), (40, 128), (60, 120)),  # both reach over
    ],
)
def test_two_images_are_cropped_to_their_common_ground(
    tile, pan_rows, pan_columns, ms_rows, ms_columns, fused_rows, fused_columns, scene, capsys
):
    ms, pan, folder = scene
    whole = slice(fused_rows[0] // 4, fused_rows[1] // 4), slice(fused_columns[0] // 4, fused_columns[1] // 4)
    put(folder, ms[(slice(None), *whole)], pan[slice(*fused_rows), slice(*fused_columns)], (), ())
    expected = fuse(folder, output="expected", tile=tile)[1]
    put(
        folder,
        ms[:, slice(*ms_rows), slice(*ms_columns)],
        pan[slice(*pan_rows), slice(*pan_columns)],
        geo((X + ms_columns[0] * 2, Y - ms_rows[0] * 2), 4 * PIXEL),
        geo((X + pan_columns[0] / 2, Y - pan_rows[0] / 2)),
    )
    result, fused, tags = fuse(folder, tile=tile)
    assert (fused == expected).all()
    assert place_of(tags) == (X + fused_columns[0] / 2, Y - fused_rows[0] / 2)
    assert len(result["notes"]) == 1
    assert "fused their common ground" in result["notes"][0]
    assert result["notes"][0] in capsys.readouterr().out


def test_the_same_ground_is_fused_as_without_a_georeference(scene):
    ms, pan, folder = scene
    put(folder, ms, pan, (), ())
    bare, expected, _ = fuse(folder, output="bare")
    put(folder, ms, pan)
    result, fused, tags = fuse(folder)
    assert (fused == expected).all()
    assert result["notes"] == bare["notes"] == []
    assert place_of(tags) == PLACE


TURNED = (0.4, 0.3, 0, X, 0.3, -0.4, 0, Y, 0, 0, 0, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"place": (X + 10000, Y)}, ["x 510000 to 510096, y 4099904 to 4100000 beside", "x 500000 to 500096"]),
        ({"place": (X, Y + 96)}, ["expected common ground"]),
        ({"crs": 32634}, ["found EPSG:32634", "expected EPSG:32633 as the MS image has"]),
        ({"pixel": 0.4}, ["pixels 5 times as small", "expected pixels 2, 4 or 8 times as small"]),
        ({"pixel": 0.51}, ["pixels 3.92157 times as small"]),
        ({"pixel": 2.0}, ["pixels 1 times as small"]),
        ({"matrix": TURNED}, ["a grid turned or sheared against"]),
        ({"pixel": -0.5}, ["a grid turned or sheared against"]),
        ({"matrix": (0,) * 16}, ["a georeference whose pixels have no area"]),
    ],
)
def test_other_ground_is_refused(change, messages, scene, capsys):
    ms, pan, folder = scene
    put(folder, ms, pan, pan_geo=geo(**change))
    error = refused(folder, capsys)
    for message in messages:
        assert message in error


def test_turned_grids_that_agree(scene):
    ms, pan, folder = scene
    first = (12, 20)  # row and column of the pan
    place = np.array([[0.4, 0.3, X], [0.3, -0.4, Y]]) @ (first[1], first[0], 1)
    low = [value * (4 if n in (0, 1, 4, 5) else 1) for n, value in enumerate(TURNED)]
    late = [*TURNED[:3], place[0], *TURNED[4:7], place[1], *TURNED[8:]]
    put(folder, ms, pan[12:, 20:], geo(matrix=low), geo(matrix=late))
    result, fused, tags = fuse(folder)
    assert fused.shape == (4, 180, 172)
    assert np.allclose(place_of(tags), place, atol=1e-6)
    assert "rows 0 to 180 and columns 0 to 172 of the pan's 180x172" in result["notes"][0]
    put(folder, ms[:, 4:], pan, geo(matrix=[*low[:3], X + 4.8, *low[4:7], Y - 6.4, *low[8:]]), geo(matrix=TURNED))
    tags = fuse(folder, output="ms")[2]
    assert np.allclose(place_of(tags), (X + 4.8, Y - 6.4), atol=1e-6)


@pytest.mark.parametrize(
    ("away", "said", "rows"), [(0.0005, None, 192), (0.2, "-0.40", 192), (0.25, "-0.50", 192), (0.3, "0.40", 188)]
)
def test_less_than_a_pixel_is_tolerated_and_said(away, said, rows, scene):
    ms, pan, folder = scene
    put(folder, ms, pan, pan_geo=geo((X, Y - away)))
    result, fused, tags = fuse(folder)
    assert fused.shape[1:] == (rows, 192)
    first = 3 if rows == 188 else 0
    assert place_of(tags) == pytest.approx((X, Y - away - first * PIXEL))
    assert any(f"0.00 columns and {said} rows of the pan apart" in note for note in result["notes"]) == bool(said)


def test_pixels_as_points_are_their_centres(scene):
    ms, pan, folder = scene
    put(folder, ms, pan, geo((X + 1, Y - 1), 2.0, point=True), geo((X + 0.25, Y - 0.25), point=True))
    result, _, tags = fuse(folder, output="points")
    assert result["notes"] == []
    assert tags[33922][3:5] == (X + 0.25, Y - 0.25)
    put(folder, ms, pan, geo((X + 1, Y - 1), 2.0, point=True))
    assert fuse(folder, output="mixed")[0]["notes"] == []
    put(folder, ms, pan, geo((X, Y), 2.0, point=True))  # 1 m to the north-west, two pixels of the pan
    result, fused, tags = fuse(folder)
    assert fused.shape == (4, 188, 188)
    assert place_of(tags) == (X + 1, Y - 1)


@pytest.mark.parametrize("role", ["ms", "pan"])
def test_one_georeference_alone_is_said(role, scene):
    ms, pan, folder = scene
    put(folder, ms, pan, **{f"{'ms' if role == 'pan' else 'pan'}_geo": ()})
    result, fused, tags = fuse(folder)
    assert fused.shape == (4, 192, 192)
    assert tags[33922][3:5] == (X, Y)
    assert tags[33550][:2] == (PIXEL, PIXEL)
    name = {"ms": "MS image", "pan": "pan"}[role]
    assert [note.split(":")[0] for note in result["notes"]] == [f"Only the {name} has a georeference"]


def test_control_points_are_not_compared(scene):
    ms, pan, folder = scene
    points = [(33922, 12, 12, (0.0, 0, 0, X, Y, 0, 9, 9, 0, X + 5, Y - 5, 0), True)]
    put(folder, ms, pan, points, points)
    result, _, tags = fuse(folder)
    assert "control points are not compared" in result["notes"][0]
    assert tags[33922] == points[0][3]


def own_crs(longitude, name="a|"):
    """Tags of a transverse Mercator that has no code."""
    keys = (1, 1, 0, 5, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32767, 3075, 0, 1, 1, 3080, 34736, 1, 0)
    return [
        *geo()[:2],
        (34735, 3, len(keys), keys, True),
        (34736, 12, 1, (longitude,), True),
        (34737, 2, 0, name, True),
    ]


def test_user_defined_projections_are_compared_by_all_keys(scene, capsys):
    ms, pan, folder = scene
    low = [(33550, 12, 3, (2.0, 2.0, 0.0), True), *own_crs(15.0)[1:]]
    put(folder, ms, pan, low, own_crs(15.0))
    assert fuse(folder, output="same")[0]["notes"] == []
    put(folder, ms, pan, low, own_crs(21.0))
    assert "found a CRS of its own that differs from the MS image's" in refused(folder, capsys)
    put(folder, ms, pan, low)
    assert "found EPSG:32633" in refused(folder, capsys)
    put(folder, ms, pan, pan_geo=geo()[:2])
    assert "Only the MS image names its CRS (EPSG:32633)" in fuse(folder, output="unnamed")[0]["notes"][0]


def test_degrees():
    step = 4.5e-6
    keys = (1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326)
    place = lambda x, y, size: georeference(  # noqa: E731
        [(33550, 12, 3, (size, size, 0), True), (33922, 12, 6, (0, 0, 0, x, y, 0), True), (34735, 3, 12, keys, True)],
        None,
    )
    pan, ms = place(138.7 + 7 * step, 35.4, step), place(138.7, 35.4 + 5 * step, 4 * step)
    assert pan.crs == "EPSG:4326"
    found = common_ground(ms, pan, (1000, 1000), (4100, 4100), (2, 4, 8), None)
    assert found.low == ((2, 1000), (2, 1000))
    assert found.guide == ((3, 3995), (1, 3993))
    assert found.rest == (0, 0)


def test_a_tiepoint_inside_the_image_and_tags_that_are_cut():
    tags = [(33550, 12, 3, (0.5, 0.25, 0.0), True), (33922, 12, 6, (10.0, 20.0, 0.0, X, Y, 0.0), True)]
    here = georeference(tags, None)
    assert tuple(here.grid @ (0, 0, 1)) == (X - 5, Y + 5)
    assert here.crs is None
    assert tuple(georeference(moved_tags(tags, 8, 4), None).grid @ (0, 0, 1)) == (X - 3, Y + 3)
    assert georeference(tags[1:], None) is None
    assert georeference([], None) is None
    cut = [*tags, (34735, 3, 7, (1, 1, 0, 2, 3072, 0, 1), True)]
    assert georeference(cut, None).crs is None
    with pytest.raises(DataError, match="no area"):
        georeference([(33550, 12, 3, (np.nan, 1.0, 0.0), True), tags[1]], None)


@pytest.mark.parametrize(
    "tags",
    [
        [(33550, 2, 0, "half", True), (33922, 12, 6, (0,) * 6, True)],
        [(33550, 12, 2, (0.5, 0.5), True), (33922, 2, 0, "tie points..", True)],
        [(34735, 2, 0, "directory", True)],
    ],
)
def test_tags_of_another_type(tags):
    with pytest.raises(DataError, match="damaged GeoTIFF tags"):
        georeference(tags, None)


def test_grids_out_of_all_proportion():
    tiny, large = (georeference(geo(pixel=size), None) for size in (1e-150, 1e150))
    for ms, pan in ((large, tiny), (tiny, large)):
        with pytest.raises(DataError, match="times as small"):
            common_ground(ms, pan, (9, 9), (36, 36), (2, 4, 8), "pan.tif")
