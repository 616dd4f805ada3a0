"""A pansharpening scene of any size: windows of an MS and a pan image over the same ground, as network inputs."""

import numpy as np
import torch

from data.errors import DataError
from data.files.georeference import TIEPOINTS, common_ground, georeference
from data.files.geotiff import nodata_value
from data.files.held_value import held
from data.files.nodata import LEAST_BORDER, MeasuredWindows, zero_border
from data.files.raster_windows import Windows
from data.simulate import interp23
from utils.tiling import Span

from .scene_unit import check_unit

MARGIN = 12  # MS pixels around a window that its upsampling depends on: half of 23 taps, twice
RATIOS = (2, 4, 8)
NO_REST = 0.01  # pan pixels by which the grids may differ without a note
ROWS = 1024  # pan rows that are read at once to count valid pixels


class PanScene:
    """Reads windows of a scene as inputs of the network.

    If both images are georeferenced, they are cropped to their common ground. NoData pixels are filled. A fused pixel
    is masked if its pan pixel or its MS pixel is NoData.

    Args:
        ms: (B, h, w) in digital numbers.
        pan: (1, H, W); unless both images are georeferenced, H and W are the same multiple (2, 4 or 8) of h and w.
        scale: digital number of 1.
        nodata: the NoData value of both images; None takes what the files declare.

    Attributes:
        notes: remarks on cropping, masking, and assumptions.
        masked: whether there are masked pixels.
        nodata: value of masked pixels in the fused image, in its sample type; None without NoData.
        nodata_text: the same as text for its GDAL_NODATA tag.

    Raises:
        DataError: if sides or georeferences do not fit, or no pixel is measured in both images.
    """

    def __init__(self, ms: Windows, pan: Windows, scale: int, nodata: float | None = None) -> None:
        self.ms, self.pan, self.scale = ms, pan, scale
        self.notes = [*ms.notes, *pan.notes]
        if pan.shape[0] != 1:
            raise DataError(pan.path, f"{pan.shape[0]} bands", "one, the pan image")
        self._align()
        self.bands, low_height, low_width = ms.shape
        self.height, self.width = pan.shape[1:]
        self.ratio = self.height // low_height
        if self.ratio not in RATIOS or pan.shape[1:] != (low_height * self.ratio, low_width * self.ratio):
            found = f"{self.height}x{self.width} pixels beside an MS image of {low_height}x{low_width}"
            raise DataError(pan.path, found, "2, 4 or 8 times its sides")
        self.dtype = pan.dtype if _holds(pan.dtype, scale) else np.dtype(np.float32)
        values = [
            nodata if nodata is not None or image.nodata is None else nodata_value(image.nodata, image.path)
            for image in (pan, ms)
        ]
        self.measured_pan, self.measured_ms = (
            MeasuredWindows(image, value, scale) for image, value in zip((pan, ms), values, strict=True)
        )
        for image in (self.measured_pan, self.measured_ms):
            check_unit(image, scale)
        self.masked = self.measured_pan.masked or self.measured_ms.masked
        texts = (f"{nodata:.17g}",) * 2 if nodata is not None else (pan.nodata, ms.nodata)
        self.nodata, self.nodata_text = self._written(values, texts)
        self._tell(values)

    def _align(self) -> None:
        """Crop both images to their common ground by their georeferences, and note what was assumed."""
        ms, pan = self.ms, self.pan
        places = georeference(ms.tags, ms.path), georeference(pan.tags, pan.path)
        if places[0] is None or places[1] is None:
            if any(places):
                name, other = ("MS image", "pan") if places[0] else ("pan", "MS image")
                self.notes.append(f"Only the {name} has a georeference: taken to cover the same ground as the {other}.")
            elif any(tag[0] == TIEPOINTS for tag in (*ms.tags, *pan.tags)):
                self.notes.append("Ground control points are not compared: taken to cover the same ground.")
            return
        if (places[0].crs is None) != (places[1].crs is None):
            named, place = ("MS image", places[0]) if places[0].crs else ("pan", places[1])
            self.notes.append(f"Only the {named} names its CRS ({place.crs_name}), taken to be the other's, too.")
        height, width = pan.shape[1:]
        found = common_ground(*places, ms.shape[1:], (height, width), RATIOS, pan.path)
        if found.ms != tuple((0, side) for side in ms.shape[1:]) or found.pan != ((0, height), (0, width)):
            rows, columns = found.pan
            self.notes.append(
                f"MS and pan differ in extent: fused their common ground, rows {rows[0]} to {rows[1]} and columns "
                f"{columns[0]} to {columns[1]} of the pan's {height}x{width}."
            )
            ms.crop(*found.ms)
            pan.crop(*found.pan)
        if max(map(abs, found.rest)) > NO_REST:
            self.notes.append(
                f"The grids are {found.rest[0]:.2f} columns and {found.rest[1]:.2f} rows of the pan apart, half a "
                "pixel at most: fused as they are."
            )

    def _written(
        self, values: list[float | None], texts: tuple[str | None, ...]
    ) -> tuple[np.generic | None, str | None]:
        """Return the fused image's NoData as a sample and as text: the pan's, else the MS image's, else 0."""
        for value, text in zip(values, texts, strict=True):
            sample = None if value is None else held(value, self.dtype)
            if sample is not None:
                return sample, text
        if self.masked:
            return self.dtype.type(0), "0"
        return None, next((text for text in texts if text is not None), None)

    def _tell(self, values: list[float | None]) -> None:
        for name, image, value in zip(("pan", "MS image"), (self.pan, self.ms), values, strict=True):
            share = 0.0 if value == 0 else zero_border(image.array)
            if share >= LEAST_BORDER:
                self.notes.append(
                    f"{share:.0%} of the {name} are a border of zeros, taken as measured: they change pixels beside "
                    "them. If they are NoData, give --nodata 0."
                )
        if not self.masked:
            return
        count, step = 0, ROWS // self.ratio * self.ratio
        for top in range(0, self.height, step):
            count += int(np.count_nonzero(self.valid((top, min(top + step, self.height)), (0, self.width))))
        if not count:
            raise DataError(self.pan.path, "NoData wherever the MS image is measured", "pixels measured in both")
        share = 1 - count / (self.height * self.width)
        self.notes.append(
            f"NoData in {share:.2%} of the fused pixels, written as {self.nodata_text}: filled with what is measured "
            "beside them for the network, left out of its means and of the preview's range."
        )

    def valid(self, rows: Span, columns: Span) -> np.ndarray:
        """Return (h, w) bool: the pixels of a window that are measured in both images."""
        low = [(start // self.ratio, -(-stop // self.ratio)) for start, stop in (rows, columns)]
        ms = np.kron(self.measured_ms.valid(*low), np.ones((self.ratio, self.ratio), bool))
        cut = (
            slice(span[0] - first * self.ratio, span[1] - first * self.ratio)
            for span, (first, _) in zip((rows, columns), low, strict=True)
        )
        return ms[tuple(cut)] & self.measured_pan.valid(rows, columns)

    def read(self, rows: Span, columns: Span) -> tuple[torch.Tensor, ...]:
        """Return lms (1, B, h, w) and pan (1, 1, h, w) of a window, in [0, 1].

        lms is that of `simulate.interp23` on the whole MS. If pixels of the window are masked, a third tensor
        (1, 1, h, w) is 0 for these and 1 for the others.
        """
        pan = self._unit(self.measured_pan, rows, columns)
        low = [(start // self.ratio, -(-stop // self.ratio)) for start, stop in (rows, columns)]
        ms = self._around(*low)
        lms = np.moveaxis(interp23(np.moveaxis(ms, 0, -1), self.ratio), -1, 0)
        cut = [
            slice(span[0] - (first - MARGIN) * self.ratio, span[1] - (first - MARGIN) * self.ratio)
            for span, (first, _) in zip((rows, columns), low, strict=True)
        ]
        lms = np.ascontiguousarray(lms[:, cut[0], cut[1]], np.float32)
        images = torch.from_numpy(lms)[None], torch.from_numpy(pan)[None]
        if self.masked and not (valid := self.valid(rows, columns)).all():
            return *images, torch.from_numpy(valid)[None, None].float()
        return images

    def _around(self, rows: Span, columns: Span) -> np.ndarray:
        """Return a window of the MS with a margin on every side, circular at the scene's borders like the filter."""
        _, height, width = self.ms.shape
        parts = []
        for top, bottom in _wrapped(rows, height):
            line = [self._unit(self.measured_ms, (top, bottom), span) for span in _wrapped(columns, width)]
            parts.append(np.concatenate(line, axis=2))
        return np.concatenate(parts, axis=1)

    def _unit(self, image: MeasuredWindows, rows: Span, columns: Span) -> np.ndarray:
        window = image.read(rows, columns)
        least, most = float(window.min()), float(window.max())
        if least < 0 or most > self.scale:
            raise DataError(image.image.path, f"values from {least:g} to {most:g}", f"0 to {self.scale} (--bits)")
        return window / np.float32(self.scale)


def _holds(dtype: np.dtype, scale: int) -> bool:
    """Whether fused digital numbers are of a pan's type: unsigned ones, cut at its end, or signed ones that all fit."""
    return dtype.kind == "u" or (dtype.kind == "i" and scale <= np.iinfo(dtype).max)


def _wrapped(span: Span, length: int) -> list[Span]:
    """Return the span with its margin, as pieces within 0..length, wrapped circularly."""
    pieces, start, stop = [], span[0] - MARGIN, span[1] + MARGIN
    while start < stop:
        first = start % length
        last = min(first + stop - start, length)
        pieces.append((first, last))
        start += last - first
    return pieces
