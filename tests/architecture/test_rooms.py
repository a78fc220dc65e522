"""ARCHITECTURE.md is kept true: the rooms it names are there, and what they may not touch they do not touch."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "cointrail"
NETWORK = {
    "socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "socketserver", "xmlrpc", "requests", "httpx",
    "aiohttp", "websockets", "zmq",
}  # fmt: skip


def rooms() -> set[str]:
    """Packages and modules directly below cointrail."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    return packages | {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("_")}


def imports(path: Path) -> set[str]:
    """Every module a file names in an import."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_the_picture_shows_every_room():
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    picture = re.search(r"```\n(.*?)```", page, re.DOTALL)[1]
    names = set(re.findall(r"\b[a-z]+\b", picture))
    assert rooms() <= names, rooms() - names


def test_the_contract_places_every_room():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:stack"]["layers"]
    assert set(re.findall(r"\w+", layers)) - {"__main__"} == rooms()


def test_a_room_table_names_real_rooms():
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    table = re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
    assert len(table) >= 7
    assert {name for cell in table for name in re.findall(r"`(\w+)`", cell)} <= rooms()


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_opens_a_network_connection(path):
    assert not {name.split(".")[0] for name in imports(path)} & NETWORK


def test_only_kernels_import_numba():
    users = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if {name.split(".")[0] for name in imports(path)} & {"numba", "llvmlite"}
    }
    assert users == {"kernels"}


def test_the_demo_and_the_docs_use_no_private_names():
    for path in [*(ROOT / "demo").glob("*.py"), *(ROOT / "docs").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cointrail"):
                assert not [alias.name for alias in node.names if alias.name.startswith("_")], path


def test_the_program_supports_what_it_says():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'requires-python = ">=3.11"' in text
    assert sys.version_info >= (3, 11)
