"""Connects clicks to the code: finds the visitor, stops when the visitor leaves, shows errors as one line."""

import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import torch

from models import CheckpointError
from utils.commandline.errors import message_of

from .limits import check_bytes
from .visitors import LeftError, Visitor, Visitors

ONE_AT_A_TIME = {"concurrency_id": "network", "concurrency_limit": 1, "api_name": False}  # over all tabs
QUICK = {"api_name": False, "show_progress": "hidden"}
FEWER = "choose a smaller crop or a smaller image"
GONE = "The server counts this page as closed: reload it."


class Job:
    """The context of a handler's call: the visitor, and the progress display.

    Args:
        visitor: the visitor who clicked.
        progress: Gradio's progress display; None shows nothing.
    """

    def __init__(self, visitor: Visitor, progress: gr.Progress | None = None) -> None:
        self.visitor, self._progress = visitor, progress

    def step(self, done: float, words: str) -> None:
        """Show the progress, `done` in [0, 1]. Raises LeftError if the visitor has left."""
        self.visitor.check()
        if self._progress is not None:
            self._progress(done, desc=words)

    @contextmanager
    def running(self, model: torch.nn.Module) -> Iterator[None]:
        """Inside the block, stop the network by LeftError at its next layer once the visitor has left."""

        def check(*_: object) -> None:
            self.visitor.check()

        hooks = [module.register_forward_pre_hook(check) for module in model.modules()]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class Handlers:
    """Wraps the page's functions, which take a `Job` and the values of their inputs, for Gradio.

    Args:
        visitors: the visitors of the page.
    """

    def __init__(self, visitors: Visitors) -> None:
        self.visitors = visitors

    def call(self, function: Callable) -> Callable:
        """Return a handler for a button or an input."""

        def handler(request: gr.Request, progress=gr.Progress(), *values: object) -> object:  # noqa: ANN001, B008
            return self._run(function, request, progress, values)

        return handler

    def click(self, function: Callable) -> Callable:
        """Return a handler for a click into an image; `function` gets (column, row) before the other values."""

        def handler(request: gr.Request, event: gr.SelectData, *values: object) -> object:
            column, row = event.index
            return self._run(function, request, None, ((int(column), int(row)), *values))

        return handler

    def upload(self, request: gr.Request, *paths: str | list[str] | None) -> None:
        """Assign uploaded files to their visitor, so that they are removed when the visitor leaves."""
        self._run(_keep, request, None, paths)

    def leave(self, request: gr.Request) -> None:
        """Remove the visitor whose page was closed, see `Visitors.leave`."""
        self.visitors.leave(request.session_hash)

    def _run(self, function: Callable, request: gr.Request, progress: gr.Progress | None, values: tuple) -> object:
        visitor = None
        try:
            visitor = self.visitors.of(request.session_hash)
            return function(Job(visitor, progress), *values)
        except LeftError:
            raise gr.Error(GONE, print_exception=False) from None
        except gr.Error:
            raise
        except Exception as error:
            message = message_of(error, (CheckpointError,), FEWER)
            if visitor is not None and visitor.gone.is_set():  # the visitor's files are gone
                raise gr.Error(GONE, print_exception=False) from None
            if message is None:
                traceback.print_exc(file=sys.stderr)
                message = f"an error of this software ({type(error).__name__}); the terminal shows where"
            raise gr.Error(self._plain(message), duration=None, print_exception=False) from None
        finally:
            if visitor is not None and visitor.gone.is_set():
                self.visitors.clear(visitor)

    def _plain(self, message: str) -> str:
        """Return a message with the names of uploads in place of their paths on the server, complete or cut."""

        def name(found: re.Match) -> str:
            folder, slash, file = found.group(1).rpartition("/")
            return file if folder and slash and file else "the upload"

        root = str(self.visitors.root)
        message = re.sub(re.escape(root) + r"/([^\s':]*)", name, message)
        for length in range(len(root), 1, -1):  # a library's words may be cut inside the path
            message = message.replace(f"{root[:length]} ...", "the upload ...")
        return message


def given(job: Job, path: str | None) -> Path | None:
    """Return the path of an upload and assign it to the visitor; None without an upload.

    Raises:
        DataError: for a file over the page's limit.
        OSError: for a file that has been removed.
    """
    if path is None:
        return None
    found = Path(path)
    job.visitor.uploads.add(found)
    check_bytes(found)
    return found


def _keep(job: Job, *paths: str | list[str] | None) -> None:
    for several in paths:
        for path in several if isinstance(several, list) else [several]:
            given(job, path)
