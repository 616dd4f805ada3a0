"""Lists the datasets of an HDF5 file, and refuses those whose data are not in the file itself.

An HDF5 file can keep its data in a raw file (external storage), in another HDF5 file (external links), or in several
(virtual datasets). A file from a stranger could thus have any file of this machine read into a result, or return zeros
for a missing source. None of the three is followed.
"""

from pathlib import Path

import h5py

from data.errors import DataError

MOST_NAMES = 1000  # largest number of names at the top of a file
MOST_HOPS = 16  # longest chain of soft links
INSIDE = "data in the file itself"


def own_items(path: Path, file: h5py.File) -> dict[str, h5py.Dataset | h5py.Group]:
    """Return the datasets and groups at the top of a file by name, following soft links inside the file.

    Args:
        path: the file, for messages.
        file: the file, opened for reading.

    Raises:
        DataError: for a name whose data are in another file, which is not opened, and for more than 1000 names.
    """
    if len(file) > MOST_NAMES:
        raise DataError(path, f"{len(file)} names", f"at most {MOST_NAMES}")
    names = {key: key if isinstance(key, str) else key.decode("utf-8", "replace") for key in file}
    found: dict[str, h5py.Dataset | h5py.Group] = {}
    for key, name in names.items():
        stays = _check_link(path, name, file, file, key.encode() if isinstance(key, str) else key, MOST_HOPS)
        item = file.get(key) if stays else None
        if isinstance(item, h5py.Dataset):
            created = item.id.get_create_plist()
            if created.get_layout() == h5py.h5d.VIRTUAL:
                raise DataError(path, f"{name} pieced together from other files (a virtual dataset)", INSIDE)
            if created.get_external_count():
                raise DataError(path, f"{name} kept in another file (external storage)", INSIDE)
            if item.shape is not None:
                found[name] = item
        elif isinstance(item, h5py.Group):
            found[name] = item
    return found


def _check_link(path: Path, name: str, file: h5py.File, group: h5py.Group, key: bytes, hops: int) -> bool:
    """Whether a link leads to an object. Raises DataError if it, or a link on its way, leaves the file.

    HDF5's own look-ups are not used before this check, because they would open the other file.
    """
    links = group.id.links
    if not links.exists(key):
        return False
    kind = links.get_info(key).type
    if kind == h5py.h5l.TYPE_HARD:
        return True
    if kind != h5py.h5l.TYPE_SOFT:
        raise DataError(path, f"{name} kept in another file (an external link)", INSIDE)
    if not hops:
        raise DataError(path, f"{name}, which leads over more than {MOST_HOPS} links", INSIDE)
    target = links.get_val(key)
    place = file if target.startswith(b"/") else group
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    for part in parts[:-1]:
        inner = place.get(part) if _check_link(path, name, file, place, part, hops - 1) else None
        if not isinstance(inner, h5py.Group):
            return False
        place = inner
    return not parts or _check_link(path, name, file, place, parts[-1], hops - 1)
