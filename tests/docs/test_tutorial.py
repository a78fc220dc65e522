"""The tutorial's commands give the tutorial's output.

COINTRAIL_REFRESH=1 pytest tests/docs/test_tutorial.py    writes what they give into the page instead: read the diff.
"""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from vectors import shared_data

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-steps.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)  # it may go on after a backslash
FIRST_RUN = re.compile(r"^first run here: .*\n", re.MULTILINE)  # where nothing was compiled yet
TIMING = re.compile(r"^time +[\d.]+ s \([\d,]+ transactions/s\)$", re.MULTILINE)


class Shell:
    """Runs command lines in one folder; `export` stays for the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("COINTRAIL_")}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(self, line: str) -> str:
        """What a terminal shows: the answer, then the words on stderr."""
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout + FIRST_RUN.sub("", done.stderr)


def rerun(shell: Shell, block: str) -> str:
    """A console block with fresh output."""
    return "".join(f"$ {line}\n{shell.run(line)}" for line in COMMAND.findall(block))


def test_the_tutorial_shows_what_its_commands_give(tmp_path):
    archive = shared_data() / "blocks" / "mainnet-0-599" / "mainnet600_xor.datadir.tar.gz"
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "node", filter="data")
    text, shell = PAGE.read_text("utf-8"), Shell(tmp_path)
    fresh = BLOCK.sub(lambda match: rerun(shell, match[0]), text)
    if os.environ.get("COINTRAIL_REFRESH"):
        PAGE.write_text(fresh, "utf-8")
        pytest.skip("page rewritten")
    assert TIMING.sub("time", fresh) == TIMING.sub("time", text)
    assert fresh.count("\n$ cointrail ") >= 10
