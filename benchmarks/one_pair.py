"""One process of `speed.py --cold`: TASK HEIGHTxWIDTH VARIANT THREADS WEIGHTS; it prints its cost as JSON."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
STATUS = Path("/proc/self/status")  # Linux only


def most_memory() -> float | None:
    """Return the peak memory of this process in MiB (VmHWM); None where it is unknown."""
    lines = STATUS.read_text(encoding="utf-8").splitlines() if STATUS.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def main(task: str, size: str, variant: str, threads: str, weights: str) -> None:
    """Load the network, fuse one pair, and print the cost."""
    import torch  # noqa: PLC0415  the import is part of the measured time
    from networks import image_size, images, network  # noqa: PLC0415

    torch.set_num_threads(int(threads))
    model = network(task, weights or None, "cpu")
    if variant == "plain":
        from plain import PlainDCINN  # noqa: PLC0415

        model = PlainDCINN(model)
    with torch.inference_mode():
        model(*images(task, 1, image_size(size), "cpu"))
    print(json.dumps({"cpu_seconds": time.process_time(), "peak_MB": most_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
