"""`make demo`: the case of case.md, followed in a simulated world with the real command line. Offline, no node.

python demo/run.py --workdir .demo
python demo/run.py --page docs/tutorial/bazaar.md    also writes what it gives as a page
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

from leads import Leads

from truth import solution

WIDTH = 117
MARK = ".cointrail-demo"
MADE = {"world": "world", "ledger": "ledger", "actors": "tags.csv", "proof": "proof.json", "overlay": "overlay.json"}
CASE = Path(__file__).resolve().parent / "case.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)\n```", re.DOTALL)
HINT = re.compile(r"  # (lines|until|only) (.*)$")
REASON = re.compile(r" +\d+\. ")
short = partial(re.compile(r"\b([0-9a-f]{6})[0-9a-f]{52}([0-9a-f]{6})\b").sub, r"\1…\2")
NOTE = "<!-- Written by demo/run.py from demo/case.md. Do not edit: change the source and run `make docs`. -->"
TO_READERS = """`make demo` plays this case in half a minute, and in a little more than one the first time, when it
is compiled. To type it yourself, start in an empty folder with `cointrail` on the path
([install](../../README.md#install)): every id and amount will be the same, because a seed gives the same bytes
anywhere. Yours will be the durations, the times in the overlay, and so its digest. The demo's script writes
`tags.csv`; copy it from here. For the commands on real blocks, slowly, see [first steps](first-steps.md)."""


class Names(dict[str, Any]):
    """What stands for `{name}` in the case. All but the paths is found once there is a ledger; tags.csv then, too."""

    def __missing__(self, name: str) -> Any:
        if "paid" in self:
            raise KeyError(name)
        leads = Leads(Path(self["world"]), Path(self["ledger"]))
        rows = [f"{address},{actor}" for address, actor in leads.tagged.items()]
        Path(self["actors"]).write_text("\n".join(["address,actor", *rows, ""]), encoding="utf-8")
        self.update(leads.names() | solution(Path(self["world"]), leads))
        return self[name]


class Play:
    """Plays the case: prints it, and keeps it as Markdown."""

    def __init__(self, shown: Path) -> None:
        self.names = Names({name: str(shown / path) for name, path in MADE.items()})
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("COINTRAIL_")}
        self.environment["PYTHONIOENCODING"] = "utf-8"
        self.parts, self.steps = [NOTE], 0

    def all(self) -> None:
        """Play every part in turn."""
        for part in re.split(r"\n\n(?!\$)", CASE.read_text("utf-8").strip()):
            if part.startswith("# "):
                self.keep(part, part[2:] + "\n" + "=" * (len(part) - 2))
            elif part.startswith("## "):
                part, self.steps = part.format_map(self.names), self.steps + 1
                title = f"{self.steps}. {part[3:]}"
                self.keep(part, title + "\n" + "-" * len(title))
            elif match := BLOCK.fullmatch(part):
                lines = match[2].splitlines()
                shown = "\n".join(self.run(line) if line.startswith("$") else self.format(line) for line in lines)
                self.keep(f"```{match[1]}\n{shown}\n```", "\n".join(f"  {line}".rstrip() for line in shown.split("\n")))
            else:
                items = re.split(r"\n(?=- )", self.format(part))
                text = "\n".join(
                    fill(" ".join(item.split()), WIDTH, subsequent_indent="  " * item.startswith("- "),
                         break_long_words=False, break_on_hyphens=False) for item in items
                )  # fmt: skip
                self.keep(text, text)

    def format(self, text: str) -> str:
        """A text with names filled in."""
        return text.format_map(self.names)

    def keep(self, markdown: str, text: str) -> None:
        """Print a part and keep it for the page."""
        self.parts.append(markdown)
        print(text, flush=True, end="\n\n")

    def run(self, line: str) -> str:
        """Run one command line; gives it and its answer, shortened as the case says."""
        hint = HINT.search(line)
        line = self.format(HINT.sub("", line)).removeprefix("$ ")
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environment[name] = value
            return f"$ {line}"
        program = [sys.executable, "-P", "-m", "cointrail"] if words[0] == "cointrail" else words[:1]
        done = subprocess.run(
            [*program, *words[1:]], env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode not in (0, 5 if "score" in words else 0):
            sys.exit(f"{done.stderr}demo: `{line}` ended with exit code {done.returncode}")
        lines = self.shorten(done.stdout.splitlines(), *(hint.groups() if hint else ("", "")))
        lines += done.stderr.splitlines() + [f"(exit code {done.returncode})"] * bool(done.returncode)
        return "\n".join([f"$ {line}", *map(self.clean, lines)])

    def shorten(self, lines: list[str], how: str, what: str) -> list[str]:
        """The lines that are shown."""
        if how == "until":
            return [line[: lines[0].index(what)].rstrip() for line in lines]
        only = re.compile(self.format(what)) if how == "only" else re.compile("")
        kept = [line for line in lines if only.search(line)][: int(what) if how == "lines" else None]
        left = len(lines) - len(kept)
        return [*kept, f"… {left:,} more lines"] if left else kept

    def clean(self, line: str) -> str:
        """A line of an answer: ids shortened, cut at the margin, tagged addresses marked."""
        tags = [f"  <- {self.names['tags'][word]}" for word in line.split() if word in self.names.get("tags", ())]
        if REASON.match(line):
            return fill(line, WIDTH, subsequent_indent="     ", break_on_hyphens=False)
        line = line if line.startswith("digest ") else short(line.replace("txid" + " " * 60, "txid" + " " * 9))
        most = WIDTH - len("".join(tags))
        return (line if len(line) <= most else line[: most - 2] + " …") + "".join(tags)

    def page(self) -> str:
        """The case as Markdown, with folders as a reader names them."""
        text = "\n\n".join([*self.parts[:3], fill(" ".join(TO_READERS.split()), WIDTH), *self.parts[3:]]) + "\n"
        for name, path in MADE.items():
            text = text.replace(self.names[name], path)
        return text


def main() -> None:
    """Make room, play, and say how to go on."""
    parser = argparse.ArgumentParser(description="Follow an invented market's money, offline.")
    parser.add_argument("--workdir", type=Path, default=Path(".demo"), help="folder for the world and its ledger")
    parser.add_argument("--page", type=Path, help="also write the case as a Markdown page")
    arguments = parser.parse_args()
    workdir, began = arguments.workdir.expanduser().resolve(), time.perf_counter()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    _prepare(workdir)
    play = Play(workdir.relative_to(Path.cwd()) if workdir.is_relative_to(Path.cwd()) else workdir)
    play.all()
    if arguments.page:
        arguments.page.write_text(play.page(), encoding="utf-8")
    print(f"Done in {time.perf_counter() - began:.1f} s. Go on yourself, with the environment's cointrail:\n")
    print(play.format("  export COINTRAIL_LEDGER={ledger}\n  cointrail trace {onward} --hops 3\n"
                      "  cointrail cluster {deposit}\n\nThis case as a page: docs/tutorial/bazaar.md."))  # fmt: skip


def _prepare(workdir: Path) -> None:
    """Make room, but empty only a folder that an earlier demo made."""
    if workdir.exists() and (not workdir.is_dir() or (any(workdir.iterdir()) and not (workdir / MARK).exists())):
        sys.exit(f"demo: {workdir} was not made by the demo; give another --workdir")
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / MARK).touch()
    for name in ("world.partial", *MADE.values()):
        shutil.rmtree(workdir / name, ignore_errors=True)
        if (workdir / name).is_file():
            (workdir / name).unlink()


if __name__ == "__main__":
    main()
