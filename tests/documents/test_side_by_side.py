"""benchmarks/side_by_side.py: which pairs and pictures stand where."""

import cv2
import numpy as np
import pytest
import side_by_side
from side_by_side import PANEL_WIDTH

from data.errors import DataError


class Halves:
    """A network whose fused image is half of the visible one."""

    def eval(self):
        return self

    def __call__(self, visible, infrared):
        return visible / 2


def test_a_row_for_each_pair_in_natural_order(tmp_path, monkeypatch):
    monkeypatch.setattr(side_by_side, "load_pretrained", lambda *args, **options: Halves())
    for folder, level in (("set/vi", 200), ("set/ir", 40), ("others", 240)):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("1", "2", "10"):
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), np.full((60, 60), level, np.uint8))
    sheet = tmp_path / "sheet.jpg"
    options = ["--data", tmp_path / "set", "--weights", "halves", "--images", "2", "--output", sheet]
    options += ["--fused-beside", f"Other={tmp_path / 'others'}"]
    assert side_by_side.main([str(option) for option in options]) == ["1", "10"]
    image = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    assert image.shape[1] == 4 * PANEL_WIDTH
    middles = image[image.shape[0] // 4, PANEL_WIDTH // 2 :: PANEL_WIDTH]
    assert middles == pytest.approx([200, 40, 100, 240], abs=4)
    (tmp_path / "others/10.png").unlink()
    sheet.unlink()
    with pytest.raises(DataError, match="no image named 10"):
        side_by_side.main([str(option) for option in options])
    assert not sheet.exists()
