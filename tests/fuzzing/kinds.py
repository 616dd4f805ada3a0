"""The kinds of files that are tried: how one is written, and which readers take it."""

import csv
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.simulate import spectral_response

from . import array_files, envi_files, folders_and_bombs, image_files, known_truths
from .byte_changes import changed

Rng = np.random.Generator
VALID = 12  # files of a kind whose bytes are changed
VALID_EVERY = 50
HEAD = 4096
Write = Callable[[Path, Rng, bool, str], None]


class Kind(NamedTuple):
    """A kind of input.

    Attributes:
        write: path, random numbers, whether its meaning is bent, the file that a pickle in it would make.
        readers: names of `readers.READERS`.
        suffix: of the file; "" for a folder.
        damaged: whether bytes are changed, too; not where the right reading is known.
    """

    write: Write
    readers: tuple[str, ...]
    suffix: str = ""
    damaged: bool = True


def _h5(content: Callable, matlab: bool = False) -> Write:
    def write(path: Path, rng: Rng, twisted: bool, _: str) -> None:
        arrays = content(rng)
        arrays = array_files.bent(arrays, rng, hdf=True) if twisted else arrays
        array_files.write_h5(path, arrays, rng, matlab)

    return write


def _mat5(content: Callable) -> Write:
    def write(path: Path, rng: Rng, twisted: bool, _: str) -> None:
        arrays = content(rng)
        array_files.write_mat5(path, array_files.bent(arrays, rng) if twisted else arrays, rng)

    return write


def _image(write: Callable) -> Write:
    return lambda path, rng, twisted, _: write(path, rng, twisted)


def _npy(path: Path, rng: Rng, twisted: bool, mark: str) -> None:
    array_files.write_npy(path, rng, twisted, mark)


def _in_folder(write: Write) -> Write:
    def whole(path: Path, rng: Rng, twisted: bool, mark: str) -> None:
        path.mkdir()
        write(path / "scene.mat", rng, twisted, mark)

    return whole


def _table(path: Path, rng: Rng, twisted: bool, _: str) -> None:
    """A spectral response as text."""
    table = spectral_response()
    odd = (table.T, table * 3, table + 1j, table[:2], table * np.nan, table[:0], table * 1e300)
    table = odd[int(rng.integers(len(odd)))] if twisted else table
    np.savetxt(path, table, delimiter=(",", " ", "\t", ";")[int(rng.integers(4 if twisted else 3))])


def _log(path: Path, rng: Rng, twisted: bool, _: str) -> None:
    """The log of a training; twisted: other columns, texts for numbers, a row too short or too long."""
    rows = [["epoch", "step", "lr", "loss"], ["0", "5", "0.1", "1.5"], ["1", "10", "0.1", "1.25"]]
    if twisted:
        odd = ("", "x", "-1", "nan", "9" * 5000, "1\n2", '"', "\0", "epoch", "²", "1e3")
        row = rows[int(rng.integers(3))]
        row[int(rng.integers(4))] = odd[int(rng.integers(len(odd)))]
        if rng.random() < 0.3:
            del row[int(rng.integers(1, 4)) :]
        elif rng.random() < 0.3:
            row += ["more"] * 3
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _weights(kind: str) -> Write:
    def write(path: Path, rng: Rng, twisted: bool, mark: str) -> None:
        from .weight_files import write_weights

        write_weights(kind, path, rng, twisted, mark)

    return write


KINDS = {
    "pan.h5": Kind(_h5(array_files.stack), ("pan", "cubes"), ".h5"),
    "patches.h5": Kind(_h5(array_files.patches), ("patches",), ".h5"),
    "pan.mat v5": Kind(_mat5(array_files.stack), ("pan", "cubes"), ".mat"),
    "pan.mat v7.3": Kind(_h5(array_files.stack, matlab=True), ("pan", "cubes"), ".mat"),
    "scene.mat v5": Kind(_mat5(array_files.scene), ("pan", "cubes"), ".mat"),
    "scene.mat v7.3": Kind(_h5(array_files.scene, matlab=True), ("pan", "cubes"), ".mat"),
    "Harvard v5": Kind(_in_folder(_mat5(array_files.harvard)), ("harvard",)),
    "Harvard v7.3": Kind(_in_folder(_h5(array_files.harvard, matlab=True)), ("harvard",)),
    "npy": Kind(_npy, ("cubes", "windows", "response"), ".npy"),
    "response.mat": Kind(_mat5(array_files.response), ("response",), ".mat"),
    "response.csv": Kind(_table, ("response",), ".csv"),
    "png": Kind(_image(image_files.write_coded), ("pair",), ".png"),
    "jpeg": Kind(_image(image_files.write_coded), ("pair",), ".jpg"),
    "bmp": Kind(_image(image_files.write_coded), ("pair",), ".bmp"),
    "jp2": Kind(_image(image_files.write_coded), ("pair",), ".jp2"),
    "tiff": Kind(_image(image_files.write_tiff), ("pair", "windows", "cubes"), ".tif"),
    "ENVI": Kind(_image(envi_files.write_envi), ("envi",)),
    "CAVE": Kind(_image(image_files.write_cave), ("cave",)),
    "pairs": Kind(_image(image_files.write_pairs), ("pairs",)),
    "ours.pth": Kind(_weights("ours"), ("weights",), ".pth"),
    "theirs.pth": Kind(_weights("theirs"), ("weights",), ".pth"),
    "bare.pth": Kind(_weights("bare"), ("weights",), ".pth"),
    "peer.pth": Kind(_weights("peer"), ("peer",), ".pth"),
    "last.pth": Kind(_weights("last"), ("training",), ".pth"),
    "train.csv": Kind(_log, ("log",), ".csv"),
    "layouts": Kind(_image(folders_and_bombs.write_layout), ("layout",), damaged=False),
    "bombs": Kind(_image(folders_and_bombs.write_bomb), ("bomb",), damaged=False),
    "data elsewhere": Kind(_image(known_truths.write_elsewhere), ("elsewhere",), damaged=False),
    "ranges": Kind(_image(known_truths.write_ranges), ("ranges",), damaged=False),
    "axes": Kind(_image(known_truths.write_axes), ("axes",), damaged=False),
    "thermal": Kind(_image(known_truths.write_thermal), ("thermal",), damaged=False),
}


class Inputs:
    """The inputs of one kind, each decided by the seed, the kind and its number alone.

    Args:
        name: of the kind.
        seed: of all random numbers.
        scratch: a folder that is there.
        mark: see `Kind`.
    """

    def __init__(self, name: str, seed: int, scratch: Path, mark: Path) -> None:
        self.name, self.kind, self.seed, self.mark = name, KINDS[name], seed, str(mark)
        self.scratch, self.made = scratch, {}

    def rng(self, *numbers: int) -> Rng:
        """Random numbers of this kind and these numbers."""
        return np.random.default_rng([self.seed, *self.name.encode(), *numbers])

    def valid(self, number: int) -> bytes:
        """A valid file, one of `VALID`."""
        if number not in self.made:
            path = self.scratch / f"valid{self.kind.suffix}"
            self.kind.write(path, self.rng(0, number), False, self.mark)
            self.made[number] = path.read_bytes()
            path.unlink()
        return self.made[number]

    def write(self, path: Path, number: int, heads: list[bytes]) -> None:
        """Input `number`, at `path`: valid now and then, else of another meaning, of other bytes, or both."""
        rng = self.rng(1, number)
        what = int(rng.choice(10))
        twisted, other = (what < 5, what > 3) if number % VALID_EVERY else (False, False)
        if self.kind.suffix and not twisted:
            data = self.valid(int(rng.integers(VALID)))
            path.write_bytes(changed(data, rng, heads) if other else data)
            return
        self.kind.write(path, rng, twisted, self.mark)
        if other and self.kind.damaged:
            files = [path] if self.kind.suffix else [p for p in sorted(path.rglob("*")) if p.is_file()]
            if files:
                file = files[int(rng.integers(len(files)))]
                file.write_bytes(changed(file.read_bytes(), rng, heads))


@functools.cache
def heads(seed: int, scratch: Path) -> list[bytes]:
    """The first bytes of a valid file of every kind that needs no PyTorch, to be put in front of others."""
    return [
        Inputs(name, seed, scratch, scratch / "none").valid(0)[:HEAD]
        for name, kind in KINDS.items()
        if kind.suffix not in ("", ".pth")
    ]
