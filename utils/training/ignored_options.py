"""Refuses options that have no effect on the given data, instead of ignoring them."""

from utils.commandline.errors import UsageError

from .arguments import TrainingArguments


def refuse(args: TrainingArguments, names: tuple[str, ...], why: str) -> None:
    """Raise UsageError for the first of these options that was given.

    Args:
        args: the options; one that was not given is None.
        names: names of the attributes to check.
        why: end of the message, "for FILE, which holds patches, expected for a scene only".
    """
    for name in names:
        if getattr(args, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')}: found {why}")


def sides_of_patches(args: TrainingArguments, sides: tuple[int, int]) -> int | str:
    """Return the side of a file's patches, 64 or "64x32". Raises UsageError if --patch contradicts it.

    Args:
        args: the options.
        sides: height and width of the patches.
    """
    side = sides[0] if sides[0] == sides[1] else f"{sides[0]}x{sides[1]}"
    if args.patch is not None and args.patch != side:
        raise UsageError(f"--patch: found {args.patch} for {args.data}, whose patches are of {side}, expected none")
    return side
