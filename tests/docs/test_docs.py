"""The documentation cannot lie: generated pages are fresh, links lead somewhere, commands and snippets run."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from cointrail import config, errors
from cointrail.cli.main import app
from cointrail.cluster.change.rules import RULES as CHANGE_RULES
from cointrail.cluster.forest.extend import RULES
from cointrail.trace.policy import POLICIES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
SHELL = re.compile(r"^```(?:sh|console)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = get_command(app).commands


def commands(group, before=()):
    """Every command by its words, members of groups too."""
    for name, each in group.items():
        yield (*before, name), each
        yield from commands(getattr(each, "commands", {}), (*before, name))


ALL_COMMANDS = dict(commands(COMMANDS))


def load(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Generated pages.


def test_generated_pages_are_fresh():
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_noticed_and_written(tmp_path, monkeypatch, capsys):
    generate = load(DOCS / "generate.py")
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert "store-format.md" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    assert {path.name for path in tmp_path.iterdir()} == set(generate.PAGES)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (DOCS / "reference" / path.name).read_bytes()


def test_every_command_setting_error_and_answer_has_its_place():
    reference = {path.name: path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")}
    for words in ALL_COMMANDS:
        assert f"\n## cointrail {' '.join(words)}\n" in reference["cli.md"]
    for setting in config.SETTINGS:
        assert f"`{setting.variable}`" in reference["settings.md"]
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    for code in codes:
        assert f"| `{code}` |" in reference["errors.md"]
    described = {name.split()[0] for name in load(DOCS / "generate.py").COMMANDS}
    assert set(COMMANDS) - described <= {"config"}, "add the command's answer to docs/generate.py"


def test_every_rule_has_its_page():
    methods = {path.stem for path in (DOCS / "methods").glob("*.md")}
    pages = {
        "same_key": "same-key",
        "cospend": "co-spend",
        "change_vote": "change-vote",
        "lightning": "lightning",
        "coinjoin.listed": "coinjoin-gate",
        "coinjoin.blocksci": "coinjoin-equal-output",
        "coinjoin.generic": "coinjoin-equal-output",
        "coinjoin.stonewall": "stonewall",
    }
    for rule, _ in RULES:
        page = pages.get(rule) or "-".join(rule.split(".")[:2]).rstrip("0123456789")
        assert page in methods, rule
    assert {f"change-{name}" for name in ("software", "amount", "freshness", "spender")} <= methods
    assert set(POLICIES) <= methods
    words = "".join(path.read_text("utf-8") for path in (DOCS / "methods").glob("*.md"))
    for rule in CHANGE_RULES:
        assert rule.id.removeprefix("change.") in words, rule.id


# Links and commands in pages.


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    for match in LINK.finditer(page.read_text("utf-8")):
        target, _, anchor = (match[1] or match[2]).partition("#")
        if target.startswith("https://"):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{named(page)} links to {target}"
        assert path.is_relative_to(ROOT)
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, anchor


def lines_of(text: str) -> list[list[str]]:
    """Every command of cointrail in the shell blocks of a page, in words, on however many lines it stands."""
    found = []
    for block in SHELL.findall(text):
        for line in block.replace("\\\n", "").splitlines():
            match = re.search(r"(?:^|[\s/])cointrail (.*)$", line)
            if match and not line.startswith(("$ export", "#", "  ")) and "Usage:" not in line:
                words = shlex.split(match[1].split(" | ")[0].split(" >")[0], comments=True)
                found.append(words)
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if "reference" not in page.parts], ids=named)
def test_command_lines_in_pages_exist(page):
    for words in lines_of(page.read_text("utf-8")):
        if words[0].startswith("-"):
            continue
        command = tuple(words[:2]) if tuple(words[:2]) in ALL_COMMANDS else tuple(words[:1])
        assert command in ALL_COMMANDS, words
        options = {option for parameter in ALL_COMMANDS[command].params for option in parameter.opts}
        for word in words[1:]:
            if word.startswith("--"):
                assert word.split("=")[0] in options, words


def test_a_command_may_go_on_in_the_next_line():
    block = "```console\n$ cointrail tx \\\n    ab \\\n    --json\ntxid  ab\n$ cointrail status\n```\n"
    assert lines_of(block) == [["tx", "ab", "--json"], ["status"]]


def test_some_command_lines_were_found():
    assert sum(len(lines_of(page.read_text("utf-8"))) for page in PAGES) > 25


# Decisions.


def test_decisions_are_listed_and_have_their_parts():
    index = (DOCS / "README.md").read_text("utf-8")
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text("utf-8")
        assert f"(decisions/{path.name})" in index
        assert text.startswith(f"# {path.name[:4]}: ")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, f"{path.name} lacks {part}"
