"""The visitors of the page with their uploads and results, which are removed when a visitor leaves."""

import secrets
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

IDLE = 3600.0  # seconds without a request after which a visitor counts as gone
STALE = 60.0  # seconds without a byte after which an upload counts as interrupted
MOST_GONE = 10_000  # names of visitors who left that are remembered


class LeftError(Exception):
    """Raised when the visitor has left, so that nobody waits for the result."""


class Visitor:
    """One open page with its files.

    Args:
        root: folder in which the visitor gets a folder of their own.

    Attributes:
        folder: folder for results and unpacked files; `fresh` creates it.
        gone: event that `Visitors` sets when the page was closed or idle too long.
        seen: time of the last request, in seconds of `time.monotonic`.
        uploads: paths of the visitor's uploads, which Gradio stores.
        kept: objects that later clicks need, by name (opened scenes, paths of results).
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / f"visitor_{secrets.token_urlsafe(12)}"
        self.gone, self.seen = threading.Event(), time.monotonic()
        self.uploads: set[Path] = set()
        self.kept: dict[str, Any] = {}

    def fresh(self, name: str) -> Path:
        """Create an empty folder with a new name, which no browser has cached, and return its path."""
        self.check()
        folder = self.folder / f"{name}_{secrets.token_urlsafe(6)}"
        folder.mkdir(parents=True)
        return folder

    def replace(self, name: str, folder: Path, **kept: object) -> None:
        """Keep `folder` and further objects under `name`, and remove the folder that was kept there before."""
        earlier = self.kept.get(name)
        self.kept[name] = {"folder": folder, **kept}
        if earlier and earlier["folder"] != folder:
            shutil.rmtree(earlier["folder"], ignore_errors=True)

    def check(self) -> None:
        """Raise LeftError if the visitor has left."""
        if self.gone.is_set():
            raise LeftError


class Visitors:
    """All visitors, by Gradio's name of their page.

    Args:
        root: the folder for all temporary files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._here: dict[str, Visitor] = {}
        self._gone: dict[str, None] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Visitor:
        """Return the visitor of this name, new or known. Raises LeftError for one who has left."""
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
        """Stop the work of all visitors and remove their files."""
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
        """Remove the files of a visitor who has left.

        Uploads that another visitor has uploaded as well stay, because Gradio stores only one copy.
        """
        shutil.rmtree(visitor.folder, ignore_errors=True)
        shared = {path for other in list(self._here.values()) for path in other.uploads}
        for path in visitor.uploads - shared:
            shutil.rmtree(path.parent, ignore_errors=True)
        for path in self.root.glob("tmp*"):  # Gradio's interrupted and empty uploads
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > STALE:
                    path.unlink()
