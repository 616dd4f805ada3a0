"""Random crops of single images for self-supervised training: photographs of a folder, or both images of pairs.

Crops and colour changes are torchvision's RandomResizedCrop and ColorJitter, with the sample's own random numbers.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data.files.image_file import list_images, read_raster, to_rgb, to_unit
from data.infrared_visible import PairedImages

from .masked_views import soft_views, two_views

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
JITTER = (0.1, 1.0)


class FolderImages:
    """The photographs of a folder and its subfolders; items are (name, PIL image in RGB or gray, 8 bits).

    Attributes:
        files: their paths.
        remarks: notes on what was skipped.

    Raises:
        DataError: when created, if there are none; on access, for files that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.files, self.remarks = list_images(folder, deep=True)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[str, Image.Image]:
        raw = read_raster(self.files[index])
        colour = to_rgb(raw)
        unit, _ = to_unit(raw if raw.ndim == 2 else raw[..., 0] if colour is None else colour, self.files[index])
        return self.files[index].stem, _picture(unit)


class PairImages:
    """Both images of every pair, visible before infrared, as separate items; items as in `FolderImages`."""

    def __init__(self, pairs: PairedImages | Sequence[dict]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return 2 * len(self.pairs)

    def __getitem__(self, index: int) -> tuple[str, Image.Image]:
        pair, kind = self.pairs[index // 2], ("visible", "infrared")[index % 2]
        coloured = pair["colour"] is not None and pair["coloured"] == kind
        image = np.moveaxis(pair["colour"], 0, -1) if coloured else pair[kind][0]
        return f"{pair['name']}, {kind}", _picture(image)


class _Crops:
    """Square crops of images, one per image.

    Args:
        images: the images to crop.
        side: side of a crop in pixels.
    """

    def __init__(self, images: FolderImages | PairImages, side: int) -> None:
        self.images, self.side = images, side

    def __len__(self) -> int:
        return len(self.images)


class GrayCrops(_Crops):
    """Random resized crops in gray, on which AUIF-Net is trained.

    Samples hold `name` and `image` (1, side, side) float32 in [0, 1].

    Args:
        images: the images to crop.
        side: side of a crop in pixels.
    """

    def sample(self, index: int, rng: np.random.Generator) -> dict:
        """Return a crop of image `index`."""
        name, picture = self.images[index]
        crop = _crop(picture, self.side, rng).convert("L")
        return {"name": name, "image": np.asarray(crop, np.float32)[None] / np.float32(255)}


class Views(_Crops):
    """Two views of a random crop, on which DeFusion++ is trained; see `masked_views`.

    Samples hold `name`, and as float32 in [0, 1] `view1`, `view2` and `image` (3, side, side), `mask1` and `mask2` (1,
    side, side).

    Args:
        images: the images to crop.
        side: side of a crop in pixels.
        whole: fraction of samples whose views hide nothing.
        soft: fraction of samples from `masked_views.soft_views`; all others come from `two_views` and get random colour
            changes. The two fractions are ours, they are zero in the authors' code.
    """

    def __init__(self, images: FolderImages | PairImages, side: int, whole: float = 0.0, soft: float = 0.0) -> None:
        super().__init__(images, side)
        self.whole, self.soft = whole, soft

    def sample(self, index: int, rng: np.random.Generator) -> dict:
        """Return the views of image `index`."""
        name, picture = self.images[index]
        kind = rng.random() if self.whole + self.soft > 0 else 1.0
        whole, soft = kind < self.whole, self.whole <= kind < self.whole + self.soft
        crop = _crop(picture, self.side, rng, jitter=not whole and not soft).convert("RGB")
        image = np.moveaxis(np.asarray(crop, np.float32), -1, 0) / np.float32(255)
        if whole:
            view1 = view2 = image
            mask1 = mask2 = np.ones_like(image[:1])
        else:
            view1, view2, mask1, mask2 = (soft_views if soft else two_views)(image, rng)
        return {"name": name, "view1": view1, "view2": view2, "mask1": mask1, "mask2": mask2, "image": image}


class ViewsAndPairs(Views):
    """Views of an image, and one crop of both images of a pair, on which DeFusion++'s second stage is trained.

    Samples hold the arrays of `Views`, and `base_image` and `guide` (3, side, side): the visible and the infrared
    image, gray in three equal channels.

    Args:
        images, side, whole, soft: see `Views`.
        pairs: the pairs, of which each sample draws one at random.
    """

    def __init__(
        self,
        images: FolderImages | PairImages,
        side: int,
        pairs: PairedImages | Sequence[dict],
        whole: float = 0.0,
        soft: float = 0.0,
    ) -> None:
        super().__init__(images, side, whole, soft)
        self.pairs = pairs

    def sample(self, index: int, rng: np.random.Generator) -> dict:
        """Return the views of image `index`, and a crop of a random pair."""
        sample = super().sample(index, rng)
        pair, seed = self.pairs[int(rng.integers(len(self.pairs)))], int(rng.integers(2**63))
        for role, kind in (("base_image", "visible"), ("guide", "infrared")):
            crop = _crop(_picture(pair[kind][0]), self.side, np.random.default_rng(seed)).convert("RGB")
            sample[role] = np.moveaxis(np.asarray(crop, np.float32), -1, 0) / np.float32(255)
        return sample


def _picture(unit: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(unit * 255).astype(np.uint8))


def _crop(picture: Image.Image, side: int, rng: np.random.Generator, jitter: bool = False) -> Image.Image:
    from torchvision import transforms  # noqa: PLC0415  slow to import

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        picture = transforms.ColorJitter(JITTER, JITTER, JITTER)(picture.convert("RGB")) if jitter else picture
        top, left, height, width = transforms.RandomResizedCrop.get_params(picture, list(SCALE), list(RATIO))
        return transforms.functional.resized_crop(picture, top, left, height, width, [side, side])
