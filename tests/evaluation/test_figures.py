"""Where the crops of a figure are taken from."""

import numpy as np

from utils.output.figures import telling_window


def test_the_window_is_where_both_images_have_much_to_show():
    rng = np.random.default_rng(0)
    a, b = np.zeros((2, 80, 120), np.float32)
    a[10:30, 60:80] = rng.random((20, 20))
    b[10:30, 60:80] = rng.random((20, 20))
    a[50:70, 0:20] = 5 * rng.random((20, 20))  # in one of them alone
    rows, columns = telling_window(a, b)
    assert abs(rows.start - 10) <= 10
    assert abs(columns.start - 60) <= 10, "its borders have contrast, too"
    assert (rows.stop - rows.start, columns.stop - columns.start) == (20, 20)


def test_plain_and_tiny_images_have_one_too():
    assert telling_window(np.zeros((3, 5)), np.ones((3, 5))) == (slice(0, 1), slice(0, 1))
    corner = np.zeros((40, 40))
    corner[35:, 35:] = np.eye(5)
    rows, columns = telling_window(corner, corner)
    assert rows.stop == columns.stop == 40
