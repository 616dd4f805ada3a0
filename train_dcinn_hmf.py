"""Train the DCINN for hyperspectral-multispectral fusion.

    python train_dcinn_hmf.py                                     the embedded sample: shows that it works
    python train_dcinn_hmf.py --data CAVE_DIR --output runs/hmf
    python train_dcinn_hmf.py --data CAVE_DIR --output runs/hmf --resume
    torchrun --nproc_per_node=2 train_dcinn_hmf.py ...            several GPUs, the same batch

The defaults are the released script's; --recipe paper takes the printed numbers. OUTPUT/last.pth and best.pth are read
by `test_dcinn_hmf.py --weights` and `models.load_pretrained`.
"""

from pathlib import Path

from utils.commandline.options import bit_depth, positive
from utils.training import tasks
from utils.training.options import chosen, train_parser, training_script
from utils.training.run import run


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "hmf",
        "Training of DCINN, hyperspectral-multispectral fusion.",
        "folder of CAVE's or Harvard's scenes, or a prepared .h5",
    )
    parser.add_argument("--ratio", type=int, choices=(2, 4, 8, 16), default=4, help="of the resolutions")
    parser.add_argument("--srf", type=Path, help="spectral response, .csv, .npy, .mat (default: Nikon D700)")
    parser.add_argument("--scenes", nargs="+", help="CAVE scenes (default: all but the 11 test scenes)")
    parser.add_argument("--stride", type=positive, help="between patches (default: half a patch)")
    parser.add_argument("--bits", type=bit_depth, help="bit depth of CAVE's band images (default: 16)")
    args = parser.parse_args(argv)
    numbers = chosen(args, "hmf", args.ratio)
    return run("hmf", args, numbers, lambda: tasks.hyperspectral(args, numbers))


if __name__ == "__main__":
    main()
