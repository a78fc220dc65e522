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
from textwrap import fill, indent
from typing import Any

from leads import Leads

from truth import solution

WIDTH = 117
MARK = ".cointrail-demo"
MADE = {
    "world": "world", "ledger": "ledger", "actors": "tags.csv", "proof": "proof.json", "overlay": "overlay.json",
    "home": "home",
}  # fmt: skip
CASE = Path(__file__).resolve().parent / "case.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)\n```", re.DOTALL)
HINT = re.compile(r"  # (lines|until|only) (.*)$")
GLUED = re.compile(r'"[^"]*"|--\S+ (?=[^-])')  # what a command keeps on one line: quotes, an option with its value
HANG = re.compile(r" *\d+\. |\w+(?: \w+)?  +|")  # a number or a name, beside which the words of its line stand
short = partial(re.compile(r"\b([0-9a-f]{6})[0-9a-f]{52}([0-9a-f]{6})\b").sub, r"\1…\2")
fold = partial(fill, width=WIDTH, break_long_words=False, break_on_hyphens=False)
NOTE = "<!-- Written by demo/run.py from demo/case.md. Do not edit: change the source and run `make docs`. -->"
TO_READERS = """`make demo` plays this case in some thirty seconds, and in less than two minutes the first time,
when it is compiled. To type it yourself, start in an empty folder with `cointrail` on the path
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
                shown = "\n".join(self.run(each) if each[:1] == "$" else each.format_map(self.names) for each in lines)
                self.keep(f"```{match[1]}\n{shown}\n```", indent("\n".join(map(fitted, shown.split("\n"))), "  "))
            else:
                items = [" ".join(each.split()) for each in re.split(r"\n(?=- )", part.format_map(self.names))]
                text = "\n".join(fold(each, subsequent_indent="  " * each.startswith("- ")) for each in items)
                self.keep(text, text)

    def keep(self, markdown: str, text: str) -> None:
        """Print a part and keep it for the page."""
        self.parts.append(markdown)
        print(text, flush=True, end="\n\n")

    def run(self, line: str) -> str:
        """Run one command line; gives it and its answer, shortened as the case says."""
        hint = HINT.search(line)
        line = HINT.sub("", line).format_map(self.names).removeprefix("$ ")
        words = shlex.split(line)
        if words[0] == "export":
            self.environment.update([words[1].split("=", 1)])
            return f"$ {line}"
        program = [sys.executable, "-P", "-m", "cointrail"] if words[0] == "cointrail" else words[:1]
        done = subprocess.run([*program, *words[1:]], env=self.environment, capture_output=True, encoding="utf-8")
        if done.returncode not in (0, 5 if "score" in words else 0):
            sys.exit(f"{done.stderr}demo: `{line}` ended with exit code {done.returncode}")
        lines = self.shorten(done.stdout.splitlines(), *(hint.groups() if hint else ("", "")))
        lines += done.stderr.splitlines() + [f"(exit code {done.returncode})"] * bool(done.returncode)
        return "\n".join([f"$ {line}", *map(self.clean, lines)])

    def shorten(self, lines: list[str], how: str, what: str) -> list[str]:
        """The lines that are shown."""
        if how == "until":
            return [line[: lines[0].index(what)].rstrip() for line in lines]
        only = re.compile(what.format_map(self.names)) if how == "only" else re.compile("")
        kept = [line for line in lines if only.search(line)][: int(what) if how == "lines" else None]
        left = len(lines) - len(kept)
        return [*kept, f"… {left:,} more lines"] if left else kept

    def clean(self, line: str) -> str:
        """A line of an answer: ids shortened, tagged addresses marked."""
        tags = [f"  <- {self.names['tags'][word]}" for word in line.split() if word in self.names.get("tags", ())]
        line = line if line.startswith("digest ") else short(line.replace("txid" + " " * 60, "txid" + " " * 9))
        return line + "".join(tags)

    def page(self) -> str:
        """The case as Markdown, with folders as a reader names them."""
        text = "\n\n".join([*self.parts[:3], fold(" ".join(TO_READERS.split())), *self.parts[3:]]) + "\n"
        for name, path in MADE.items():
            text = text.replace(self.names[name], path)
        return "\n".join(map(fitted, text.split("\n")))


def fitted(line: str) -> str:
    """A line within the margin: a command goes on after a backslash, words are wrapped, a row of a table is cut."""
    if line.startswith("$ "):
        glued = GLUED.sub(lambda match: match[0].replace(" ", "\xa0"), line)
        return fold(glued, width=WIDTH - 2, subsequent_indent="    ").replace("\n", " \\\n").replace("\xa0", " ")
    row, arrow, tags = line.partition("  <- ")
    hang = len(HANG.findall(line)[0])
    if len(line) <= WIDTH or "  " not in row[hang:]:
        return fold(line, subsequent_indent=" " * hang)
    return row[: WIDTH - 2 - len(arrow + tags)] + " …" + arrow + tags


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
    home = "  export COINTRAIL_HOME={home} COINTRAIL_LEDGER={ledger}\n"
    more = home + "  cointrail trace {onward} --hops 3\n  cointrail profile {deposit}\n\n"
    print(more.format_map(play.names) + "This case as a page: docs/tutorial/bazaar.md.")


def _prepare(workdir: Path) -> None:
    """Make room, but empty only a folder that an earlier demo made."""
    if workdir.exists() and (not workdir.is_dir() or (any(workdir.iterdir()) and not (workdir / MARK).exists())):
        sys.exit(f"demo: {workdir} was not made by the demo; give another --workdir")
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / MARK).touch()
    for name in ("world.partial", *MADE.values()):
        shutil.rmtree(workdir / name, ignore_errors=True)
        (workdir / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
