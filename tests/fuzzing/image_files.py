"""Small valid image files and folders of them, and the same with a meaning that no reader expects."""

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

Rng = np.random.Generator
SIDE = 12
JP2_SIDE = 48


def _pixels(rng: Rng, dtype: type = np.uint8, channels: int = 1, side: int = SIDE) -> np.ndarray:
    shape = (side, side + 3) if channels == 1 else (side, side + 3, channels)
    whole = rng.integers(0, 256, shape)
    scaled = whole / 255 if np.dtype(dtype).kind == "f" else whole * (np.iinfo(dtype).max // 255)
    return scaled.astype(dtype)


def write_coded(path: Path, rng: Rng, twisted: bool) -> None:
    """PNG, JPEG, BMP or JPEG 2000 by the suffix; twisted: another format, an animation, one bit, a palette, a pixel."""
    suffix = path.suffix
    if twisted:
        _write_twisted(path, rng)
        return
    deep = suffix in (".png", ".jp2") and rng.random() < 0.5
    channels = int(rng.choice([1, 3, 4] if suffix in (".png",) else [1, 3]))
    side = JP2_SIDE if suffix == ".jp2" else SIDE
    image = _pixels(rng, np.uint16 if deep else np.uint8, channels, side)
    path.write_bytes(cv2.imencode(suffix, image)[1].tobytes())


def _write_twisted(path: Path, rng: Rng) -> None:
    kinds = (
        "PNG",
        "GIF",
        "PPM",
        "WEBP",
        "TIFF",
        "BMP",
        "JPEG",
        "ICO",
        "animated",
        "1",
        "P",
        "LA",
        "I;16",
        "I",
        "F",
        "dot",
    )
    kind = kinds[int(rng.integers(len(kinds)))]
    image, buffer = Image.fromarray(_pixels(rng, channels=3)), io.BytesIO()
    if kind == "animated":
        image.save(buffer, "PNG", save_all=True, append_images=[image.rotate(90)])
    elif kind in ("1", "P", "LA"):
        image.convert(kind).save(buffer, "PNG")
    elif kind == "I;16":
        Image.fromarray(_pixels(rng, np.uint16)).save(buffer, "PNG")
    elif kind in ("I", "F"):
        image.convert(kind).save(buffer, "TIFF")
    elif kind == "dot":
        Image.new("RGB", (1, 1)).save(buffer, "PNG")
    else:
        image.save(buffer, kind)
    path.write_bytes(buffer.getvalue())


TIFFS = (
    {},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True},
    {"tile": (16, 16)},
    {"tile": (16, 16), "compression": "zlib"},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"rowsperstrip": 3},
    {"extratags": [(33550, "d", 3, (1.0, 1.0, 0.0), True), (34735, "H", 4, (1, 1, 0, 0), True)]},
    {"metadata": None},
    {"photometric": "miniswhite"},
    {"imagej": True},
)


def write_tiff(path: Path, rng: Rng, twisted: bool) -> None:
    """TIFF in one of many layouts; twisted: pages, planes, odd types, overviews, palettes, YCbCr, or other files."""
    kind = (np.uint8, np.uint16, np.float32)[int(rng.integers(3))]
    if twisted:
        _write_odd_tiff(path, rng, kind)
        return
    if rng.random() < 0.15:
        how = ("tiff_lzw", "packbits", "jpeg", "tiff_adobe_deflate")[int(rng.integers(4))]
        Image.fromarray(_pixels(rng, channels=int(rng.choice([1, 3])))).save(path, "TIFF", compression=how)
        return
    options = TIFFS[int(rng.integers(len(TIFFS)))]
    colour = rng.random() < 0.3 and not options.keys() & {"photometric", "imagej"}
    kind = np.uint16 if "predictor" in options else kind  # that of floats needs a further package
    pixels = _pixels(rng, kind, 3 if colour else 1)
    tifffile.imwrite(path, pixels, **options, **({"photometric": "rgb"} if colour else {}))


def _write_odd_tiff(path: Path, rng: Rng, kind: type) -> None:
    flat, colour = _pixels(rng, kind), _pixels(rng, kind, 3)
    holed = flat.astype(np.float32)
    holed[1, 2] = rng.choice([np.nan, np.inf, -1, 1e30])
    table = rng.integers(0, 65536, (3, 256)).astype(np.uint16)
    planes = np.moveaxis(colour, -1, 0).copy()
    made = (
        lambda: tifffile.imwrite(path, np.stack([flat] * 3), photometric="minisblack"),
        lambda: tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate"),
        lambda: tifffile.imwrite(path, _pixels(rng, channels=8), photometric="minisblack", planarconfig="contig"),
        lambda: tifffile.imwrite(path, holed),
        lambda: tifffile.imwrite(path, flat.astype(np.int16)),
        lambda: tifffile.imwrite(path, flat.astype(np.complex64)),
        lambda: tifffile.imwrite(path, flat > 0),
        lambda: tifffile.imwrite(path, flat.astype(np.float16)),
        lambda: tifffile.imwrite(path, flat.astype(np.uint64)),
        lambda: tifffile.imwrite(path, _pixels(rng), photometric="palette", colormap=table),
        lambda: tifffile.imwrite(path, flat[:1, :1]),
        lambda: tifffile.imwrite(path, shape=(0, 5), dtype=kind),
        lambda: tifffile.imwrite(path, np.zeros((2, 3, 4, 5, 6), kind)),
        lambda: tifffile.imwrite(path, flat, description="two\nlines " * 100),
        lambda: tifffile.imwrite(path, flat, software="x" * 3000),
        lambda: _pyramid(path, flat),
        lambda: path.write_bytes(cv2.imencode(".png", _pixels(rng))[1].tobytes()),
    )
    made[int(rng.integers(len(made)))]()


def _pyramid(path: Path, flat: np.ndarray) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(flat)
        writer.write(flat[::2, ::2], subfiletype=1)


def write_cave(path: Path, rng: Rng, twisted: bool) -> None:
    """A folder with one scene of 31 bands; twisted: bands lacking, twice, of another size or type, or folders."""
    folder = path / "toy_ms" / "toy_ms"
    folder.mkdir(parents=True)
    for number in range(1, 32):
        band = (rng.integers(0, 256, (8, 10)) * 257).astype(np.uint16)
        cv2.imwrite(str(folder / f"toy_ms_{number:02d}.png"), band)
    if not twisted:
        return
    band = folder / f"toy_ms_{int(rng.integers(1, 32)):02d}.png"
    images = (
        rng.integers(0, 256, (8, 10)).astype(np.uint8),
        rng.integers(0, 65536, (9, 10)).astype(np.uint16),
        rng.integers(0, 65536, (8, 10, 3)).astype(np.uint16),
        rng.integers(0, 65536, (8, 10, 4)).astype(np.uint16),
    )
    what = int(rng.integers(12))
    if what < 4:
        cv2.imwrite(str(band), images[what])
    elif what == 4:
        band.unlink()
    elif what == 5:
        shutil.copy(band, band.with_suffix(".bmp"))
    elif what == 6:
        band.rename(folder / ("toy_ms_32.png", "toy_ms_099.png", "toy_ms_00.png", "x.png")[int(rng.integers(4))])
    elif what == 7:
        band.unlink()
        band.mkdir()
    elif what == 8:
        band.unlink()
        band.symlink_to("nowhere.png")
    elif what == 9:
        shutil.rmtree(path / "toy_ms")
    elif what == 10:
        (path / "toy_ms" / "toy_ms").rename(path / "other\nname")
    else:
        band.write_bytes(b"")


def write_pairs(path: Path, rng: Rng, twisted: bool) -> None:
    """A folder of two pairs; twisted: folders lacking or doubled, names unmatched, links, odd sizes."""
    for kind in ("vi", "ir"):
        (path / kind).mkdir(parents=True)
        for name in ("a", "b"):
            cv2.imwrite(str(path / kind / f"{name}.png"), _pixels(rng, channels=int(rng.choice([1, 3]))))
    if not twisted:
        return
    one = path / "ir" / "a.png"
    changes = (
        lambda: one.rename(path / "ir" / "two\nlines.png"),
        one.unlink,
        lambda: shutil.copy(one, one.with_suffix(".bmp")),
        lambda: shutil.copytree(path / "vi", path / "VIS"),
        lambda: shutil.rmtree(path / "ir"),
        lambda: (one.unlink(), one.mkdir()),
        lambda: (one.unlink(), one.symlink_to("a.png")),
        lambda: (shutil.rmtree(path / "ir"), (path / "ir").symlink_to("nowhere")),
        lambda: (shutil.rmtree(path / "ir"), (path / "ir").write_text("a file")),
        lambda: cv2.imwrite(str(one), np.zeros((SIDE, SIDE), np.uint8)),
        lambda: one.write_bytes(b""),
        lambda: one.rename(path / "ir" / "a.tif"),
    )
    changes[int(rng.integers(len(changes)))]()
