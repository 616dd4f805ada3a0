"""Pansharpening scenes on the page: opened once, shown as a quick-look, and fused in a crop of the visitor's choice."""

from pathlib import Path

import numpy as np

from data.errors import DataError
from data.files.raster_windows import Windows
from data.pan_scenes import PanScenes
from data.pancollection import DEFAULT_BITS, SENSOR_BITS
from data.simulate import PAN_FILTERS
from utils.commandline.errors import UsageError
from utils.evaluation.scene_by_tiles import write_crop
from utils.evaluation.scene_pair import ScenePair
from utils.output.images import stretch, write_bands

from .handlers import Job, given
from .image_uploads import gather
from .limits import SIDES, check_samples, header_shape

QUICK = 512  # largest side of a quick-look in pixels
MASKED = "Pixels without measurement (NoData) are filled here; the .tif download masks them, .mat and .npy do not."
GRID = 8  # crops start at multiples of this, in pan pixels: a whole MS pixel for every ratio
Box = tuple[int, int, int, int]  # rows top to bottom, columns left to right, in pan pixels


class Scene:
    """An open scene, of which crops are fused.

    Attributes:
        name: name of the scene.
        source: description of its files; None for the sample.
        sides: (H, W) of the pan.
        bands, ratio, scale, sensor, has_reference, pan_filter: see `PanScenes`.
        quick: the quick-look (h, w, 3) in [0, 1].
        step: pan pixels per pixel of the quick-look.
        notes: remarks for the visitor.
    """

    name: str
    source: str | None
    sides: tuple[int, int]
    bands: int
    ratio: int
    scale: int
    sensor: str
    has_reference: bool
    pan_filter = PAN_FILTERS[0]
    quick: np.ndarray
    step: int
    notes: list[str]

    def crop(self, box: Box) -> dict:
        """Return a crop: `name`, `lms` (B, h, w), `pan` (1, h, w), and `gt` (B, h, w) if any; float32 in [0, 1]."""
        raise NotImplementedError

    def write(self, path: Path, fused: np.ndarray, box: Box) -> None:
        """Write the fused crop (B, h, w) in [0, 1] for the visitor; the suffix of `path` decides."""
        write_bands(path, fused, self.scale)

    def box(self, place: tuple[int, int] | None, side: int) -> Box:
        """Return the crop around a pixel (column, row) of the quick-look, by default its middle, within the scene.

        `side` is its side in pan pixels, limited to `SIDES` and rounded down to a multiple of 8.
        """
        side = min(max(int(side), SIDES[0]), SIDES[1]) // GRID * GRID
        column, row = place or (self.quick.shape[1] // 2, self.quick.shape[0] // 2)
        spans = []
        for centre, length in zip((row * self.step, column * self.step), self.sides, strict=True):
            first = max(min(centre - side // 2, length - side), 0) // GRID * GRID
            spans += [first, min(first + side, length)]
        return tuple(spans)

    def on_quick_look(self, box: Box) -> Box:
        """Return a crop in pixels of the quick-look."""
        return tuple(-(-edge // self.step) for edge in box)


class StoredScene(Scene):
    """One scene of a file, or the sample, at full resolution or reduced by Wald's protocol.

    Args:
        job: the visitor's job.
        folder: existing folder in which its arrays are stored.
        path: a .mat or .h5 file; None is the sample.
        sensor, bits: see `PanCollection`, also for the default.
        number: number of the scene in the file, from 1.
        reduced: reduce the scene by Wald's protocol. A file with references is never reduced; its scenes always have
            their reference.

    Raises:
        UsageError: for a number that the file does not have, or a scene that cannot be reduced.
        DataError: see `PanCollection`, and for scenes over the page's limit.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        path: Path | None,
        sensor: str | None = None,
        bits: int | None = None,
        number: int = 1,
        reduced: bool = False,
    ) -> None:
        scenes = PanScenes(path, sensor, bits)
        if scenes.file:
            check_samples(path, (scenes.bands, *scenes.file.sides))
        if not 1 <= number <= len(scenes):
            raise UsageError(f"scene: found {number}, expected 1 to {len(scenes)}")
        if reduced and (why := scenes.cannot_reduce()):
            raise UsageError(f"{path}: found {why}; as it is needs none of it")
        job.step(0.2, "reading")
        item = scenes.reduced(number - 1) if reduced or scenes.has_reference else scenes.full(number - 1)
        job.step(0.7, "keeping")
        self.arrays = on_disk(folder, {key: item[key] for key in ("lms", "pan", "gt") if item.get(key) is not None})
        self.name, self.source, self.notes = item["name"], path.name if path else None, []
        self.bands, self.sides = len(item["lms"]), item["pan"].shape[1:]
        self.ratio, self.scale, self.sensor = scenes.ratio, scenes.scale, scenes.sensor
        self.has_reference, self.pan_filter = scenes.has_reference, scenes.pan_filter
        self.step = -(-max(self.sides) // QUICK)
        self.quick = stretch(np.asarray(item["lms"][:, :: self.step, :: self.step]))

    def crop(self, box: Box) -> dict:
        """See `Scene.crop`."""
        window = (slice(None), slice(*box[:2]), slice(*box[2:]))
        return {"name": self.name, **{key: np.array(array[window]) for key, array in self.arrays.items()}}


class TwoFiles(Scene):
    """An MS and a pan image in two files, GeoTIFF or .npy, of which windows are read.

    Args:
        job: the visitor's job.
        folder: folder into which a compressed file is decompressed.
        ms, pan: the files.
        sensor: name of the sensor; None is unknown.
        bits: bit depth of the digital numbers; None is the sensor's usual one.

    Raises:
        DataError: see `Windows` and `ScenePair`, and for scenes over the page's limit.
    """

    def __init__(self, job: Job, folder: Path, ms: Path, pan: Path, sensor: str | None, bits: int | None) -> None:
        for path in (ms, pan):
            if shape := header_shape(path):
                check_samples(path, shape)
        job.step(0.3, "reading")
        self.sensor, self.has_reference = sensor or "none", False
        self.scale = 2 ** (bits or SENSOR_BITS.get(self.sensor.upper(), DEFAULT_BITS)) - 1
        windows = Windows(ms, folder)
        check_samples(ms, windows.shape)
        if windows.shape[0] == 1:
            raise DataError(ms, "one band", "an MS image; are MS and pan swapped?")
        guide = Windows(pan, folder, bands=1)
        check_samples(pan, guide.shape)
        self.pair = ScenePair(windows, guide, self.scale)
        self.name, self.source = pan.stem, f"{ms.name}, {pan.name}"
        self.sides = (self.pair.height, self.pair.width)
        self.bands, self.ratio = self.pair.bands, self.pair.ratio
        self.notes = [*self.pair.notes, *([MASKED] if self.pair.masked else [])]
        low = self.pair.low  # cropped to the common ground
        coarse = -(-max(low.shape[1:]) // QUICK)
        self.step = coarse * self.ratio
        self.quick = stretch(np.nan_to_num(np.asarray(low.array[:, ::coarse, ::coarse], np.float32)))

    def crop(self, box: Box) -> dict:
        """See `Scene.crop`."""
        lms, pan, *_ = self.pair.read(box[:2], box[2:])
        return {"name": self.name, "lms": lms[0].numpy(), "pan": pan[0].numpy()}

    def write(self, path: Path, fused: np.ndarray, box: Box) -> None:
        """See `Scene.write`; a .tif as the script writes it."""
        if path.suffix == ".tif":
            write_crop(path, fused, self.pair, box[:2], box[2:])
        else:
            super().write(path, fused, box)


def open_scene(
    job: Job,
    folder: Path,
    ms: list[str] | None,
    pan: list[str] | None,
    file: str | None,
    sensor: str,
    bits: float | None,
    number: float | None,
    reduced: bool,
) -> Scene:
    """Open and return the uploaded scene, or the sample without uploads.

    Args:
        job: the visitor's job.
        folder: folder for the scene's files.
        ms, pan: paths of the uploads of two images, both or none.
        file: path of one upload with both images, in place of these.
        sensor: name of the sensor, or "auto".
        bits: bit depth; 0 or None is the file's or sensor's own.
        number: number of the scene in `file`, from 1.
        reduced: reduce the scene by Wald's protocol, unless it has a reference.

    Raises:
        UsageError, DataError: for uploads that do not fit each other, and those of `StoredScene` and `TwoFiles`.
    """
    files = gather(job, "MS", ms, folder), gather(job, "Pan", pan, folder), given(job, file)
    name, depth = (None if sensor in (None, "", "auto") else sensor), (int(bits) if bits else None)
    if files[2] is not None and files[:2] == (None, None):
        return StoredScene(job, folder, files[2], name, depth, int(number or 1), reduced)
    if files == (None, None, None):
        return StoredScene(job, folder, None, reduced=reduced)
    if None in files[:2] or files[2] is not None:
        raise UsageError("MS, pan: found one of them or a .mat/.h5 as well, expected both alone, or one .mat/.h5")
    if reduced:
        raise UsageError("reduced by Wald's protocol: found MS and pan files, expected one .mat/.h5 or the sample")
    return TwoFiles(job, folder, files[0], files[1], name, depth)


def on_disk(folder: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the same arrays as memory maps of files in the folder, so that an open scene takes no memory."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in arrays}
