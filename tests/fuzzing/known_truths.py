"""Inputs whose right reading is known: they are read so, or refused; a wrong value in silence is a failure.

Each writer makes a folder of one input and truth.npz; `meaning_readers` reads the one and compares it with the other.
"""

from pathlib import Path

import cv2
import h5py
import numpy as np
import scipy.io
import tifffile

Rng = np.random.Generator
SIDE = 12
OUTSIDE = ("storage", "link", "deep link", "virtual", "group link", "relative link")
INSIDE = ("plain", "soft link", "dangling link", "group of its own")
SHAPES = {"pan": (2, 1, 16, 16), "ms": (2, 4, 4, 4), "LRHSI": (2, 4, 4, 4), "RGB": (2, 3, 16, 16), "ref": (31, 9, 8)}
ROLES = {"scene.h5": ("gt", "lms", "ms", "pan"), "patches.h5": ("GT", "HSI_up", "LRHSI", "RGB"), "ref.mat": ("ref",)}


def _smooth(rng: Rng, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    image = cv2.GaussianBlur(rng.random((height, width)), (0, 0), 2)
    return (image - image.min()) / (image.max() - image.min())


def write_elsewhere(path: Path, rng: Rng, _: bool) -> None:
    """HDF5 with one array kept in another file in one of several ways, or inside in a strange way."""
    path.mkdir()
    name = list(ROLES)[int(rng.integers(len(ROLES)))]
    key = ROLES[name][int(rng.integers(len(ROLES[name])))]
    how = (*OUTSIDE, *INSIDE)[int(rng.integers(len(OUTSIDE) + len(INSIDE)))]
    np.savez(path / "truth.npz", outside=how in OUTSIDE)
    value = 500 if name == "scene.h5" else 0.25
    (path / "secret.bin").write_bytes(np.full(2**14, value, np.float32).tobytes())
    with h5py.File(path / "other.h5", "w") as other:
        other["inside/data"] = np.full(SHAPES.get(key, (2, 4, 16, 16)), value, np.float32)
    with h5py.File(path / name, "w") as file:
        for role in ROLES[name]:
            shape = SHAPES.get(role, (2, 4, 16, 16))
            if role != key:
                file[role] = np.full(shape, value, np.float32)
            else:
                _put_elsewhere(file, role, np.full(shape, value, np.float32), how, path)


def _put_elsewhere(file: h5py.File, role: str, array: np.ndarray, how: str, folder: Path) -> None:
    shape, size = array.shape, array.nbytes
    if how == "storage":
        file.create_dataset(role, shape, np.float32, external=[(str(folder / "secret.bin"), 0, size)])
    elif how == "link":
        file[role] = h5py.ExternalLink(str(folder / "other.h5"), "/inside/data")
    elif how == "relative link":
        file[role] = h5py.ExternalLink("other.h5", "inside/data")
    elif how == "deep link":
        file["hidden"] = h5py.ExternalLink("other.h5", "/inside/data")
        file["more"] = h5py.SoftLink("/hidden")
        file[role] = h5py.SoftLink("/more")
    elif how == "group link":
        file["hidden"] = h5py.ExternalLink("other.h5", "/inside")
        file[role] = h5py.SoftLink("/hidden/data")
    elif how == "virtual":
        layout = h5py.VirtualLayout(shape, np.float32)
        layout[...] = h5py.VirtualSource("other.h5", "inside/data", shape)
        file.create_virtual_dataset(role, layout)
    elif how == "soft link":
        file.create_group("kept")["data"] = array
        file[role] = h5py.SoftLink("/kept/data")
    elif how == "dangling link":
        file[role] = h5py.SoftLink("/nowhere/data")
    elif how == "group of its own":
        file.create_group(role)["data"] = array
    else:
        file[role] = array


def write_ranges(path: Path, rng: Rng, _: bool) -> None:
    """Images in [0, 1] with a few extreme values, or digital numbers of any depth, zeros among them, in many types."""
    path.mkdir()
    bands = int(rng.choice([1, 31]))
    unit = np.stack([_smooth(rng) for _ in range(bands)])
    if rng.random() < 0.3:
        unit *= rng.random(unit.shape) < rng.choice([0.005, 0.02, 0.5])
    floats = (np.float32, np.float64)[int(rng.integers(2))]
    if rng.random() < 0.5:
        stored, bits = unit.astype(floats), 0
        for _ in range(int(rng.integers(3))):
            stored.flat[int(rng.integers(stored.size))] = rng.choice(
                [np.nextafter(floats(1), floats(2)), 1.003, 7, 6e4]
            )
    else:
        bits = int(rng.choice([9, 10, 11, 12, 13, 14, 16]))
        stored = np.rint(unit * (2**bits - 1)).astype(np.uint16 if rng.random() < 0.6 else floats)
        unit = stored / (2**bits - 1)
    np.savez(path / "truth.npz", unit=unit, bits=bits, declared=bool(rng.random() < 0.5))
    if bands == 1:
        tifffile.imwrite(path / "image.tif", stored[0])
    else:
        scipy.io.savemat(path / "scene.mat", {"ref": np.moveaxis(stored, 0, -1)})


def write_axes(path: Path, rng: Rng, _: bool) -> None:
    """A cube in either order of its axes; images whose sides differ by less than a factor of two."""
    path.mkdir()
    height = int(rng.integers(6, 40))
    width = int(rng.integers(max(6, height // 2 + 1), 2 * height))
    bands = int(rng.choice([1, 3, 4, 8, height, width, int(rng.integers(1, 64))]))
    cube = rng.random((bands, height, width))
    last = rng.random() < 0.5
    stored = np.ascontiguousarray(np.moveaxis(cube, 0, -1)) if last else cube
    kind = ("npy", "mat", "h5", "tif")[int(rng.integers(4))]
    axes = ("", "hwb" if last else "bhw")[int(rng.integers(2))]
    if kind == "npy":
        np.save(path / "cube.npy", stored)
    elif kind == "mat":  # as MATLAB has them
        stored = np.ascontiguousarray(np.moveaxis(cube, 0, -1))
        axes = axes and "hwb"
        scipy.io.savemat(path / "cube.mat", {"fused": stored})
    elif kind == "h5":
        with h5py.File(path / "cube.h5", "w") as file:
            file["fused"] = stored
    else:
        tifffile.imwrite(path / "cube.tif", stored, photometric="minisblack", metadata=None)
    np.savez(path / "truth.npz", cube=cube, axes=axes, name=f"cube.{kind}")


def write_thermal(path: Path, rng: Rng, _: bool) -> None:
    """A pair whose infrared image is in counts of any range of 16 bits, Kelvin or degrees."""
    for kind in ("vi", "ir"):
        (path / kind).mkdir(parents=True)
    tifffile.imwrite(path / "vi" / "a.tif", np.rint(255 * _smooth(rng)).astype(np.uint8))
    scene, what = _smooth(rng), int(rng.integers(4))
    if what == 0:
        infrared = (rng.choice([-20, 0, 273.15, 300]) + rng.uniform(2, 120) * scene).astype(np.float32)
    elif what == 1:
        infrared = np.rint(rng.uniform(-3000, 0) + rng.uniform(100, 9000) * scene).astype(np.int16)
    else:
        low = rng.uniform(0, 60000)
        infrared = np.rint(low + rng.uniform(50, 65535 - low) * scene).astype(np.uint16)
    tifffile.imwrite(path / "ir" / "a.tif", infrared)
    np.savez(path / "truth.npz", scene=scene, infrared=infrared)
