"""Train the DCINN for infrared-visible fusion, TNO model.

    python train_dcinn_ivf_tno.py                                     the embedded sample: shows that it works
    python train_dcinn_ivf_tno.py --data ROADSCENE_DIR --output runs/ivf_tno
    python train_dcinn_ivf_tno.py --data ROADSCENE_DIR --output runs/ivf_tno --resume
    torchrun --nproc_per_node=2 train_dcinn_ivf_tno.py ...            several GPUs, the same batch

The defaults are the released script's; --recipe paper takes the printed numbers. OUTPUT/last.pth and best.pth are read
by `test_dcinn_ivf_tno.py --weights` and `models.load_pretrained`.
"""

from models.decomposition import BASE_RULES, DETAIL_RULES
from utils.training import tasks
from utils.training.options import chosen, train_parser, training_script
from utils.training.run import run


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "ivf_tno",
        "Training of DCINN, infrared-visible fusion, TNO model.",
        "folder with one subfolder of visible and one of infrared images",
    )
    parser.add_argument("--base-rule", choices=BASE_RULES, help="of the low-passes (default: the recipe's)")
    parser.add_argument("--detail-rule", choices=DETAIL_RULES, default="sum", help="of the high-passes")
    parser.add_argument(
        "--keep-test-pairs", action="store_true", help="train on the 50 RoadScene pairs that CDDFuse tests on, too"
    )
    args = parser.parse_args(argv)
    numbers = chosen(args, "ivf_tno")
    return run("ivf_tno", args, numbers, lambda: tasks.infrared_visible(args, numbers))


if __name__ == "__main__":
    main()
