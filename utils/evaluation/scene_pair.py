"""A scene of any size: windows of two images over the same ground, one of low resolution and its guide, as inputs."""

import numpy as np
import torch

from data.errors import DataError
from data.files.georeference import NO_REST, PLACES, TIEPOINTS, common_ground, georeference, listed_ratios
from data.files.geotiff import nodata_value
from data.files.held_value import held
from data.files.moved_tags import finer_tags
from data.files.nodata import LEAST_BORDER, MeasuredWindows, zero_border
from data.files.raster_windows import Windows
from utils.tiling import Span

from .scene_kinds import PANSHARPENING, SceneKind
from .scene_unit import check_unit

ROWS = 1024  # rows of the guide that are read at once to count valid pixels


class ScenePair:
    """Reads windows of a scene as inputs of the network.

    If both images are georeferenced, they are cropped to their common ground. NoData pixels are filled. A fused pixel
    is masked if its pixel is NoData in either image.

    Args:
        low: the image of low resolution, (B, h, w) in digital numbers: an MS image, or a hyperspectral one (HSI).
        guide: (C, H, W), the pan, or a multispectral image (MSI); unless both images are georeferenced, H and W are the
            same multiple of h and w.
        scale: digital number of 1.
        nodata: the NoData value of both images; None takes what the files declare.
        kind: the task.
        guide_scale: digital number of 1 in the guide; None is `scale`.

    Attributes:
        bands, height, width, ratio: bands and sides of the fused image, and the ratio of pixel sizes.
        dtype: sample type of the fused image.
        notes: remarks on cropping, masking, and assumptions.
        masked: whether there are masked pixels.
        nodata: value of masked pixels in the fused image, in its sample type; None without NoData.
        nodata_text: the same as text for its GDAL_NODATA tag.

    Raises:
        DataError: if sides or georeferences do not fit, or no pixel is measured in both images.
    """

    def __init__(
        self,
        low: Windows,
        guide: Windows,
        scale: int,
        nodata: float | None = None,
        kind: SceneKind = PANSHARPENING,
        guide_scale: int | None = None,
    ) -> None:
        self.low, self.guide, self.scale, self.kind = low, guide, scale, kind
        self.notes = [*low.notes, *guide.notes]
        if kind.guide_bands not in (None, guide.shape[0]):
            raise DataError(guide.path, f"{guide.shape[0]} bands", f"one, the {kind.guide} image")
        self._align()
        self.bands, low_height, low_width = low.shape
        self.height, self.width = guide.shape[1:]
        self.ratio = self.height // low_height
        if self.ratio not in kind.ratios or guide.shape[1:] != (low_height * self.ratio, low_width * self.ratio):
            found = f"{self.height}x{self.width} pixels beside an {kind.low} of {low_height}x{low_width}"
            raise DataError(guide.path, found, f"{listed_ratios(kind.ratios)} times its sides")
        self.measured_low = MeasuredWindows(low, declared_nodata(low, nodata), scale)
        guide_scale = scale if guide_scale is None else guide_scale
        self.measured_guide = MeasuredWindows(guide, declared_nodata(guide, nodata), guide_scale)
        self.order = [(kind.guide, self.measured_guide), (kind.low, self.measured_low)]
        if kind.like_low:
            self.order.reverse()
        for _, image in self.order:
            check_unit(image, image.scale, self.bits_option(image))
        like = self.order[0][1].image.dtype.newbyteorder("=")
        self.dtype = like if _holds(like, scale) else np.dtype(np.float32)
        self.masked = self.measured_guide.masked or self.measured_low.masked
        self.nodata, self.nodata_text = self._written(nodata)
        self._tell()

    def _align(self) -> None:
        """Crop both images to their common ground by their georeferences, and note what was assumed."""
        low, guide, kind = self.low, self.guide, self.kind
        places = georeference(low.tags, low.path), georeference(guide.tags, guide.path)
        if places[0] is None or places[1] is None:
            if any(places):
                name, other = (kind.low, kind.guide) if places[0] else (kind.guide, kind.low)
                self.notes.append(f"Only the {name} has a georeference: taken to cover the same ground as the {other}.")
            elif any(tag[0] == TIEPOINTS for tag in (*low.tags, *guide.tags)):
                self.notes.append("Ground control points are not compared: taken to cover the same ground.")
            return
        if (places[0].crs is None) != (places[1].crs is None):
            named, place = (kind.low, places[0]) if places[0].crs else (kind.guide, places[1])
            self.notes.append(f"Only the {named} names its CRS ({place.crs_name}), taken to be the other's, too.")
        height, width = guide.shape[1:]
        found = common_ground(*places, low.shape[1:], (height, width), kind.ratios, guide.path, kind.low)
        if found.low != tuple((0, side) for side in low.shape[1:]) or found.guide != ((0, height), (0, width)):
            rows, columns = found.guide
            self.notes.append(
                f"{kind.low[0].upper()}{kind.low[1:]} and {kind.guide} differ in extent: fused their common ground, "
                f"rows {rows[0]} to {rows[1]} and columns {columns[0]} to {columns[1]} of the {kind.guide}'s "
                f"{height}x{width}."
            )
            low.crop(*found.low)
            guide.crop(*found.guide)
        if max(map(abs, found.rest)) > NO_REST:
            self.notes.append(
                f"The grids are {found.rest[0]:.2f} columns and {found.rest[1]:.2f} rows of the {kind.guide} apart, "
                "half a pixel at most: fused as they are."
            )

    def _written(self, given: float | None) -> tuple[np.generic | None, str | None]:
        """Return the fused image's NoData as a sample and as text: that of the image it is like, else the other's.

        `given` is a value for both images that replaces the declared ones.
        """
        texts = [f"{given:.17g}" if given is not None else image.image.nodata for _, image in self.order]
        for (_, image), text in zip(self.order, texts, strict=True):
            sample = None if image.value is None else held(image.value, self.dtype)
            if sample is not None:
                return sample, text
        if self.masked:
            return self.dtype.type(0), "0"
        return None, next((text for text in texts if text is not None), None)

    def _tell(self) -> None:
        for name, image in self.order:
            share = 0.0 if image.value == 0 else zero_border(image.image.array)
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
            found = f"NoData wherever the {self.kind.low} is measured"
            raise DataError(self.guide.path, found, "pixels measured in both")
        share = 1 - count / (self.height * self.width)
        self.notes.append(
            f"NoData in {share:.2%} of the fused pixels, written as {self.nodata_text}: filled with what is measured "
            "beside them for the network, left out of its means and of the preview's range."
        )

    @property
    def tags(self) -> list[tuple]:
        """The GeoTIFF tags of the fused image: the guide's, or without a place those of the low image made finer."""
        placed = any(code in PLACES for code, *_ in self.guide.tags)
        return self.guide.tags if placed else finer_tags(self.low.tags, self.ratio, self.low.path)

    def valid(self, rows: Span, columns: Span) -> np.ndarray:
        """Return (h, w) bool: the pixels of a window that are measured in both images."""
        spans = self._low(rows, columns)
        low = np.kron(self.measured_low.valid(*spans), np.ones((self.ratio, self.ratio), bool))
        cut = (
            slice(span[0] - first * self.ratio, span[1] - first * self.ratio)
            for span, (first, _) in zip((rows, columns), spans, strict=True)
        )
        return low[tuple(cut)] & self.measured_guide.valid(rows, columns)

    def read(self, rows: Span, columns: Span) -> tuple[torch.Tensor, ...]:
        """Return the upsampled image (1, B, h, w) and the guide (1, C, h, w) of a window, in [0, 1].

        The upsampled image is that of the whole scene. If pixels of the window are masked, a third tensor (1, 1, h, w)
        is 0 for these and 1 for the others.
        """
        guide = self.unit(self.measured_guide, rows, columns)
        spans, margin = self._low(rows, columns), self.kind.margin
        low = np.moveaxis(self._around(*spans), 0, -1)
        upsampled = np.moveaxis(self.kind.upsampled(low, self.ratio), -1, 0)
        cut = [
            slice(span[0] - (first - margin) * self.ratio, span[1] - (first - margin) * self.ratio)
            for span, (first, _) in zip((rows, columns), spans, strict=True)
        ]
        base = np.ascontiguousarray(upsampled[:, cut[0], cut[1]], np.float32)
        images = torch.from_numpy(base)[None], torch.from_numpy(guide)[None]
        if self.masked and not (valid := self.valid(rows, columns)).all():
            return *images, torch.from_numpy(valid)[None, None].float()
        return images

    def unit(self, image: MeasuredWindows, rows: Span, columns: Span) -> np.ndarray:
        """Return a window (B, h, w) of `measured_low` or `measured_guide`, as float32 in [0, 1].

        Raises:
            DataError: for values outside the bit depth.
        """
        window = image.read(rows, columns)
        least, most, slack = float(window.min()), float(window.max()), self.kind.slack * image.scale
        if least < -slack or most > image.scale + slack:
            expected = f"0 to {image.scale} ({self.bits_option(image)})"
            raise DataError(image.image.path, f"values from {least:g} to {most:g}", expected)
        return window / np.float32(image.scale)

    def bits_option(self, image: MeasuredWindows) -> str:
        """Return the option that sets the bit depth of `measured_low` or `measured_guide`."""
        return self.kind.guide_bits if image is self.measured_guide else "--bits"

    def _low(self, rows: Span, columns: Span) -> list[Span]:
        """Return the rows and columns of the low image that a window of the guide touches."""
        return [(first // self.ratio, -(-end // self.ratio)) for first, end in (rows, columns)]

    def _around(self, rows: Span, columns: Span) -> np.ndarray:
        """Return a window of the low image with a margin on every side, beyond the scene as `kind.border` says."""
        sides = self.low.shape[1:]
        parts = []
        for top, bottom in _pieces(rows, sides[0], self.kind):
            line = [self.unit(self.measured_low, (top, bottom), span) for span in _pieces(columns, sides[1], self.kind)]
            parts.append(np.concatenate(line, axis=2))
        return np.concatenate(parts, axis=1)


def declared_nodata(image: Windows, given: float | None) -> float | None:
    """Return the NoData value of an image: the given one, else that of its file; None without either.

    Raises:
        DataError: for a text in the file that is not a number.
    """
    return given if given is not None or image.nodata is None else nodata_value(image.nodata, image.path)


def _holds(dtype: np.dtype, scale: int) -> bool:
    """Whether fused digital numbers are of this type: unsigned ones, cut at its end, or signed ones that all fit."""
    return dtype.kind == "u" or (dtype.kind == "i" and scale <= np.iinfo(dtype).max)


def _pieces(span: Span, length: int, kind: SceneKind) -> list[Span]:
    """Return the span with its margin, as pieces within 0..length in order, each as long as it goes on upwards."""
    before, after = max(kind.margin - span[0], 0), max(span[1] + kind.margin - length, 0)
    inside = np.arange(max(span[0] - kind.margin, 0), min(span[1] + kind.margin, length))
    if before or after:  # places outside, counted from an image of the whole length
        every = np.pad(np.arange(length), (before, after), mode=kind.border)
        start = span[0] - kind.margin + before
        inside = every[start : start + span[1] - span[0] + 2 * kind.margin]
    breaks = np.flatnonzero(np.diff(inside) != 1) + 1
    return [(int(piece[0]), int(piece[-1]) + 1) for piece in np.split(inside, breaks)]
