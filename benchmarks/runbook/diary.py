"""Keeps the results of gpu.py's steps on disk, so that a further call can continue one that was killed."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.weights.atomic import write_whole
from utils.commandline.errors import UsageError

FILE, REPORT = "results.json", "report.md"
SAME = ("device", "small", "data")  # entries of `about` that all calls on one folder have in common


class Diary:
    """The results of gpu.py's steps, in results.json and report.md.

    Args:
        folder: folder of the results, created if it does not exist; earlier results in it are continued.
        about: description of the call: hardware, device, torch, small, data.

    Attributes:
        results: step -> its result, a dictionary. Its "state" is "begun", "done", "cut" (the next call continues it) or
            "failed" (the next call tries it again, once).

    Raises:
        UsageError: for a folder with results of another device or other data, and for a foreign results.json.
    """

    def __init__(self, folder: Path, about: dict) -> None:
        self.folder, self.about = folder, about
        self.results: dict[str, dict] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / FILE).exists():
            try:
                found = json.loads((folder / FILE).read_text(encoding="utf-8"))
                before, self.results = found["about"], dict(found["steps"])
                other = next((name for name in SAME if before[name] != about[name]), None)
                self.report()  # needs every entry of a step
                if not all(isinstance(step["state"], str) for step in self.results.values()):
                    raise TypeError
            except (ValueError, KeyError, TypeError, AttributeError):
                raise UsageError(f"{folder / FILE}: found another file, expected results of this runbook") from None
            if other:
                words = f"found a runbook with {other} {before[other]}, expected {about[other]}"
                raise UsageError(f"{folder / FILE}: {words}, or another --output")
        self.write()

    def done(self, name: str) -> bool:
        """Whether a step is finished: it is done, or has failed twice."""
        step = self.results.get(name, {})
        return step.get("state") == "done" or step.get("failures", 0) > 1

    @contextmanager
    def step(self, name: str) -> Iterator[dict]:
        """Give the result of a step to the block, which fills it; both files are written before and after the block.

        A RuntimeError, OSError or ValueError of the block becomes the state "failed".
        """
        result = self.results.setdefault(name, {"seconds": 0.0, "failures": 0})
        start, before = time.monotonic(), result["seconds"]
        result["state"] = "begun"
        self.write()
        try:
            yield result
            result["state"] = "done" if result["state"] == "begun" else result["state"]
        except (RuntimeError, OSError, ValueError) as error:  # the other steps can still run
            result.update(state="failed", why=" ".join(str(error).split())[:300])
        if result["state"] == "failed":
            result["failures"] += 1
        result["seconds"] = before + time.monotonic() - start
        self.write()

    def write(self) -> None:
        """Write both files atomically."""
        text = json.dumps({"about": self.about, "steps": self.results}, indent=1) + "\n"
        write_whole(self.folder / FILE, text.encode())
        write_whole(self.folder / REPORT, self.report().encode())

    def line(self, name: str) -> str:
        """Return one line on a step: its state, its seconds, and the entries of its result except the rows."""
        step = self.results[name]
        rest = {k: v for k, v in step.items() if k not in ("state", "seconds", "failures", "rows", "why")}
        words = [f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in rest.items()]
        why = f": {step['why']}" if step["state"] == "failed" else ""
        return ", ".join([f"{step['state']}{why} after {step['seconds']:.0f} s", *words])

    def report(self) -> str:
        """Return the text of report.md: hardware, and line and rows of every step."""
        a = self.about
        lines = [
            f"# {a['hardware']}",
            "",
            f"PyTorch {a['torch']}, {a['device']}{', in miniature' if a['small'] else ''}",
        ]
        for name, step in self.results.items():
            lines += ["", f"## {name}", "", self.line(name)]
            rows = step.get("rows")
            if rows:
                titles = list(dict.fromkeys(key for row in rows for key in row))
                lines += ["", f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
                lines += [f"| {' | '.join(_cell(row.get(title)) for title in titles)} |" for row in rows]
        return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "/")
