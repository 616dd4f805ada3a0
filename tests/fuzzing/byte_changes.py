"""Changes of a file's bytes: what disks, networks, half-finished downloads and ill will do to it."""

import io
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

HEAD = 512  # bytes that most changes fall into: headers decide most
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**48, 2**63 - 1, 2**64 - 1)
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
Rng = np.random.Generator
Change = Callable[[bytearray, Rng], bytes]


def _place(data: bytearray, rng: Rng) -> int:
    """A position, in the head of the file more often than elsewhere."""
    length = max(len(data), 1)
    return int(rng.integers(min(HEAD, length) if rng.random() < 0.6 else length))


def _span(data: bytearray, rng: Rng) -> slice:
    """A stretch of bytes, a short one more often than a long one."""
    start = _place(data, rng)
    return slice(start, start + int(2 ** rng.uniform(0, np.log2(max(len(data), 2)))))


def _truncated(data: bytearray, rng: Rng) -> bytes:
    return bytes(data[: _place(data, rng)])


def _extended(data: bytearray, rng: Rng) -> bytes:
    return bytes(data) + rng.bytes(int(rng.integers(1, 5000)))


def _flipped(data: bytearray, rng: Rng) -> bytes:
    for _ in range(int(2 ** rng.integers(0, 6))):
        at = _place(data, rng)
        data[at : at + 1] = bytes([data[at] ^ 1 << int(rng.integers(8))]) if at < len(data) else b""
    return bytes(data)


def _spliced(data: bytearray, rng: Rng) -> bytes:
    part = _span(data, rng)
    data[part] = rng.bytes(len(data[part]))
    return bytes(data)


def _wiped(data: bytearray, rng: Rng) -> bytes:
    part = _span(data, rng)
    data[part] = (b"\0", b"\xff")[int(rng.integers(2))] * len(data[part])
    return bytes(data)


def _repeated(data: bytearray, rng: Rng) -> bytes:
    part = _span(data, rng)
    data[part.start : part.start] = data[part] * int(rng.integers(1, 4))
    return bytes(data)


def _cut_out(data: bytearray, rng: Rng) -> bytes:
    del data[_span(data, rng)]
    return bytes(data)


def _moved(data: bytearray, rng: Rng) -> bytes:
    part = _span(data, rng)
    block = data[part]
    del data[part]
    at = _place(data, rng)
    data[at:at] = block
    return bytes(data)


def _number(data: bytearray, rng: Rng) -> bytes:
    """One or a few fields of 1, 2, 4 or 8 bytes set to an extreme number."""
    for _ in range(int(rng.integers(1, 4))):
        size = int(2 ** rng.integers(0, 4))
        at = _place(data, rng) // size * size
        value = EXTREMES[int(rng.integers(len(EXTREMES)))] % 256**size
        data[at : at + size] = value.to_bytes(size, ("little", "big")[int(rng.integers(2))])
    return bytes(data)


CHANGES: tuple[Change, ...] = (
    _truncated,
    _extended,
    _flipped,
    _flipped,
    _spliced,
    _wiped,
    _repeated,
    _cut_out,
    _moved,
    _number,
    _number,
    _number,
)


def changed(data: bytes, rng: Rng, heads: list[bytes]) -> bytes:
    """One or two changes of the bytes; the checksums of PNG and zip, and MATLAB's compression, often put right again.

    Args:
        data: of a valid file.
        rng: decides everything.
        heads: the first bytes of files of other kinds, to be put in front.
    """
    if rng.random() < 0.06:
        head = heads[int(rng.integers(len(heads)))]
        size = int(rng.integers(4, len(head) + 1))
        return head[:size] + data[size if rng.random() < 0.7 else 0 :]
    if rng.random() < 0.5:
        inside = _inside(data, rng)
        if inside is not None:
            return inside
    for _ in range(int(rng.integers(1, 3))):
        data = CHANGES[int(rng.integers(len(CHANGES)))](bytearray(data), rng)
    return data


def _inside(data: bytes, rng: Rng) -> bytes | None:
    """A change below the checksums of a container, or None for a file that is none."""
    change = CHANGES[int(rng.integers(len(CHANGES)))]
    if data.startswith(PNG_HEAD):
        return _png(change(bytearray(data), rng))
    if data.startswith(b"PK"):
        return _zip(data, change, rng)
    if data.startswith(b"MATLAB 5.0") and data[128:132] == (15).to_bytes(4, "little"):
        return _matlab(data, change, rng)
    return None


def _png(data: bytes) -> bytes:
    """With the checksum of every chunk that can be found put right."""
    whole, at = bytearray(data), len(PNG_HEAD)
    while at + 12 <= len(whole):
        size = int.from_bytes(whole[at : at + 4], "big")
        end = at + 8 + size
        if end + 4 > len(whole):
            break
        whole[end : end + 4] = zlib.crc32(whole[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(whole)


def _zip(data: bytes, change: Change, rng: Rng) -> bytes:
    """With one member changed (the pickle more often than a tensor), left out, or under another name."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        pickles = [n for n in names if n.endswith(".pkl")]
        chosen = (pickles or names)[0] if rng.random() < 0.7 else names[int(rng.integers(len(names)))]
        what = rng.random()
        for name in names:
            content = old.read(name)
            if name != chosen or what < 0.9:
                new.writestr(name, change(bytearray(content), rng) if name == chosen else content)
            elif what < 0.95:
                new.writestr(f"{name}x", content)
    return made.getvalue()


def _matlab(data: bytes, change: Change, rng: Rng) -> bytes:
    """With one compressed variable of a v5 file changed before its compression."""
    parts, at = [], 128
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    chosen = int(rng.integers(len(parts)))
    parts[chosen] = zlib.compress(change(bytearray(zlib.decompress(parts[chosen])), rng))
    tags = ((15).to_bytes(4, "little") + len(part).to_bytes(4, "little") for part in parts)
    return data[:128] + b"".join(tag + part for tag, part in zip(tags, parts, strict=True))
