"""One evaluation: it runs the network over the images, collects remarks, and writes the tables."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from data.errors import DataError
from data.files.remarks import Routine, reworded
from metrics.outside_text import shown
from metrics.protocols import REMARKS
from metrics.table import Table
from models import DCINN
from utils import processes
from utils.commandline.progress import progress
from utils.output.result_folder import BEFORE, ResultFolder
from utils.tiling import Tiling, fuse

from .pick_network import Network
from .report import Convention, tell
from .sharing import Shares, mine


def read_through(items: Sequence, count: int, unit: str) -> None:
    """Read the first `count` items once, so that an unreadable one is found before any is fused.

    Each process reads the items that it will fuse.
    """
    if count > 1 and not isinstance(items, list):
        for index in progress(mine(count), total=len(mine(count)), desc="reading", unit=unit):
            items[index]


@dataclass
class Evaluation:
    """The part that all test scripts share: names, remarks, timing, tables, and the closing lines.

    Attributes:
        name: "ps", "hmf", "ivf_rs", "ivf_tno", "multifocus", "multiexposure".
        network: the network, with its label and whether it is trained.
        source: description of the data; None is the embedded sample.
        tile: side of tiles in pixels, see `tiling.fuse`; 0 is whole images.
        pooling: "scene" or "tile", see `tiling.fuse`.
        others: further networks, as rows of the same tables.
        measured: whether to measure and write tables.
        verbose: whether to print everything that metrics.md says.
        doubts: remarks on the whole run, printed below the tables.
        notes: remark on an image -> number of images it applies to.
        spent: label -> seconds of all processes together.
        fused: label -> number of fused images.
    """

    name: str
    network: Network
    source: str | None
    tile: int = 0
    pooling: str = "scene"
    others: tuple[Network, ...] = ()
    measured: bool = True
    verbose: bool = False
    doubts: list[str] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)
    spent: Counter = field(default_factory=Counter)
    fused: Counter = field(default_factory=Counter)

    @property
    def model(self) -> DCINN:
        """The model of the main network."""
        return self.network.model

    @property
    def label(self) -> str:
        """The main network's name in tables."""
        return self.network.label

    @property
    def caption(self) -> str:
        """The title of figures: network and data."""
        return f"{self.label}, {self.source or 'embedded sample'}"

    @property
    def fusions(self) -> int:
        """The number of images that the main network has fused."""
        return self.fused[self.label]

    def shares(self, count: int, tables: Sequence[Table], unit: str, description: str = "fusing") -> Shares:
        """Return the loop over this process's images, see `Shares`."""
        return Shares(count, tables, description, unit, (self.notes, self.spent, self.fused))

    def fuse(self, base_image: np.ndarray, guide: np.ndarray, network: Network | None = None) -> np.ndarray:
        """Fuse two images by the main network, or another one, and count images and seconds.

        Args:
            base_image: (C, H, W) float32 in [0, 1].
            guide: (c, H, W) float32 in [0, 1].
            network: one of the others; None is the main network.

        Returns:
            (C, H, W) float32, not clamped.

        Raises:
            DataError: for NaN or infinity in the result.
        """
        network, own = network or self.network, network in (None, self.network)
        height, width = base_image.shape[1:]
        if own and network.is_dcinn and (height, width) != tuple(self.model.padded_side(s) for s in (height, width)):
            note = f"sides reflected to multiples of {self.model.multiple} pixels (at least {self.model.least})"
            self.notes[Routine(f"{note} for the network, and cropped back")] += 1
        start = time.perf_counter()
        a, b = (torch.from_numpy(np.ascontiguousarray(image))[None] for image in (base_image, guide))
        tile = 0 if network.model.whole_images_only else self.tile
        count = Tiling(height, width, tile).count if tile else 1
        with progress(total=count, desc=shown(network.label), unit="tile", leave=False) as bar:
            scene = self.pooling == "scene" and not network.model.whole_images_only
            fused = fuse(network.model, a, b, tile=tile, scene=scene, done=bar.update)[0].numpy()
        self.spent[network.label] += time.perf_counter() - start
        self.fused[network.label] += 1
        if not np.isfinite(fused).all():
            raise DataError(network.label, "NaN or infinity in the fused image", "finite values; the weights diverge")
        return fused

    def table(
        self, kind: str, metrics: tuple[str, ...], protocol: str, task: str | None = None, **about: object
    ) -> Table:
        """Return an empty table with remarks on data, weights and protocol.

        Args:
            kind: the title; the data are added to it.
            metrics: names of the columns.
            protocol: how the metrics are computed, see `metrics.protocols`.
            task: task as in the published tables; the evaluation's name by default.
            about: ratio and sensor of the table.
        """
        task = task or self.name
        table = Table(f"{kind}: {self.source or 'embedded sample'}", task, metrics, protocol, **about)
        if self.source is None:
            table.comparable = False
            table.remark("Embedded sample, simulated from photographs: shows that the software works, not how well.")
        for line in self._untrained():
            table.remark(line)
        table.remark(Convention(REMARKS["ivf" if task.startswith("ivf") else task, protocol]))
        return table

    def _untrained(self) -> Iterator[str]:
        if not self.network.trained:
            little = "; its fused image is little more than the base plus an unlearned detail"
            start = f"a random start{little if self.network.is_dcinn else ''}"
            yield f"{self.label}: NO TRAINED WEIGHTS, {start}. Give --weights FILE for a trained network."
        for network in self.others:
            if not network.trained and not network.is_dcinn:
                yield f"{network.label}: NO TRAINED WEIGHTS, a random start. Give --peer-weights METHOD=FILE."

    def write(self, folder: ResultFolder, tables: list[Table]) -> dict:
        """Write the tables, if any, into the folder; returns the content of metrics.json."""
        result = self.result(tables)
        folder.write_tables(
            tables if self.measured else [], {key: value for key, value in result.items() if key != "tables"}
        )
        return result

    def result(self, tables: list[Table]) -> dict:
        """Return the content of metrics.json, after adding the collected remarks to the tables."""
        for table in tables:
            for line in self._noted():
                table.remark(line)
        about = {
            "task": self.name,
            "weights": self.label,
            "config": {**self.model.config.as_dict(), **self.network.exact},
            "networks": [
                {**n.as_dict(), "seconds": round(self.spent[n.label], 2)} for n in (self.network, *self.others)
            ],
            "data": self.source or "embedded sample",
            "tile": self.tile,
            "torch": torch.__version__,
            "device": str(next(self.model.parameters()).device),
            **({"processes": processes.world()} if processes.world() > 1 else {}),
        }
        return {**about, "tables": [table.as_dict() for table in tables if self.measured]}

    def _noted(self) -> list[str]:
        return [*self.doubts, *(reworded(note, f"{times} x {note}") for note, times in sorted(self.notes.items()))]

    def say(self, place: Path, tables: list[Table], put_away: int = 0) -> None:
        """Print the tables and the place of the results.

        It is called after the results are in place, so that a failing print cannot lose them.

        Args:
            place: the folder or file of the results.
            tables: the tables to print.
            put_away: number of files of earlier runs that were moved.
        """
        device = next(self.model.parameters()).device
        where = f"{device} x {processes.world()} processes" if processes.world() > 1 else device
        last = [f"{self.fusions} fused in {self.spent[self.label]:.1f} s on {where}; results in {place}"]
        if put_away:
            last.insert(0, f"{put_away} files of earlier runs moved to {place / BEFORE}")
        if not self.measured:
            remarks = [*self._untrained(), *self._noted(), "Nothing was measured (--no-metrics)."]
            tell([], remarks, last, verbose=self.verbose, few=self.fusions < 2)
            return
        file = place / "metrics.md" if place.is_dir() else None
        few = all(len(table.images) == 1 for table in tables)  # none in the processes beside the first
        tell(tables, [], last, verbose=self.verbose, few=few, file=file)
