"""Files of weights: finding, safe reading, checking, and atomic writing."""

import hashlib
import io
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard, TypeVar

import torch
from torch import Tensor, nn

from .atomic import one_line, write_whole
from .containers import with_bare_names
from .numpy_stand_ins import STAND_INS, StandInArray

PACKAGE = Path(__file__).resolve().parents[1]
# Inside the installed package, beside models/ in the checkout.
PRETRAINED = (PACKAGE if (PACKAGE / "pretrained").is_dir() else PACKAGE.parent) / "pretrained"
PEERS = "peers"  # subfolder of pretrained/ for the other methods
FORMAT, VERSION = "dcinn", 1
LONGEST = 1000  # characters of a message
LARGEST = 2**33  # bytes of a file, far more than any network of this project needs
PLAIN = {torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64}
TASKS = ("ps", "hmf", "ivf")
Network = TypeVar("Network", bound=nn.Module)


def task_of(name: str) -> str:
    """Return the task, "ps", "hmf" or "ivf", with which the name of a file in pretrained/ begins ("ps4", "ivf_tno").

    Raises:
        ValueError: for a name that begins otherwise.
    """
    for task in TASKS:
        if name.startswith(task):
            return task
    raise ValueError(f"found the name {name}, expected one that begins with {', '.join(TASKS)}")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message is one line: file, what was found, what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, LONGEST))  # names in a file may contain anything, line breaks too


def find_weights(name: str | os.PathLike) -> Path:
    """Return the path of a file of weights.

    Args:
        name: a path, or the name of a file in pretrained/ without its suffix.

    Raises:
        CheckpointError: if there is no such file; the message lists the names in pretrained/.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.exists():
        raise CheckpointError(f"{path}: found {_instead(path)}, expected a checkpoint file")
    if not path.suffix and path.parent.as_posix() in (".", PEERS):
        named = PRETRAINED / f"{path.as_posix()}.pth"
        if named.is_file():
            return named
    if path.name == str(name) and not path.suffix:
        names = (p.relative_to(PRETRAINED).with_suffix("").as_posix() for p in PRETRAINED.rglob("*.pth"))
        known = ", ".join(sorted(names)) or "none yet"
        raise CheckpointError(
            f"{name}: found no such file, expected a checkpoint or a name in pretrained/ (there: {known})"
        )
    raise CheckpointError(f"{path}: found no such file, expected a checkpoint")


class WeightFile(NamedTuple):
    """A file of weights that has been read.

    Attributes:
        path: the file.
        content: the object that PyTorch loaded from it.
        sha256: the SHA-256 of the file's bytes, in hexadecimal digits.
    """

    path: Path
    content: Any
    sha256: str

    @property
    def ours(self) -> bool:
        """Whether `save_checkpoint` wrote the file, so that it holds its spectral response and base rule."""
        return is_ours(self.content)


def open_weights(name: str | os.PathLike) -> WeightFile:
    """Return the file of weights that `find_weights` finds, as read by `read`; both raise CheckpointError."""
    return read(find_weights(name))


def read(path: Path) -> WeightFile:
    """Return a file of weights, read without running code in it and with its checksums compared.

    Raises:
        CheckpointError: if the file is missing, over 8.59 GB, damaged, or holds objects other than weights.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: found {_instead(path)}, expected a checkpoint")
    if (size := path.stat().st_size) > LARGEST:
        raise CheckpointError(f"{path}: found {size / 1e9:.3g} GB, expected at most {LARGEST / 1e9:.3g} GB of weights")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = path.read_bytes()
            _check_parts(path, data)
            with torch.serialization.safe_globals(STAND_INS):
                content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            return WeightFile(path, content, hashlib.sha256(data).hexdigest())
    except CheckpointError:
        raise
    # A damaged file may raise almost any type (RuntimeError, UnpicklingError, EOFError, MemoryError, ...).
    except Exception as error:
        why, expected = type(error).__name__, "a file of weights"
        if isinstance(error, pickle.UnpicklingError) and "weights_only" in str(error):
            named = re.search(r"GLOBAL (\S+)", str(error))
            what = f" ({named[1]})" if named else ""
            why = f"it holds objects other than weights{what}, which are not loaded"
            expected += "; where it was made: torch.save(model.state_dict(), FILE)"
        raise CheckpointError(f"{path}: found no readable checkpoint ({why}), expected {expected}") from None


def _instead(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a pipe, socket or device" if path.exists() else "no such file"


def _check_parts(path: Path, data: bytes) -> None:
    """Raise CheckpointError if a part of a zip file, PyTorch's format since 1.6, does not match its checksum.

    PyTorch neither compresses nor overlaps parts. A file whose parts declare more bytes than it has could fill the
    memory when it is read, so it is refused.
    """
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        packed = next((part.filename for part in parts if part.compress_type != zipfile.ZIP_STORED), None)
        if packed is not None:
            raise CheckpointError(f"{path}: found a compressed part, {packed}, expected parts as PyTorch writes them")
        if (declared := sum(part.file_size for part in parts)) > len(data):
            raise CheckpointError(f"{path}: found parts of {declared} bytes, expected at most the file's {len(data)}")
        damaged = archive.testzip()
    if damaged is not None:
        raise CheckpointError(f"{path}: found a checkpoint whose part {damaged} is damaged, expected a complete file")


def write(path: str | os.PathLike, content: object) -> None:
    """Write `content` with torch.save, atomically."""
    buffer = io.BytesIO()  # PyTorch's own writer hides a full disk behind an internal error
    torch.save(content, buffer)
    write_whole(path, buffer.getbuffer())


def is_ours(content: object) -> TypeGuard[dict[str, Any]]:
    """Whether `save_checkpoint` wrote this content."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def check_version(content: Mapping[str, Any]) -> None:
    """Raise ValueError if a file of ours has another format version."""
    if type(content.get("version")) is not int or content["version"] != VERSION:
        raise ValueError(f"found format version {content.get('version')!r}, expected {VERSION}")


def plain_state(state: object) -> dict[str, Tensor]:
    """Return a state dictionary with bare names (see `containers.bare_name`) and with NumPy arrays as tensors.

    Raises:
        ValueError: for anything but a dictionary from names to dense tensors of plain numbers.
    """
    if not isinstance(state, Mapping) or not state:
        found = "an empty dictionary" if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"found {found}, expected a dictionary of tensors")
    state = {name: _tensor(value) for name, value in state.items()}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(f"found {name!r}: {type(value).__name__}, expected names with tensors")
        if value.layout != torch.strided or value.is_nested or value.is_meta or value.dtype not in PLAIN:
            raise ValueError(f"{name}: found a {value.dtype} tensor, layout {value.layout}, expected plain numbers")
    return with_bare_names(state)


def _tensor(value: Any) -> Any:  # noqa: ANN401  whatever a file holds
    """Return an array of NumPy as a tensor, anything else unchanged."""
    made = value.tensor() if isinstance(value, StandInArray) else None
    return value if made is None else made


def filled(build: Callable[[], Network], state: dict[str, Tensor]) -> Network:
    """Return the network that `build` makes, with the weights of `state`. Raises ValueError if a weight is not finite.

    The random state of the caller does not change.
    """
    with torch.random.fork_rng(devices=[]):  # loading must not advance the caller's random numbers
        model = build()
    model.load_state_dict(state)
    for name, value in model.state_dict().items():  # in the network's precision: 1e300 is finite only in the file
        if not torch.isfinite(value).all():
            raise ValueError(f"{name}: found NaN or infinity, expected finite weights")
    return model
