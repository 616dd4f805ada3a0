"""Which axis of an array are its bands."""

from data.errors import DataError

AXES = {"bhw": 0, "hwb": 2}  # as options name the orders


def band_axis(
    shape: tuple[int, ...],
    where: object,
    declared: str | None = None,
    usual: int | None = None,
    likely: int | None = None,
) -> int:
    """The axis of the bands, 0 or 2, of an image of three axes.

    The first or the last axis it is that has at most half as many entries as both others. Where neither or both are so
    short, nothing in the numbers tells the axes apart.

    Args:
        shape: of the array.
        where: the file, for messages.
        declared: "bhw" or "hwb", which decides.
        usual: what decides in doubt: the axis that the file's format or its keys give the bands.
        likely: bands that such data have; an axis of that length, where the other one is not, decides before `usual`.

    Raises:
        DataError: where the shape leaves it open and nothing decides.
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
