"""Small valid ENVI rasters, and the same with fields that no reader expects."""

from pathlib import Path

import numpy as np

Rng = np.random.Generator
CODES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2"}
MAP = "{UTM, 1, 1, 500000, 4100000, 30, 30, 33, North, WGS-84, units=Meters}"
ODD = (
    "",
    "{",
    "}",
    "-1",
    "0",
    "1e308",
    "nan",
    "9" * 5000,
    "7",
    "x",
    "ü\0\x1b[31m",
    "{UTM}",
    "{UTM, nan, 1, 1, 1, 1, 1}",
)
ODD += ("{UTM, 1, 1, 1, 1, 1e400, 1}", "{UTM, 1, 1, 1, 1, 0, 1}", "bsq", "bip = 2", "{1, 2}\n3", "rotation=x", "²")


def write_envi(path: Path, rng: Rng, twisted: bool) -> None:
    """A folder with scene.hdr and scene.dat; twisted: up to three fields are odd, doubled or lacking."""
    path.mkdir()
    code = int(rng.choice(list(CODES)))
    shape = rng.integers(2, 9, 3)
    waves = np.sort(rng.integers(400, 2500, shape[0]))[:: 1 if rng.random() < 0.7 else -1]
    fields = {"samples": shape[2], "lines": shape[1], "bands": shape[0], "header offset": 0, "data type": code}
    fields |= {"interleave": ("bsq", "bil", "bip")[int(rng.integers(3))], "byte order": int(rng.integers(2))}
    fields |= {"map info": MAP, "data ignore value": 0, "wavelength": f"{{\n {', '.join(map(str, waves))}}}"}
    lines = list(fields.items())
    for _ in range(int(rng.integers(1, 4)) if twisted else 0):
        at, odd = int(rng.integers(len(lines))), ODD[int(rng.integers(len(ODD)))]
        what = int(rng.integers(3))
        lines[at : at + 1] = [[(lines[at][0], odd)], [], [lines[at], (lines[at][0], odd)]][what]
        lines = lines or [("samples", odd)]
    text = "".join(f"{name} = {value}\n" for name, value in lines)
    (path / "scene.hdr").write_text(f"ENVI\n{text}", encoding="utf-8")
    count = int(np.prod(shape)) * np.dtype(CODES[code]).itemsize
    (path / "scene.dat").write_bytes(rng.integers(0, 256, count).astype(np.uint8).tobytes())
