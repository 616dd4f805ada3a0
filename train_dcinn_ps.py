"""Train the DCINN for pansharpening.

    python train_dcinn_ps.py                                     the embedded sample: shows that it works
    python train_dcinn_ps.py --data train_wv3.h5 --output runs/ps
    python train_dcinn_ps.py --data train_wv3.h5 --output runs/ps --resume
    torchrun --nproc_per_node=2 train_dcinn_ps.py ...            several GPUs, the same batch

The defaults are the released script's; --recipe paper takes the printed numbers. OUTPUT/last.pth and best.pth are read
by `test_dcinn_ps.py --weights` and `models.load_pretrained`.
"""

from pathlib import Path

from utils.commandline.options import SENSOR_HELP, bit_depth, positive, sensor, span
from utils.training import tasks
from utils.training.options import chosen, train_parser, training_script
from utils.training.run import run


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "ps",
        "Training of DCINN, pansharpening.",
        "PanCollection's training .h5, or a .mat scene, reduced by Wald's protocol",
    )
    parser.add_argument("--val", type=Path, help="a validation .h5 (default: held back patches, else training patches)")
    parser.add_argument("--sensor", type=sensor, help=f"{SENSOR_HELP} (default: the file's own)")
    parser.add_argument("--bits", type=bit_depth, help="of the digital numbers (default: the file's own, else 11)")
    parser.add_argument("--rows", type=span, help="FIRST:END, only these rows of the ms: train on a part of a scene")
    parser.add_argument("--stride", type=positive, help="between patches of a scene (default: half a patch)")
    args = parser.parse_args(argv)
    numbers = chosen(args, "ps")
    return run("ps", args, numbers, lambda: tasks.pansharpening(args, numbers))


if __name__ == "__main__":
    main()
