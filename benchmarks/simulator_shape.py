"""The shape of the simulator's economy, measured on its blocks: docs/explanation/the-simulator.md prints this table.

Run from the repository: .venv/bin/python benchmarks/simulator_shape.py [small|standard] [seed] [holdout]
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from cointrail.bitcoin.block import Block as ParsedBlock
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.simulation.chain import PRELUDE_BLOCKS, Block, Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.scale import SCALES
from cointrail.simulation.world import NoRecord, Sent, World

DAY = 86_400
AGES = ((0, "same block"), (DAY, "a day"), (7 * DAY, "a week"), (28 * DAY, "four weeks"), (91 * DAY, "13 weeks"))
BATCHES = {
    "batch_withdrawal": "withdrawals in a batch of Alpha",
    "payout": "payments in a payout (gambling, pool)",
    "deposit_sweep": "inputs of a sweep of deposits",
    "consolidation": "inputs of a consolidation",
}


class Batches(NoRecord):
    """Counts sizes of batches by kind."""

    def __init__(self) -> None:
        self.sizes: dict[str, list[int]] = defaultdict(list)
        self.kinds: Counter[str] = Counter()

    def sent(self, sent: Sent) -> None:
        """Count it."""
        self.kinds[sent.kind] += 1
        if sent.kind in ("deposit_sweep", "consolidation"):
            self.sizes[sent.kind].append(len(sent.inputs))
        elif sent.kind in BATCHES:
            self.sizes[sent.kind].append(sum(not payment.change for payment in sent.outputs))


class Shape:
    """Counts what the blocks show."""

    def __init__(self, spacing: int) -> None:
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.ages: list[int] = []
        self.types: Counter[ScriptType] = Counter()
        self.reused = self.returned = self.unnecessary = 0
        self._spacing = spacing
        self._seen: set[bytes] = set()
        self._unspent: dict[tuple[bytes, int], tuple[int, bytes, int]] = {}

    def block(self, block: Block) -> None:
        """Count a block."""
        for place, transaction in enumerate(ParsedBlock.parse(block.raw).transactions):
            txid, spent = transaction.txid, []
            if place:
                spent = [self._unspent.pop((each.outpoint.txid, each.outpoint.vout)) for each in transaction.inputs]
            made = [(each.value_sat, each.script_pubkey) for each in transaction.outputs]
            if place and block.height > PRELUDE_BLOCKS:
                self._transaction(block.height, spent, made)
            for vout, (value, script) in enumerate(made):
                self._seen.add(script)
                if block.height and not script.startswith(b"\x6a"):
                    self._unspent[txid, vout] = (value, script, block.height)

    def _transaction(self, height: int, spent: Sequence[tuple[int, bytes, int]], made: list[tuple[int, bytes]]) -> None:
        self.inputs.append(len(spent))
        self.outputs.append(len(made))
        self.ages += ((height - born) * self._spacing for _, _, born in spent if born > PRELUDE_BLOCKS)
        self.types.update(classify(script) for _, script in made)
        self.reused += sum(script in self._seen for _, script in made)
        self.returned += bool({script for _, script, _ in spent} & {script for _, script in made})
        values = [value for value, _, _ in spent]
        needed = max(value for value, _ in made) + sum(values) - sum(value for value, _ in made)
        self.unnecessary += len(values) > 1 and len(made) > 1 and sum(values) - min(values) >= needed


def shares(numbers: Sequence[int], steps: Iterable[tuple[int, str]], rest: str) -> str:
    """Share of the numbers up to each step, in percent."""
    left, texts = list(numbers), []
    for step, name in steps:
        texts.append(f"{name} {sum(each <= step for each in left) * 100 / len(numbers):.1f}")
        left = [each for each in left if each > step]
    return "; ".join([*texts, f"{rest} {len(left) * 100 / len(numbers):.1f}"])


def report(name: str, seed: int, *, holdout: bool) -> list[tuple[str, str]]:
    """(what, figures) of an economy."""
    scale = SCALES[name]
    shape, batches = Shape(scale.spacing), Batches()
    world = World(seed, Chain(seed, scale.spacing, shape.block), batches)
    Economy(world, scale, holdout=holdout).run()
    counted, outputs = len(shape.inputs), sum(shape.outputs)
    steps = [(1, "1"), (2, "2"), (5, "3 to 5"), (20, "6 to 20")]
    rows = [
        ("transactions after the prelude, without coinbases", f"{counted:,}"),
        ("inputs a transaction, mean", f"{sum(shape.inputs) / counted:.2f}"),
        ("inputs a transaction, %", shares(shape.inputs, steps, "more")),
        ("outputs a transaction, mean", f"{outputs / counted:.2f}"),
        ("outputs a transaction, %", shares(shape.outputs, steps, "more")),
        ("age of what is spent, up to, %", shares(shape.ages, AGES, "older")),
        ("outputs to a script that was paid before, %", f"{shape.reused * 100 / outputs:.1f}"),
        ("scripts paid for the first time, a transaction", f"{(outputs - shape.reused) / counted:.2f}"),
        ("transactions that pay a script they spend from, %", f"{shape.returned * 100 / counted:.1f}"),
        ("transactions with an input that looks unnecessary (UIH2), %", f"{shape.unnecessary * 100 / counted:.1f}"),
        ("script types of outputs, %",
         "; ".join(f"{kind.label} {count * 100 / outputs:.1f}" for kind, count in shape.types.most_common(6))),
    ]  # fmt: skip
    for kind, title in BATCHES.items():
        sizes = batches.sizes[kind]
        figures = f"least {min(sizes)}; median {median(sizes):g}; largest {max(sizes)}; {len(sizes):,} of them"
        rows.append((title, figures))
    kinds = "; ".join(
        f"{kind} {count * 100 / sum(batches.kinds.values()):.1f}" for kind, count in batches.kinds.most_common()
    )
    return [*rows, ("kinds of transactions, %", kinds)]


if __name__ == "__main__":
    words = sys.argv[1:]
    table = report(
        words[0] if words else "small", int(words[1]) if len(words) > 1 else 1, holdout="holdout" in words[2:]
    )
    for what, figures in table:
        print(f"| {what} | {figures} |")
