"""A run of a test script: the network over its images, what is noted on the way, the tables at the end."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from data.errors import DataError
from metrics.protocols import REMARKS
from metrics.table import Table
from models import DCINN
from models.config import DCINNConfig
from utils.commandline.door import quiet
from utils.output.result_folder import BEFORE, ResultFolder
from utils.tiling import Tiling, fuse


class Network(NamedTuple):
    """A model in evaluation mode.

    Attributes:
        model: a DCINN, or of `models.peers`.
        label: what tables call it.
        trained: whether it has trained weights.
        name, file: theirs.
        seen: whether it was, or may have been, trained on the image of a name.
    """

    model: nn.Module
    label: str
    trained: bool
    name: str = "untrained"
    file: Path | None = None
    seen: Callable[[str], bool] = lambda _: False

    @property
    def is_dcinn(self) -> bool:
        """Whether it is one, and not another method's."""
        return isinstance(self.model, DCINN)

    @property
    def exact(self) -> dict[str, bool]:
        """Of a DCINN, whether its series are summed to float precision."""
        return {"exact": self.model.exact} if self.is_dcinn else {}

    def as_dict(self) -> dict:
        """What metrics.json says of it: the weights by the SHA-256 of their file."""
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest() if self.file else None
        parameters = sum(p.numel() for p in self.model.parameters())
        return {
            "label": self.label,
            "sha256": digest,
            "parameters": parameters,
            **self.model.config.as_dict(),
            **self.exact,
        }


def label_of(name: str, config: DCINNConfig) -> str:
    """What tables call a network: its name, and the part that an ablation has left out."""
    return f"DCINN ({name})" + (f", without {config.without}" if config.without else "")


def told_apart(networks: list[Network]) -> list[Network]:
    """With every field of the configurations that differs in the labels."""
    for key, said in (
        ("base_rule", "{}"),
        ("detail_rule", "detail {}"),
        ("low_blocks", "{} low blocks"),
        ("terms", "{} terms"),
    ):
        if len({getattr(n.model.config, key) for n in networks}) > 1:
            networks = [n._replace(label=f"{n.label}, {said.format(getattr(n.model.config, key))}") for n in networks]
    return networks


@dataclass
class Run:
    """What every test script does around its images: names, remarks, timing, tables, the closing lines.

    Attributes:
        name: "ps", "hmf", "ivf_rs", "ivf_tno", "multifocus", "multiexposure".
        network: the model, what tables call it, and whether it is trained.
        source: where the images are from, or None for the embedded sample.
        tile: see `tiling.fuse`.
        pooling: "scene" or "tile", see there too.
        others: further networks, rows of the same tables.
        measured: whether there are tables.
        doubts, notes: what is said below the tables: of the whole run, and how often of its images.
    """

    name: str
    network: Network
    source: str | None
    tile: int = 0
    pooling: str = "scene"
    others: tuple[Network, ...] = ()
    measured: bool = True
    doubts: list[str] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    fusions: int = 0

    @property
    def model(self) -> DCINN:
        """The network."""
        return self.network.model

    @property
    def label(self) -> str:
        """What tables call the network."""
        return self.network.label

    @property
    def caption(self) -> str:
        """One line for figures."""
        return f"{self.label}, {self.source or 'embedded sample'}"

    def fuse(self, base_image: np.ndarray, guide: np.ndarray, network: Network | None = None) -> np.ndarray:
        """(C, H, W) and (c, H, W) float32 in [0, 1] -> (C, H, W) float32, by the run's network or one of the others."""
        network, own = network or self.network, network in (None, self.network)
        height, width = base_image.shape[1:]
        if own and network.is_dcinn and (height, width) != tuple(self.model.padded_side(s) for s in (height, width)):
            self.notes[
                f"sides reflected to multiples of {self.model.multiple} pixels (at least {self.model.least}) for the "
                "network, and cropped back"
            ] += 1
        start = time.perf_counter()
        a, b = (torch.from_numpy(np.ascontiguousarray(image))[None] for image in (base_image, guide))
        tile = self.tile if network.is_dcinn else 0  # their attention is over whole images
        count = Tiling(height, width, tile).count if tile else 1
        with tqdm(total=count, desc=network.label, unit="tile", leave=False, disable=quiet(count)) as bar:
            scene = self.pooling == "scene" and network.is_dcinn
            fused = fuse(network.model, a, b, tile=tile, scene=scene, done=bar.update)[0].numpy()
        self.spent[network.label] += time.perf_counter() - start
        if own:
            self.fusions += 1
        if not np.isfinite(fused).all():
            raise DataError(network.label, "NaN or infinity in the fused image", "finite values; the weights diverge")
        return fused

    def table(
        self, kind: str, metrics: tuple[str, ...], protocol: str, task: str | None = None, **about: object
    ) -> Table:
        """An empty table that says where images and weights are from.

        Args:
            kind: its title.
            metrics: the columns.
            protocol: how they are computed, see `metrics.protocols`.
            task: of the published tables; the run's name by default.
            about: ratio, sensor.
        """
        task = task or self.name
        table = Table(f"{kind}: {self.source or 'embedded sample'}", task, metrics, protocol, **about)
        if self.source is None:
            table.comparable = False
            table.remark("Embedded sample, simulated from photographs: shows that the software works, not how well.")
        for line in self._untrained():
            table.remark(line)
        table.remark(REMARKS["ivf" if task.startswith("ivf") else task, protocol])
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
        """Write the tables, where there are some; returns what metrics.json holds."""
        result = self.result(tables)
        folder.write_tables(
            tables if self.measured else [], {key: value for key, value in result.items() if key != "tables"}
        )
        return result

    def result(self, tables: list[Table]) -> dict:
        """What metrics.json holds; the tables get their last remarks."""
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
        }
        return {**about, "tables": [table.as_dict() for table in tables if self.measured]}

    def _noted(self) -> list[str]:
        return [*self.doubts, *(f"{times} x {note}" for note, times in sorted(self.notes.items()))]

    def say(self, place: Path, tables: list[Table], put_away: int = 0) -> None:
        """Print the tables and where the results are; after the folder is closed, so that no print can lose them."""
        if self.measured:
            for table in tables:
                print(table.markdown())
        else:
            print("\n".join([*self._untrained(), *self._noted(), "Nothing was measured (--no-metrics)."]))
        if put_away:
            print(f"{put_away} files of earlier runs moved to {place / BEFORE}")
        device = next(self.model.parameters()).device
        print(f"{self.fusions} fused in {self.spent[self.label]:.1f} s on {device}; results in {place}")
