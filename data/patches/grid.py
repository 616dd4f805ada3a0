"""The grid on which patches lie, and checks of their sides."""

from data.errors import DataError

LEAST_PATCH = 8


def check_sides(where: object, height: int, width: int) -> None:
    """Raise DataError unless patches of these sides need no reflected border: even sides of at least 8 pixels."""
    if height % 2 or width % 2 or min(height, width) < LEAST_PATCH:
        raise DataError(where, f"patches of {height}x{width}", f"even sides of at least {LEAST_PATCH}")


def check_grid(patch: int, stride: int, ratio: int) -> None:
    """Raise ValueError unless patch and stride are whole numbers of low-resolution pixels."""
    if patch % ratio or stride % ratio or min(patch, stride) < ratio:
        raise ValueError(f"found patch {patch} and stride {stride}, expected multiples of the ratio {ratio}")


def starts(length: int, patch: int, stride: int) -> list[int]:
    """Return the first pixel of each patch along a side: every `stride` pixels, plus one patch flush with the end."""
    places = list(range(0, length - patch + 1, stride))
    return places if places[-1] == length - patch else [*places, length - patch]
