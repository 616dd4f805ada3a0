"""Finds the axis of the bands in an array."""

from data.errors import DataError

AXES = {"bhw": 0, "hwb": 2}  # values of --axes -> axis of the bands


def band_axis(
    shape: tuple[int, ...],
    where: object,
    declared: str | None = None,
    usual: int | None = None,
    likely: int | None = None,
) -> int:
    """Return the axis of the bands, 0 or 2, of an image with three axes.

    Of the first and the last axis, it is the one with at most half as many entries as each of the other two axes. If
    neither is that short, `likely` decides, and then `usual`.

    Args:
        shape: shape of the array.
        where: the file, for messages.
        declared: "bhw" or "hwb"; it overrides everything else.
        usual: the axis that the file format usually has for the bands.
        likely: usual number of bands of such data; it decides if exactly one of the two axes has this length.

    Raises:
        DataError: if neither the shape nor an argument decides.
    """
    if declared is not None:
        return AXES[declared]
    short = [axis for axis in (0, 2) if 2 * shape[axis] <= min(shape[other] for other in range(3) if other != axis)]
    if len(short) == 1:
        return short[0]
    as_likely = [axis for axis in (0, 2) if shape[axis] == likely]
    if len(as_likely) == 1:
        return as_likely[0]
    if usual is None:
        found = f"an array of shape {tuple(shape)}, whose bands may be the first or the last axis"
        raise DataError(where, found, "--axes bhw or --axes hwb")
    return usual
