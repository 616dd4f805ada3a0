"""The page in a real browser: what a visitor does, what stays of it."""

import json
import shutil
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import cv2
import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, ROOT, Server, visit
from measured_files import envi, measured_files

import test_dcinn_ivf_rs

pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its chromedriver here"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server") / "temporary"
    folder.mkdir()
    found = Server(folder)
    yield found
    if found.process.poll() is None:
        found.stop()


@pytest.fixture
def sixteen(tmp_path):
    """Two 16-bit images, 96 by 120."""
    rng, folder = np.random.default_rng(0), tmp_path / "uploads"
    folder.mkdir()
    smooth = cv2.GaussianBlur(rng.random((2, 96, 120)).transpose(1, 2, 0), (0, 0), 3)
    for name, image in zip(("street", "thermal"), np.moveaxis(smooth, -1, 0), strict=True):
        cv2.imwrite(str(folder / f"{name}.png"), ((image - image.min()) / np.ptp(image) * 65535).astype(np.uint16))
    return folder


def fused(page):
    return page.until(lambda: "max of the two" in page.text("#pair_table"))


def test_upload_fuse_slide_look_inside_download(server, sixteen, tmp_path):
    with visit(server, tmp_path) as page:
        page.upload("visible", sixteen / "street.png")
        page.upload("infrared", sixteen / "thermal.png")
        page.click("#pair_fuse")
        fused(page)
        assert "street.png" in page.text("#pair_table")

        page.until(lambda: len(page.all("#pair_slider img")) == 2)
        time.sleep(1)
        before = page.picture("#pair_slider")
        from selenium.webdriver import ActionChains

        box = page.one("#pair_slider")
        ActionChains(page.driver).move_to_element(box).click_and_hold().move_by_offset(-150, 0).release().perform()
        page.until(lambda: (page.picture("#pair_slider") != before).mean() > 0.02)

        source = page.all("#pair_slider img")[0].get_attribute("src")
        page.all("#against label")[1].click()
        page.until(lambda: page.all("#pair_slider img")[0].get_attribute("src") != source)

        page.click("#inside")
        page.until(lambda: len(page.all("#parts img")) >= 6)
        assert "residual" in page.text("#parts")

        page.click("#pair_download")
        file = page.until(lambda: list(tmp_path.glob("street_fused*.png")))[0]
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert image.dtype == np.uint16
        assert image.shape == (96, 120)
        assert (image % 257).any(), "eight bits in sixteen"

        sent = [json.loads(line["message"])["message"] for line in page.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
        assert len(urls) > 10
        assert [u for u in urls if not u.startswith((server.url, "data:", "blob:"))] == []


def test_five_real_pairs_are_fused_as_by_the_script(server, shared, tmp_path):
    source, chosen = shared("datasets/cddfuse_test/RoadScene"), tmp_path / "five"
    for kind in ("vi", "ir"):
        (chosen / kind).mkdir(parents=True)
        for path in sorted((source / kind).iterdir())[::10]:
            shutil.copy(path, chosen / kind)
    names = sorted(p.name for p in (chosen / "vi").iterdir())
    test_dcinn_ivf_rs.main(
        ["--data", str(chosen), "--weights", "ivf_tuned", "--no-metrics", "--output", str(tmp_path / "script")]
    )
    (tmp_path / "page").mkdir()
    with visit(server, tmp_path / "page") as page:
        for name in names:
            page.driver.refresh()
            page.until(lambda: page.all("#pair_fuse"))
            time.sleep(1)
            page.upload("visible", chosen / "vi" / name)
            page.upload("infrared", chosen / "ir" / name)
            page.click("#pair_fuse")
            page.until(lambda name=name: name in page.text("#pair_table"))
            page.click("#pair_download")
            stem = Path(name).stem
            (file,) = page.until(lambda stem=stem: list((tmp_path / "page").glob(f"{stem}_fused*.png")))
            (by_script,) = (tmp_path / "script").rglob(f"{stem}*.png")
            np.testing.assert_array_equal(cv2.imread(str(file), -1), cv2.imread(str(by_script), -1))
        page.driver.save_screenshot(str(tmp_path / "last.png"))
    assert len(names) == 5


def test_a_wrong_file_is_one_line_and_the_page_goes_on(server, sixteen, tmp_path):
    (sixteen / "notes.png").write_text("no image")
    with visit(server, tmp_path) as page:
        page.upload("visible", sixteen / "notes.png")
        page.upload("infrared", sixteen / "thermal.png")
        page.click("#pair_fuse")
        page.until(page.errors)
        (line,) = page.errors()
        assert line.startswith("notes.png: found no readable image"), line
        assert line.endswith("expected a complete image file")
        assert str(server.folder) not in line
        page.driver.refresh()
        page.until(lambda: page.all("#pair_fuse"))
        time.sleep(1)
        page.click("#pair_fuse")
        fused(page)


def test_two_visitors_at_once_and_what_stays_of_them(server, sixteen, tmp_path):
    with visit(server, tmp_path) as first, visit(server, tmp_path) as second:
        first.upload("visible", sixteen / "street.png")
        first.upload("infrared", sixteen / "thermal.png")
        first.click("#pair_fuse")
        second.click("#pair_fuse")
        fused(first)
        fused(second)
        assert "street.png" in first.text("#pair_table")
        assert "embedded sample" in second.text("#pair_table")
        assert any("street" in p.name for p in server.files())
        first.driver.get("about:blank")
        second.until(lambda: not any("street" in p.name for p in server.files()))
        assert any(p.name == "0.png" for p in server.files()), "the other one's results"
    limit = time.monotonic() + 30
    while server.files() and time.monotonic() < limit:
        time.sleep(0.5)
    assert server.files() == []


def test_crop_and_spectra_in_the_other_tabs(server, tmp_path):
    from selenium.webdriver import ActionChains

    with visit(server, tmp_path) as page:
        page.tab("Pansharpening")
        page.until(lambda: page.one("#scene_open").is_displayed())
        page.click("#scene_open")
        before = page.until(lambda: page.text("#look_words"))
        assert "rows 128 to 384" in before
        ActionChains(page.driver).move_to_element_with_offset(page.one("#look img"), -60, -60).click().perform()
        page.until(lambda: page.text("#look_words") not in ("", before))
        page.click("#scene_fuse")
        page.until(lambda: "EXP" in page.text("#scene_table"))
        page.until(lambda: page.all("#scene_angles img"))
        ActionChains(page.driver).move_to_element(page.one("#scene_fused img")).click().perform()
        page.until(lambda: page.all("#scene_spectrum img"))

        page.tab("Hyperspectral")
        page.until(lambda: page.one("#cube_fuse").is_displayed())
        page.click("#cube_fuse")
        page.until(lambda: "bicubic" in page.text("#cube_table"))
        ActionChains(page.driver).move_to_element(page.one("#cube_fused img")).click().perform()
        page.until(lambda: page.all("#cube_spectrum img"))

        cube = measured_files(tmp_path)
        page.upload("hsi", tmp_path / "hsi.tif")
        page.upload("msi", tmp_path / "msi.png")
        page.click("#cube_fuse")
        page.until(page.errors)
        assert "hsi.tif: found 16-bit samples in a small part of their range" in page.errors()[0]
        envi(tmp_path / "hsi.hdr", (cube / 4095).astype(np.float32))
        page.driver.refresh()
        page.until(lambda: page.all("#pair_fuse"))
        time.sleep(1)
        page.tab("Hyperspectral")
        page.until(lambda: page.one("#cube_fuse").is_displayed())
        page.upload("hsi", tmp_path / "hsi.hdr", tmp_path / "hsi")
        page.upload("msi", tmp_path / "msi.png")
        page.click("#cube_fuse")
        page.until(lambda: "96x80 pixels, ratio 4" in page.text("#cube_table"))
        page.driver.save_screenshot(str(tmp_path / "measured.png"))
        assert page.errors() == []


@pytest.mark.parametrize("path", ["/etc/hostname", str(ROOT / "README.md"), "pretrained/ps.json", "../../etc/hostname"])
def test_no_file_but_uploads_and_results_is_given_out(path, server):
    opener = build_opener(ProxyHandler({}))
    with pytest.raises(HTTPError) as found:
        opener.open(f"{server.url}gradio_api/file={path}")
    assert found.value.code in (403, 404)


def test_nothing_is_left_when_the_server_stops(sixteen, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    server = Server(folder)
    with visit(server, tmp_path) as page:
        page.upload("visible", sixteen / "street.png")
        page.upload("infrared", sixteen / "thermal.png")
        page.click("#pair_fuse")
        fused(page)
        assert server.files()
        page.tab("Hyperspectral")
        page.until(lambda: page.one("#cube_fuse").is_displayed())
        page.click("#cube_fuse")  # the server stops in the middle of it
        time.sleep(1)
        code, said = server.stop()
        assert code == 0, said
        assert "Traceback" not in said
        assert list(folder.iterdir()) == []
    assert not (tmp_path / ".gradio").exists()
