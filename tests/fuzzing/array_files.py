"""Small valid files of named arrays (.h5, .mat, .npy), and the same with a meaning that no reader expects."""

import io
import pickle
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from data.simulate import spectral_response

Rng = np.random.Generator
Arrays = dict[str, object]
ODD = (
    None,
    True,
    -1,
    0,
    7,
    10**18,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "two\nlines",
    "long " * 2000,
    "ü\0\x1b[31m",
    b"\xff\xfe",
    np.zeros((0,)),
    np.zeros((2, 0, 3)),
    np.zeros((1, 1, 1, 1, 1)),
    np.array(["a", "b"]),
    np.array([b"a", b"bc"]),
    np.zeros(3, np.complex64),
    np.zeros(2, [("a", "f4"), ("b", "i2", 3)]),
    np.ones((4, 4), bool),
)


class Declared:
    """A dataset of .h5 that is declared with a shape and never written."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape


class Special:
    """What only .h5 has: a link to nothing, a group, no data, text of any length, references, an enumeration."""

    def __init__(self, what: str) -> None:
        self.what = what


SPECIALS = ("link", "external", "group", "empty", "text", "texts", "reference", "enum", "opaque", "loop")


class Mark:
    """Pickled, this is a call of open() that leaves a file behind wherever the pickle is executed."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def stack(rng: Rng) -> Arrays:
    """Reduced-resolution images as PanCollection's, N,C,H,W or N,H,W,C."""
    sides = {"gt": (2, 4, 16, 16), "lms": (2, 4, 16, 16), "ms": (2, 4, 4, 4), "pan": (2, 1, 16, 16)}
    dtype = (np.uint16, np.float32, np.float64, np.int32)[int(rng.integers(4))]
    arrays: Arrays = {name: rng.integers(2, 2000, shape).astype(dtype) for name, shape in sides.items()}
    if rng.random() < 0.3:
        arrays = {name: np.moveaxis(array, 1, -1) for name, array in arrays.items()}
    return arrays | ({"L": 11, "ratio": 4} if rng.random() < 0.3 else {})


def scene(rng: Rng) -> Arrays:
    """A scene with I_MS and I_PAN, H,W,C."""
    arrays = {"I_MS": rng.integers(2, 2000, (8, 8, 4)), "I_PAN": rng.integers(2, 2000, (32, 32))}
    return {k: v.astype(np.uint16) for k, v in arrays.items()} | ({"sensor": "QB"} if rng.random() < 0.5 else {})


def patches(rng: Rng) -> Arrays:
    """Prepared hyperspectral patches."""
    shapes = {"GT": (2, 4, 16, 16), "HSI_up": (2, 4, 16, 16), "LRHSI": (2, 4, 4, 4), "RGB": (2, 3, 16, 16)}
    return {name: rng.random(shape).astype(np.float32) for name, shape in shapes.items()}


def harvard(rng: Rng) -> Arrays:
    """A scene of Harvard's, small."""
    return {"ref": rng.random((8, 9, 31)), "lbl": rng.integers(0, 3, (8, 9)).astype(np.uint8)}


def response(rng: Rng) -> Arrays:
    """A spectral response."""
    return {"R" if rng.random() < 0.5 else "srf": spectral_response()}


def bent(arrays: Arrays, rng: Rng, hdf: bool = False) -> Arrays:
    """One or two of the arrays of another rank, type, size, value or name than readers expect, or not there."""
    arrays = dict(arrays)
    for _ in range(int(rng.integers(1, 3))):
        name = list(arrays)[int(rng.integers(len(arrays)))] if arrays else "pan"
        what = int(rng.integers(8 if hdf else 6))
        if what == 0:
            arrays.pop(name, None)
        elif what == 1:
            new = ("x", "gt", "I_MS", "L", "sensor", "ratio", "lines" * 50, "ref\n", "Ω")[int(rng.integers(9))]
            arrays[new] = arrays.pop(name, 1)
        elif what == 2:
            new = name if rng.random() < 0.5 else ("L", "sensor", "ratio", "lbl")[int(rng.integers(4))]
            arrays[new] = ODD[int(rng.integers(len(ODD)))]
        elif what <= 5:
            arrays[name] = _reshaped(arrays.get(name), rng)
        elif what == 6:
            shape = np.shape(arrays.get(name)) if not isinstance(arrays.get(name), Declared | Special) else ()
            huge = [int(rng.choice([s, 2**16, 2**31, 2**40])) for s in shape or (2, 4, 16, 16)]
            arrays[name] = Declared(*huge)
        else:
            arrays[name] = Special(SPECIALS[int(rng.integers(len(SPECIALS)))])
    return arrays


def _reshaped(value: object, rng: Rng) -> object:
    """Another array made of this one."""
    if not isinstance(value, np.ndarray) or not value.ndim or not value.size or value.dtype.kind not in "uif":
        return ODD[int(rng.integers(len(ODD)))]
    holed = value.astype(np.float64)
    holed.flat[int(rng.integers(value.size))] = rng.choice([np.nan, np.inf, -np.inf, 1e300, -1e300, -5])
    made = (
        lambda: value[0],
        lambda: value[None],
        value.ravel,
        lambda: value[:0],
        lambda: value[..., :0],
        lambda: value[..., :-1],
        lambda: value[:1],
        lambda: value.T,
        lambda: holed,
        lambda: value.astype(object),
        lambda: value.astype(str),
        lambda: value.astype(complex),
        lambda: value.astype(bool),
        lambda: value.astype(">f8"),
        lambda: value.astype(np.float16),
        lambda: value.astype(np.int8),
        lambda: value.astype(np.uint64) * np.uint64(2**50),
        lambda: value * 0,
        lambda: -value.astype(np.float32),
    )
    return made[int(rng.integers(len(made)))]()


def write_h5(path: Path, arrays: Arrays, rng: Rng, matlab: bool = False) -> None:
    """HDF5 in one of several storages; as MATLAB v7.3 does it with `matlab`: axes reversed, the class an attribute."""
    options = ({}, {"chunks": True, "compression": "gzip"}, {"chunks": True, "shuffle": True, "fletcher32": True})
    how = options[int(rng.integers(3))]
    version = ("earliest", "latest")[int(rng.integers(2))]
    with h5py.File(path, "w", userblock_size=512 if matlab else 0, libver=version) as file:
        for name, value in arrays.items():
            try:
                _put(file, name, value, how, matlab)
            except (TypeError, ValueError, OSError):  # what HDF5 cannot hold is left out
                continue
    if matlab:
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def _put(file: h5py.File, name: str, value: object, how: dict, matlab: bool) -> None:
    if isinstance(value, Declared):
        file.create_dataset(name, value.shape, np.float32, chunks=tuple(min(s, 16) for s in value.shape))
        return
    if isinstance(value, Special):
        _put_special(file, name, value.what)
        return
    array = np.asarray(value)
    if matlab and isinstance(value, str):
        array = np.frombuffer(value.encode("utf-16-le"), np.uint16)
    elif isinstance(value, str):
        array = np.asarray(value, h5py.string_dtype())
    array = array.T if matlab else array
    data = file.create_dataset(name, data=array, **(how if array.ndim and array.size else {}))
    if matlab:
        data.attrs["MATLAB_class"] = np.bytes_("char" if isinstance(value, str) else "double")


def _put_special(file: h5py.File, name: str, what: str) -> None:
    if what == "link":
        file[name] = h5py.SoftLink("/nowhere")
    elif what == "loop":
        file[name] = h5py.SoftLink(f"/{name}")
    elif what == "external":
        file[name] = h5py.ExternalLink("nowhere.h5", "/gt")
    elif what == "group":
        file.create_group(name)["inside"] = 1
    elif what == "empty":
        file[name] = h5py.Empty("f4")
    elif what in ("text", "texts"):
        file.create_dataset(name, (3,) if what == "texts" else (), h5py.string_dtype())
    elif what == "reference":
        file.create_dataset(name, (2,), h5py.ref_dtype)
    elif what == "enum":
        file.create_dataset(name, (4, 4), h5py.enum_dtype({"A": 1, "B": 2}))
    else:
        file[name] = np.zeros((4, 4), np.dtype("V5"))


def write_mat5(path: Path, arrays: Arrays, rng: Rng) -> None:
    """MATLAB v5, compressed or not; the text of its header, which has the date, is always the same."""
    kept = {k: v for k, v in arrays.items() if v is not None}
    try:
        scipy.io.savemat(path, kept, do_compression=bool(rng.random() < 0.5), long_field_names=True)
    except (TypeError, ValueError, NotImplementedError):
        scipy.io.savemat(path, {"x": 1})
    with path.open("r+b") as file:
        file.write(b"MATLAB 5.0 MAT-file".ljust(116))


def write_npy(path: Path, rng: Rng, twisted: bool, mark: str) -> None:
    """A fused image as .npy; twisted: another array, objects, a forged header, a .npz, or a plain pickle."""
    array = rng.integers(0, 2000, (6, 7, 4)).astype((np.float32, np.uint16, np.float64)[int(rng.integers(3))])
    if rng.random() < 0.3:
        array = spectral_response()
    what = int(rng.integers(6)) if twisted else -1
    buffer = io.BytesIO()
    if what in (0, 1):
        array = np.asarray(_reshaped(array, rng))
    if what == 2:
        array = np.array([Mark(mark), 1], object)
    if what == 3:
        shape = tuple(int(rng.choice([0, 4, -1, 2**16, 2**31, 2**62])) for _ in range(int(rng.integers(5))))
        kind = ("<f4", "|O", "<U9", ">c16", "|V8", "<M8[s]", "f,i")[int(rng.integers(7))]
        header = f"{{'descr': {kind!r}, 'fortran_order': {rng.random() < 0.5}, 'shape': {shape}, }}\n".encode()
        head = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        path.write_bytes(head + rng.bytes(400))
        return
    if what == 4:
        np.savez(buffer, a=array)
    elif what == 5:
        pickle.dump(Mark(mark), buffer)
    else:
        np.save(buffer, array, allow_pickle=True)
    path.write_bytes(buffer.getvalue())
