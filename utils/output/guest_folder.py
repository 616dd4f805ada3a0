"""The result folder of another process, for processes that write their images into it."""

import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from data.files.atomic import name_file
from metrics.table import Table
from utils.commandline.errors import ENDED, UsageError
from utils.commandline.signals import deaf

from .folder_lock import alone
from .result_folder import ResultFolder, holds_earlier


class GuestFolder(ResultFolder):
    """Writes files to the hidden folder of another process's `ResultFolder`, which moves them together with its own.

    Args:
        target: the folder of the results.
        staging: the hidden folder, which its owner keeps locked as every `Scratch`.
        made: parent folders that the owner has created.

    Raises:
        NotADirectoryError: if this process does not see the hidden folder (machines without a common disk).
        UsageError: for a file that cannot be written because the owner has ended.
    """

    def __init__(self, target: Path, staging: Path, made: list[Path]) -> None:
        super().__init__(target)
        self.staging, self.made = staging, made

    def __enter__(self) -> "GuestFolder":
        if not self.staging.is_dir():
            found = "found no folder of the first process, expected one that all machines see"
            raise NotADirectoryError(f"{self.target}: {found} (--output)")
        return self

    def write_tables(self, tables: list[Table], about: dict) -> None:
        """Do nothing: the owner writes the tables."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        name_file(error, self.target)
        with suppress(OSError), alone(self.staging, 0) as locked:
            if locked and not holds_earlier(self.staging):  # the owner was killed, and cannot clean up
                with deaf():
                    shutil.rmtree(self.staging, ignore_errors=True)
                    self._unmake()
        if isinstance(error, FileNotFoundError) and not self.staging.is_dir():  # the owner cleaned up
            raise UsageError(f"found {ENDED}") from error
