"""Who may import whom: every folder has its rule, and no circle is closed."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("models", "metrics", "data", "utils", "benchmarks", "tests")
BELOW_UTILS = ("models", "metrics", "data")
PROCESSES = ("utils.distributed", "utils.processes")
RULES = {  # folder or module -> what it may import of the project, beside itself; the longest name counts
    "models": (),
    "models.fast": (),
    "models.peers": ("models.inputs",),
    "models.export": ("models",),
    "models.weights": ("models",),
    "metrics": (),
    "metrics.__main__": ("utils.commandline", "utils.evaluation.score"),
    "data": ("metrics.filters", "metrics.outside_text", "metrics.sensors"),
    "data.files": ("data.errors",),
    "data.__main__": ("utils.commandline", "utils.prepare"),
    "utils": (),
    "utils.commandline": BELOW_UTILS,
    "utils.output": (*BELOW_UTILS, "utils.commandline"),
    "utils.distributed": ("utils.commandline",),
    "utils.processes": ("utils.commandline", "utils.distributed"),
    "utils.tiling": (*BELOW_UTILS, "utils.distributed"),
    "utils.prepare": (*BELOW_UTILS, "utils.commandline"),
    "utils.export": (*BELOW_UTILS, "utils.commandline"),
    "utils.evaluation": (*BELOW_UTILS, "utils.commandline", "utils.output", *PROCESSES, "utils.tiling"),
    "utils.page": (*BELOW_UTILS, "utils.commandline", "utils.output", "utils.evaluation"),
    "utils.training": (*BELOW_UTILS, "utils.commandline", "utils.output", "utils.distributed"),
    "demo": ("utils.evaluation.parser", "utils.page.server"),
    "test_": (*BELOW_UTILS, "utils.commandline", "utils.evaluation"),
    "train_": (*BELOW_UTILS, "utils.commandline", "utils.training"),
    "hubconf": (),
}
BARE = {p.stem for place in ("benchmarks", "benchmarks/publish", "tests/helpers") for p in (ROOT / place).glob("*.py")}
ABOVE_NETWORKS = ("models.weights", "models.export")  # which the networks' own files do not import
FREE = ("benchmarks", "tests")  # use everything, and nothing but each other uses them


def modules():
    """Name -> file of every module and script."""
    files = [*ROOT.glob("*.py"), *(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py"))]
    named = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in files}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imported(name, path, known):
    """The modules of the project that a file imports, wherever the statement stands."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update(f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found.update(str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))
    return {target for target in found if target.partition(".")[0] in (*FOLDERS, *BARE) or target in known}


@pytest.fixture(scope="module")
def graph():
    known = modules()
    return {name: imported(name, path, known) for name, path in known.items()}


def allowed(name, target):
    if name.partition(".")[0] in FREE:
        return True
    if name.startswith("models.") and not name.startswith(ABOVE_NETWORKS) and target.startswith(ABOVE_NETWORKS):
        return False
    if name == "utils" and target != "utils":
        return False
    rule = max((r for r in RULES if name == r or name.startswith(r if r.endswith("_") else f"{r}.")), key=len)
    return any(target == place or target.startswith(f"{place}.") for place in (rule, *RULES[rule]))


def test_every_folder_keeps_its_rule(graph):
    broken = [f"{name} imports {target}" for name, found in graph.items() for target in found]
    broken = [line for line in broken if not allowed(*line.split(" imports "))]
    assert not broken, "\n".join(broken)


def test_no_circle(graph):
    inner = {name: {t for t in found if t in graph and t != name} for name, found in graph.items()}
    tuple(TopologicalSorter(inner).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("folder", ["models", "metrics"])
def test_what_is_installed_imports_by_relative_names(folder):
    """So that it works as `dcinn`, too; metrics/__main__.py is a command of the checkout."""
    for path in (ROOT / folder).rglob("*.py"):
        if path != ROOT / "metrics/__main__.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                assert not {name.partition(".")[0] for name in names} & set(FOLDERS), f"{path}: {names}"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("models.layers", "data.errors"),
        ("models.fast.strips", "models.layers"),
        ("metrics.fusion", "data.simulate"),
        ("data.harvard", "metrics.table"),
        ("data.harvard", "utils.output.images"),
        ("utils.training.engine", "utils.evaluation.score"),
        ("utils.evaluation.score", "utils.training.engine"),
        ("train_dcinn_ps", "utils.evaluation.score"),
        ("utils.evaluation.evaluation", "utils.page.handlers"),
        ("utils.page.pairs", "utils.training.engine"),
        ("utils.output.images", "tests.conftest"),
        ("utils.tiling", "plain"),
        ("models.layers", "models.weights.atomic"),
        ("utils", "utils.training.engine"),
    ],
)
def test_the_rules_forbid(name, target):
    assert not allowed(name, target)
