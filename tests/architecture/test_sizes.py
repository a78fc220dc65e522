"""Small files, small packages, and names that say something (CONTRIBUTING.md)."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "cointrail"
MOST_LINES = 600
MOST_MODULES = 12
BANNED_NAMES = {"util", "utils", "common", "misc", "manager", "helper", "helpers", "core", "shared", "data2"}

# Packages with more modules, and why.
LARGER = {
    "bitcoin": (17, "one module a concept of the protocol"),
    "ingest": (16, "one module a step of the pipeline; resolve and intern are alike to nothing else"),
    "ledger": (13, "one module a part of the store"),
    "service": (20, "one module a question"),
    "service.attribution": (15, "one module a question about tags, and how they come to lie on a snapshot"),
    "service.tracing": (18, "one module a question about flows, and what they share"),
    "simulation.score": (18, "one module a criterion, and what they share"),
    "simulation": (20, "still growing: its parts are to become packages"),
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_no_file_is_long():
    others = [*(ROOT / "demo").glob("*.py"), *(ROOT / "docs").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*modules(), *others]
        if (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_the_demo_is_small():
    """It asks and prints; the economy is the simulator's, the words are case.md's."""
    assert sum(len(path.read_text("utf-8").splitlines()) for path in (ROOT / "demo").glob("*.py")) < 400


def test_no_package_is_large():
    for folder in {path.parent for path in modules()}:
        name = str(folder.relative_to(SOURCE)).replace("/", ".")
        count = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        most, _ = LARGER.get(name, (MOST_MODULES, ""))
        assert count <= most, f"{name} has {count} modules"


def test_exceptions_are_needed():
    for name in sorted(set(LARGER) - {"simulation"}):
        folder = SOURCE.joinpath(*name.split("."))
        assert sum(path.name != "__init__.py" for path in folder.glob("*.py")) > MOST_MODULES, name


def test_names_say_what_is_inside():
    for path in modules():
        parts = {*path.relative_to(SOURCE).parts[:-1], path.stem}
        assert not parts & BANNED_NAMES, path


def test_every_module_says_what_it_is():
    for path in modules():
        tree = ast.parse(path.read_text("utf-8"))
        if tree.body:
            assert ast.get_docstring(tree), path
