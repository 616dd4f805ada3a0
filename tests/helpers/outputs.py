"""Helpers of the tests of the output end."""

import cv2
import numpy as np
import pytest


def snapshot(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def pairs(folder, *names):
    rng = np.random.default_rng(0)
    for kind in ("vi", "ir"):
        (folder / kind).mkdir(parents=True)
        for name in names or ("a", "b"):
            image = cv2.imencode(".png", rng.integers(0, 256, (32, 32)).astype(np.uint8))[1]
            (folder / kind / f"{name}.png").write_bytes(image.tobytes())
    return folder


def ended(main, *options, code=2):
    with pytest.raises(SystemExit) as stop:
        main([str(o) for o in options])
    assert stop.value.code == code


def one_line(capfd):
    error = capfd.readouterr().err
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    return error


def ivf(folder, *options):
    return ("--data", pairs(folder / "set"), "--output", folder / "out", "--weights", "untrained", *options)
