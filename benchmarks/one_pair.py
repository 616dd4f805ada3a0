"""One process of `speed.py --cold`: TASK HEIGHTxWIDTH VARIANT THREADS WEIGHTS; prints what it used as JSON."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
STATUS = Path("/proc/self/status")  # Linux; other systems do not say


def most_memory() -> float | None:
    """MB that this process had in memory at most (VmHWM); None where the system does not say."""
    lines = STATUS.read_text(encoding="utf-8").splitlines() if STATUS.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def main(task: str, size: str, variant: str, threads: str, weights: str) -> None:
    """Fuse one pair."""
    import torch  # noqa: PLC0415  counted in the process's time as a user has it
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
