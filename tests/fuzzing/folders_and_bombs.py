"""Folders as data sets have them, with names of any kind, and files that unpack to far more than they are."""

import functools
import io
import shutil
import unicodedata
import zipfile
import zlib
from pathlib import Path

import cv2
import h5py
import numpy as np

Rng = np.random.Generator
SIDE = 12
NAMES = (
    "a",
    "é",
    "x1",
    "FLIR_0001",
    "two words",
    "-flag",
    "=cmd",
    "<b>",
    "n\x1b[31m",
    "\u202egnp",
    "a|b",
    "line\nbreak",
)
TWO_FOLDERS = (("vi", "ir"), ("VIS", "IR"), ("visible", "infrared"), ("Vis", "Ir"), ("RGB", "thermal"))
WORDS = (("VIS", "IR"), ("vis", "ir"), ("visible", "infrared"), ("VI", "IR"), ("RGB", "thermal"))
ZEROS = 2**22


def _put(path: Path, level: int, name: str) -> None:
    path.mkdir(parents=True, exist_ok=True)
    image = np.full((SIDE, SIDE), level, np.uint8)
    image[0, 0] = 255 - level
    (path / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())


def write_layout(path: Path, rng: Rng, _: bool) -> None:
    """Pairs in a data set's layout; each image's level says which pair and which role it is of."""
    path.mkdir()
    names = [str(name) for name in rng.choice(NAMES, 3, replace=False)]
    kind = int(rng.integers(6))
    folders = TWO_FOLDERS[int(rng.integers(len(TWO_FOLDERS)))]
    words = WORDS[int(rng.integers(len(WORDS)))]
    for number, name in enumerate(names):
        for role in (0, 1):
            level, own = 10 * number + role, name
            if rng.random() < 0.3:
                own = unicodedata.normalize(("NFC", "NFD")[role], name)
            if kind == 0:
                _put(path / folders[role], level, f"{own}.png")
            elif kind == 1:
                _put(path / folders[role] / "train", level, f"{own}.png")
            elif kind == 2:
                _put(path / "test" / folders[role], level, f"{own}.png")
            elif kind == 3:
                _put(path / folders[role], level, f"{words[role]}{number}.png")
            elif kind == 4:
                _put(path, level, f"{own}_{words[role]}.png")
            else:
                _put(path, level, f"{words[role]}_{own}.png")
    some = sorted(p for p in path.rglob("*.png"))
    if rng.random() < 0.3:
        (path / ".ipynb_checkpoints").mkdir()
        shutil.copy(some[0], path / ".ipynb_checkpoints" / f"{some[0].stem}-checkpoint.png")
    if rng.random() < 0.3:
        shutil.copy(some[-1], some[-1].with_name(f"._{some[-1].name}"))
    if rng.random() < 0.2:
        (path / "loop").symlink_to(path)
    if rng.random() < 0.2 and some[0].parent != path:
        real = some[0].parent
        real.rename(path / "elsewhere")
        real.symlink_to(path / "elsewhere")


@functools.cache
def _variable(count: int) -> bytes:
    """A variable of MATLAB v5, `count` blocks of zeros, as it is stored compressed; at most 300 of them are there."""
    pack = zlib.compressobj(9)
    size = count * ZEROS
    tags = [14, 56 + size, 6, 8, 6, 0, 5, 8, size // 8 // 2048, 2048, 1, 1, ord("x"), 9, size]
    blocks = [pack.compress(np.array(tags, np.uint32).tobytes())]
    blocks += [pack.compress(bytes(ZEROS)) for _ in range(min(count, 300))]
    data = b"".join(blocks) + pack.flush()
    return (15).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


def _mat_bomb(path: Path, rng: Rng) -> None:
    """Variables of MATLAB v5 whose zeros unpack to gigabytes; their sizes true, or not."""
    start = b"MATLAB 5.0 MAT-file".ljust(124) + (0x0100).to_bytes(2, "little") + b"IM"
    path.write_bytes(start + _variable(int(rng.choice([600, 1000]))) * int(rng.integers(1, 4)))


@functools.cache
def _zip(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open(member, "w", force_zip64=True) as entry:
            for _ in range(300):
                entry.write(bytes(ZEROS))
        file.writestr("archive/byteorder", "little")
    return buffer.getvalue()


def _pth_bomb(path: Path, rng: Rng) -> None:
    """A checkpoint's zip with a member that is deflated zeros."""
    path.write_bytes(_zip(("archive/data.pkl", "archive/data/0", "archive/version")[int(rng.integers(3))]))


def _h5_bomb(path: Path, rng: Rng) -> None:
    """Datasets of a declared size that nothing fills, in chunks of nothing, or thousands of names."""
    with h5py.File(path, "w") as file:
        if rng.random() < 0.3:
            kept = file.create_dataset("x", (1,), np.uint8)
            for number in range(int(rng.integers(900, 5000))):
                file[f"n{number}"] = kept
        shape = (int(rng.integers(1, 1000)), 4, 2**17, 2**17)
        for name in ("ms", "pan", "gt", "GT", "HSI_up", "LRHSI", "RGB", "ref"):
            if rng.random() < 0.7:
                file.create_dataset(name, shape, np.float32, chunks=(1, 1, 64, 64), compression="gzip")


def _png_bomb(path: Path, rng: Rng) -> None:
    """A PNG of a few kilobytes that declares gigabytes."""
    side = int(rng.integers(20_000, 2**31))
    start = b"\x89PNG\r\n\x1a\n"
    head = side.to_bytes(4, "big") * 2 + bytes([16, 6, 0, 0, 0])
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(ZEROS))), (b"IEND", b""))
    parts = (len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks)
    path.write_bytes(start + b"".join(parts))


BOMBS = {"bomb.mat": _mat_bomb, "bomb.pth": _pth_bomb, "bomb.h5": _h5_bomb, "bomb.png": _png_bomb}


def write_bomb(path: Path, rng: Rng, _: bool) -> None:
    """One file that is, or says that it is, far larger than it looks."""
    path.mkdir()
    name = list(BOMBS)[int(rng.integers(len(BOMBS)))]
    BOMBS[name](path / name, rng)
