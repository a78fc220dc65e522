"""`make demo`: an invented market on regtest, followed with the real command line. Offline, no node.

python demo/run.py --workdir .demo
"""

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

from blocks import write_block_files
from story import Story, tell

from cointrail.bitcoin.amounts import format_btc

WIDTH, MOST_LINES = 110, 22
MARK = ".cointrail-demo"
short = partial(re.compile(r"\b([0-9a-f]{6})[0-9a-f]{52}([0-9a-f]{6})\b").sub, r"\1…\2")
OPENING = """The Lantern is an invented market. Its buyers paid to deposit addresses and received nothing. They had
their coins from an exchange, the Harbour. The operator collected the deposits, mixed in other money, took part in a
CoinJoin of strangers, and paid into another exchange, the Kestrel. We are asked to follow Ada's 2 BTC. Names after <-
come from this plot; the program sees addresses only. Long ids are shortened in answers, never in a command."""


class Stage:
    """Runs commands; prints what was asked, what was answered, what it means and what it does not prove."""

    def __init__(self, workdir: Path, story: Story) -> None:
        self.names, self.steps = story.chain.names, 0
        shown = workdir.relative_to(Path.cwd()) if workdir.is_relative_to(Path.cwd()) else workdir
        self.node, self.ledger = str(shown / "node"), str(shown / "ledger")

    def title(self, text: str) -> None:
        """Begin a step."""
        self.steps += 1
        print(f"\n{self.steps}. {text}\n{'-' * (len(text) + 3)}")

    def run(self, *words: str) -> tuple[str, str]:
        """Run one command line and show it; gives what it wrote to stdout and stderr."""
        command = [*words, "--ledger", self.ledger]
        print(f"$ cointrail {shlex.join(command)}", flush=True)
        command = [sys.executable, "-m", "cointrail", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stderr}demo: this command ended with exit code {done.returncode}")
        return done.stdout, done.stderr

    def ask(self, title: str, *words: str, says: str, not_proven: str) -> None:
        """A whole step."""
        self.title(title)
        lines = "".join(self.run(*words)).splitlines()
        for line in lines[:MOST_LINES]:
            who = "".join(f"   <- {self.names[word]}" for word in line.split() if word in self.names)
            print(f"  {short(line)}{who}".rstrip())
        print(f"  … {len(lines) - MOST_LINES} more lines\n" if lines[MOST_LINES:] else "")
        self.means(says, not_proven)

    def means(self, says: str, not_proven: str) -> None:
        """What an answer says, and what it does not."""
        _say(f"It says: {says}")
        _say(f"It does not prove: {not_proven}")


def _say(text: str) -> None:
    print(textwrap.fill(" ".join(text.split()), WIDTH, break_on_hyphens=False) + "\n")


def main() -> None:
    """Build the chain, then follow the money."""
    parser = argparse.ArgumentParser(description="Follow an invented market's money, offline.")
    parser.add_argument("--workdir", type=Path, default=Path(".demo"), help="folder for block files and ledger")
    workdir = parser.parse_args().workdir.expanduser().resolve()
    _prepare(workdir)
    began, story = time.perf_counter(), tell()
    write_block_files(workdir / "node" / "blocks", story.chain.blocks + story.chain.stale)
    stage = Stage(workdir, story)
    print("cointrail demo: where did the Lantern's money go?\n")
    _say(OPENING)
    _facts_and_clusters(stage, story)
    _side_by_side(stage, story.ada_pays)
    _ending(stage, story)
    wage = story.chain.address("Operator's wage")
    print(f"Done in {time.perf_counter() - began:.1f} s. Go on yourself, with the environment's cointrail:\n")
    print(f"  cointrail trace {story.collected} --ledger {stage.ledger}")
    print(f"  cointrail cluster {wage} --ledger {stage.ledger}\n\nThen docs/tutorial/first-steps.md: real blocks.")


def _prepare(workdir: Path) -> None:
    """Make room, but empty only a folder that an earlier demo made."""
    if workdir.exists() and (not workdir.is_dir() or (any(workdir.iterdir()) and not (workdir / MARK).exists())):
        sys.exit(f"demo: {workdir} was not made by the demo; give another --workdir")
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / MARK).touch()
    shutil.rmtree(workdir / "node", ignore_errors=True)
    shutil.rmtree(workdir / "ledger", ignore_errors=True)


def _facts_and_clusters(stage: Stage, story: Story) -> None:
    stage.ask(
        "Build the ledger from a node's block files (the very first time, kernels are compiled: up to 30 s more)",
        *("ingest", stage.node),
        says="""blocks that lie out of order and obfuscated in two files were put in their places, a stale one was left
        out, every spend was found, and in every block inputs + subsidy = outputs + unclaimed, in satoshi.""",
        not_proven="that signatures are valid: scripts are not run, and here they are placeholders. A node does that.",
    )
    stage.ask(
        "Fact: what is in it",
        "status",
        says="the digest names all of this: whoever reads the same blocks, in whatever files, gets the same digest.",
        not_proven="that this is the network's best chain. Compare the block hash with a node you trust.",
    )
    stage.ask(
        "Fact: Ada's payment",
        *("tx", story.ada_pays.split(":")[0]),
        says="which output was spent, what was paid, and what spends that. Any node shows the same.",
        not_proven="who holds the keys, or which output is the payment. Times are what the miner declared.",
    )
    stage.ask(
        "Fact: a deposit address that was used twice",
        *("address", story.chain.address("Lantern deposit 2"), "--history"),
        says="two payments came in and two later transactions spent them; the total is said first.",
        not_proven="that one buyer made both payments, though in the plot it was Ben.",
    )
    stage.ask(
        "Inference: which addresses are controlled together?",
        *("cluster", story.chain.address("Lantern deposit 1")),
        says="""six addresses were spent together in two sweeps, and deposit 2 stands in both. By the rule of co-spend
        one party holds all their keys: facts lead to it, but it is an inference, and it names its rule.""",
        not_proven="that these are all. The operator's other addresses are missing: a cluster is a lower bound.",
    )
    stage.ask(
        "Inference held back: strangers in a CoinJoin",
        *("cluster", story.chain.address("Passer-by P, first")),
        says="""P's own two addresses are joined. The CoinJoin, in which P stood beside four others, the operator among
        them, was left out and counted, so strangers were not merged.""",
        not_proven="that the rule knows every shared transaction: it looks for equal outputs, others pass.",
    )


def _side_by_side(stage: Stage, seed: str) -> None:
    stage.title("Follow Ada's 2 BTC forward, under two conventions side by side")
    answers = [json.loads(stage.run("trace", seed, "--policy", name, "--json")[0]) for name in ("fifo", "haircut")]
    ends = {end["outpoint"]: end for answer in answers for end in answer["endpoints"]}
    parts = [{end["outpoint"]: end["traced_sat"] for end in answer["endpoints"]} for answer in answers]
    print(f"\n  {'fifo':>12}  {'haircut':>12}  ended because  at")
    for outpoint, end in ends.items():
        amounts = "  ".join(f"{format_btc(part.get(outpoint, 0)):>12}" for part in parts)
        print(f"  {amounts}  {end['reason']:<13}  {short(outpoint)}   <- {stage.names[end['address']]}")
    print("  " + "  ".join(f"{format_btc(answer['fees_sat']):>12}" for answer in answers) + "  fees")
    print("  " + "  ".join(f"{format_btc(answer['traced_sat']):>12}" for answer in answers) + "  together\n")
    assert all(answer["conserved"] for answer in answers)
    stage.means(
        """under fifo all of Ada's coins reach the Kestrel, because the wage entered the mixture first; under
        haircut every output holds its share. It ends where coins are unspent, and before the CoinJoin.""",
        """which satoshis are Ada's: mixed money has no identity, and a policy is a convention that law or agreement
        chooses. Nor does the program know an exchange: that would be an assertion, a tag, and it has none yet.""",
    )


def _ending(stage: Stage, story: Story) -> None:
    stage.ask(
        "Backward: what lay behind the deposit at the Kestrel?",
        *("trace", story.to_kestrel, "--backward", "--policy", "fifo", "--hops", "3"),
        says="""under fifo the 6 BTC come from what the Harbour paid to Ada, to Ben, and, by way of a bakery that paid
        a wage, to the operator. `hop limit` says that we stopped there; the chain did not.""",
        not_proven="that the bakery has a part in it: unrelated money enters mixtures too.",
    )
    stage.ask(
        "Check everything that can be recomputed",
        "verify",
        says="rows, links, indexes and sums fit the digests. Damage would be named with its place, and exit code 5.",
        not_proven="anything about people. Those who use the answers conclude; the program gives leads and findings.",
    )


if __name__ == "__main__":
    main()
