"""One word a concept: words that the glossary bans do not stand in the source, the documents or the demo."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BANNED = (
    "utils?", "managers?", "data2", "info", "block number", "(?:dirty|clean) (?:coins?|money)", "hackers?",
    "orphan block", "magic", "simply", "just", "obviously", "owned by", "owner is", "belongs to the suspect",
    "criminals?", "guilty",
)  # fmt: skip
PATTERN = re.compile(rf"\b(?:{'|'.join(BANNED)})\b", re.IGNORECASE)

ALLOWED = ("context manager", "network magic", "network by its magic", "magic of a known network")
# Files about block records, in which the magic is the network's.
ABOUT_RECORDS = ("bitcoin/network.py", "ingest/block_files.py", "src/cointrail/simulation/")
# One was found when this test was written and is to be reworded; a file of rules may not hold the others.
KNOWN = {
    ("src/cointrail/simulation/plot/routes.py", "just"),
    ("src/cointrail/profile/risk/file.py", "guilty"),
    ("src/cointrail/profile/risk/file.py", "criminals"),
}


def texts() -> list[Path]:
    folders = [ROOT / "src" / "cointrail", ROOT / "docs", ROOT / "demo"]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".md", ".svg")]
    return sorted([*found, *ROOT.glob("*.md"), ROOT / "CITATION.cff", ROOT / "Makefile", ROOT / "pyproject.toml"])


def banned_in(text: str, name: str) -> list[str]:
    for phrase in ALLOWED:
        text = re.sub(re.escape(phrase), "", text, flags=re.IGNORECASE)
    found = {match[0].lower() for match in PATTERN.finditer(text)}
    if any(place in name for place in ABOUT_RECORDS):
        found.discard("magic")
    return sorted(word for word in found if (name, word) not in KNOWN)


def test_no_banned_words():
    found = {}
    for path in texts():
        name = str(path.relative_to(ROOT))
        if words := banned_in(path.read_text("utf-8"), name):
            found[name] = words
    assert found == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it is simply there", ["simply"]),
        ("A context manager.", []),
        ("the ledger manager", ["manager"]),
        ("network magic", []),
        ("magic", ["magic"]),
        ("the information, just in time", ["just"]),
        ("an orphan block, block number 7", ["block number", "orphan block"]),
        ("dirty coins", ["dirty coins"]),
        ("adjust the data", []),
    ],
)
def test_the_search_finds_what_it_should(text, words):
    assert banned_in(text, "x.py") == words


def test_there_is_something_to_search():
    assert len(texts()) > 80
