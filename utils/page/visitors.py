"""Who is on the page, and what belongs to whom: uploads, results, the wish to stop. It all goes when they go."""

import secrets
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

IDLE = 3600.0  # seconds after which a visitor who says nothing counts as gone
STALE = 60.0  # seconds without a byte after which an upload counts as broken off
MOST_GONE = 10_000  # names of those who left that are remembered


class LeftError(Exception):
    """The visitor has left; nobody waits for the result."""


class Visitor:
    """One open page.

    Attributes:
        folder: of results and unpacked files.
        gone: set when the page was closed.
        uploads: files of Gradio's that came from here.
        kept: what later clicks ask for, by name (opened scenes, paths of results).
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / f"visitor_{secrets.token_urlsafe(12)}"
        self.gone, self.seen = threading.Event(), time.monotonic()
        self.uploads: set[Path] = set()
        self.kept: dict[str, Any] = {}

    def fresh(self, name: str) -> Path:
        """An empty folder under a name that no browser has seen."""
        self.check()
        folder = self.folder / f"{name}_{secrets.token_urlsafe(6)}"
        folder.mkdir(parents=True)
        return folder

    def replace(self, name: str, folder: Path, **kept: object) -> None:
        """The results of `name` are those in `folder` from now on; the earlier ones are removed."""
        earlier = self.kept.get(name)
        self.kept[name] = {"folder": folder, **kept}
        if earlier and earlier["folder"] != folder:
            shutil.rmtree(earlier["folder"], ignore_errors=True)

    def check(self) -> None:
        """LeftError if the visitor has left."""
        if self.gone.is_set():
            raise LeftError


class Visitors:
    """All of them, by the name that Gradio gives a page.

    Args:
        root: the folder of all temporary files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._here: dict[str, Visitor] = {}
        self._gone: dict[str, None] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Visitor:
        """The visitor of this name, new or known; LeftError for one who has left."""
        with self._lock:
            if name in self._gone:
                raise LeftError
            for other, visitor in list(self._here.items()):
                if other != name and time.monotonic() - visitor.seen > IDLE:
                    self._remove(other)
            visitor = self._here.setdefault(name, Visitor(self.root))
            visitor.seen = time.monotonic()
            return visitor

    def leave(self, name: str) -> None:
        """Stop the work of a visitor and remove their files."""
        with self._lock:
            self._remove(name)

    def end(self) -> None:
        """Everybody leaves."""
        with self._lock:
            for name in list(self._here):
                self._remove(name)

    def _remove(self, name: str) -> None:
        self._gone[name] = None
        for old in list(self._gone)[:-MOST_GONE]:
            del self._gone[old]
        visitor = self._here.pop(name, None)
        if visitor is None:
            return
        visitor.gone.set()
        visitor.kept.clear()
        self.clear(visitor)

    def clear(self, visitor: Visitor) -> None:
        """Remove the files of one who has left, but uploads that another gave as well: Gradio keeps one of each."""
        shutil.rmtree(visitor.folder, ignore_errors=True)
        shared = {path for other in list(self._here.values()) for path in other.uploads}
        for path in visitor.uploads - shared:
            shutil.rmtree(path.parent, ignore_errors=True)
        for path in self.root.glob("tmp*"):  # Gradio's: uploads that were broken off, and empty ones
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > STALE:
                    path.unlink()
