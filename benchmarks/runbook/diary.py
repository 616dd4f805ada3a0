"""What a runbook has done, on disk as it goes: a call that was killed is gone on with by the next one."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.weights.atomic import write_whole
from utils.commandline.errors import UsageError

FILE, REPORT = "results.json", "report.md"
SAME = ("device", "small", "data")  # of calls that go on with each other


class Diary:
    """The results of a runbook's steps.

    Args:
        folder: of the runbook; made if it is not there.
        about: hardware, versions, data.

    Attributes:
        results: step -> its result; "state" is "done", "begun", "cut" (goes on) or "failed" (is tried again once).

    Raises:
        UsageError: for the folder of a runbook on other data, and for other files of that name.
    """

    def __init__(self, folder: Path, about: dict) -> None:
        self.folder, self.about = folder, about
        self.results: dict[str, dict] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / FILE).exists():
            try:
                found = json.loads((folder / FILE).read_text(encoding="utf-8"))
                before, self.results = found["about"], dict(found["steps"])
                states = [step["state"] for step in self.results.values()]
            except (ValueError, KeyError, TypeError, AttributeError):
                raise UsageError(f"{folder / FILE}: found another file, expected results of this runbook") from None
            for name in SAME:
                if before.get(name) != about[name]:
                    found = f"a runbook with {name} {before.get(name)}"
                    raise UsageError(f"{folder / FILE}: found {found}, expected {about[name]}, or another --output")
            assert all(isinstance(state, str) for state in states)
        self.write()

    def done(self, name: str) -> bool:
        """Whether a step is not to be run again."""
        step = self.results.get(name, {})
        return step.get("state") == "done" or step.get("failures", 0) > 1

    @contextmanager
    def step(self, name: str) -> Iterator[dict]:
        """The result of a step, to be filled; written at its begin and end, and whenever `write` is called."""
        result = self.results.setdefault(name, {"seconds": 0.0, "failures": 0})
        start, before = time.monotonic(), result["seconds"]
        result["state"] = "begun"
        self.write()
        try:
            yield result
            result["state"] = "done" if result["state"] == "begun" else result["state"]
        except (RuntimeError, OSError, ValueError) as error:  # of one step: the others are worth their time
            result.update(state="failed", why=" ".join(str(error).split())[:300])
        if result["state"] == "failed":
            result["failures"] += 1
        result["seconds"] = before + time.monotonic() - start
        self.write()

    def write(self) -> None:
        """Both files, each complete or not at all."""
        text = json.dumps({"about": self.about, "steps": self.results}, indent=1) + "\n"
        write_whole(self.folder / FILE, text.encode())
        write_whole(self.folder / REPORT, self.report().encode())

    def line(self, name: str) -> str:
        """A step in words."""
        step = self.results[name]
        rest = {k: v for k, v in step.items() if k not in ("state", "seconds", "failures", "rows", "why")}
        words = [f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in rest.items()]
        why = f": {step['why']}" if step["state"] == "failed" else ""
        return ", ".join([f"{step['state']}{why} after {step['seconds']:.0f} s", *words])

    def report(self) -> str:
        """Everything as Markdown."""
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
