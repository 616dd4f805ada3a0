"""The command `python -m utils.export WEIGHTS FILE`: a network as ONNX (.onnx) or PyTorch's ExportedProgram (.pt2)."""

from dataclasses import replace
from pathlib import Path

from data.files.atomic import whole_file
from data.simulate import spectral_response
from models import DCINN, CheckpointError, load_pretrained
from models.config import TASKS
from models.decomposition import BASE_RULES
from models.export import (
    INPUTS,
    ExportError,
    difference,
    onnx_package,
    open_onnx,
    open_program,
    to_onnx,
    to_program,
)
from models.weights.files import open_weights

from .commandline.errors import UsageError, single_line_errors
from .commandline.parser import Parser, positive
from .commandline.srf_option import read_srf
from .commandline.terminal import say

PROGRAM = "python -m utils.export"
SUFFIXES = (".onnx", ".pt2")


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(prog=PROGRAM, description="Export a network for deployment.", allow_abbrev=False)
    made.add_argument("weights", help="a name in pretrained/, our file, or the authors' file")
    made.add_argument("file", type=Path, help="the file to write: .onnx, or .pt2 for torch.export.load")
    made.add_argument("--task", choices=TASKS, help="refuse weights of another task")
    made.add_argument("--bands", type=positive, help="refuse weights of another number of bands")
    made.add_argument(
        "--base-rule", choices=BASE_RULES, help="ivf: base rule (default: the file's; the authors' files have none)"
    )
    made.add_argument("--srf", type=Path, help="hmf: spectral response, for the authors' files (default: Nikon D700)")
    made.add_argument("--terms", type=positive, help="terms of the convolution exponential (default: the network's)")
    return made


def run(argv: list[str] | None = None) -> float | None:
    """Parse the options, export the network, check and write it.

    Returns:
        The largest difference from PyTorch, see `models.export.difference`; None if it was not checked, because
        onnxruntime is not installed.
    """
    args = parser().parse_args(argv)
    kind = args.file.suffix
    if kind not in SUFFIXES:
        raise UsageError(f"{args.file}: found the suffix '{kind}', expected {' or '.join(SUFFIXES)}")
    if args.file.exists():
        raise UsageError(f"{args.file}: found a file or folder, expected a new file")
    if not args.file.parent.is_dir():
        raise UsageError(f"{args.file.parent}: found no such folder, expected one for the file")
    if kind == ".onnx":
        onnx_package()
    model = network(args.weights, args.task, args.base_rule, args.srf, args.terms)
    config = model.config
    if args.bands not in (None, config.bands):
        raise UsageError(f"{args.weights}: found a network of {config.bands} bands, expected {args.bands} (--bands)")
    content = (to_onnx if kind == ".onnx" else to_program)(model)
    try:
        fuse = (open_onnx if kind == ".onnx" else open_program)(content)
    except ImportError:
        found, checked = None, "not checked: onnxruntime is not installed"
    else:
        found = difference(model, fuse)
        checked = f"differs from PyTorch by {found:.1e} of the largest value at most"
    with whole_file(args.file) as file:
        file.write_bytes(content)
    inputs = ", ".join(INPUTS[config.task])
    say(f"{args.file}: {config.task}, {inputs} -> fused, any size, {len(content) / 2**20:.1f} MiB; {checked}")
    return found


def network(weights: str, task: str | None, base_rule: str | None, srf: Path | None, terms: int | None) -> DCINN:
    """Return the network to export, in evaluation mode.

    Args:
        weights: a file, or a name in pretrained/.
        task: the required task; None is any.
        base_rule: see `load_pretrained`.
        srf: file of a spectral response, see `read_srf`. By default, the authors' hmf files get that of the Nikon D700.
        terms: number of terms of the convolution exponential; also turns off `DCINN.exact`. None keeps both.

    Raises:
        CheckpointError: for weights that are missing or of another task, whose response does not fit, or of the
            authors' ivf without a base rule.
        UsageError: for `base_rule` or `srf` with another task, and an invalid number of terms.
        DataError, UsageError: for a file `srf` that `read_srf` refuses.
    """
    given = {"base_rule": base_rule, "srf": read_srf(srf) if srf else None}
    file = open_weights(weights)
    if srf is None and not file.ours:
        given["srf"] = spectral_response()
    model = load_pretrained(file, task=task, **given)
    for option, value, of in (("--base-rule", base_rule, "ivf"), ("--srf", srf, "hmf")):
        if value is not None and model.config.task != of:
            raise UsageError(f"{option}: found for a network of {model.config.task}, expected for {of} only")
    if terms is None:
        return model
    try:
        fixed = DCINN(replace(model.config, terms=terms, exact=False))
    except ValueError as error:
        raise UsageError(f"--terms: {error}") from None
    fixed.load_state_dict(model.state_dict())
    return fixed.eval()


main = single_line_errors(run, (CheckpointError, ExportError), PROGRAM, advice="export on a machine with more")

if __name__ == "__main__":
    main()
