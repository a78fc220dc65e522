"""What is known about transactions that a chain may pass, looked at in batches: one vote for all of them at once.

The way ahead is guessed (`kernels.peel`), then every transaction on it is judged by the vote itself, as of the
snapshot. So a thousand hops cost a few batches, and a guess decides nothing.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.eligible import PROTOCOL_SAT
from cointrail.cluster.change.rule import unique
from cointrail.cluster.change.rules import BY_ID
from cointrail.cluster.change.vote import decide
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.spans import Span, inputs_of_many, output_counts, outputs_of_many
from cointrail.ledger.columns import read_only
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.trace.peel.chain import Coin, Decision
from cointrail.trace.peel.question import ServiceScripts

if TYPE_CHECKING:
    from cointrail.kernels.peel import Chain

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_FIRST_BATCH, _LARGEST_BATCH = 32, 4_096  # transactions that are guessed at once
_GROWTH = 4
_REUSE = BY_ID["change.C1"]
_LOG = ("previous_sibling", "child_size", "parent_size")


class Verdict(NamedTuple):
    """What is said of a transaction as a whole.

    Attributes:
        tx_index, height: which; seconds: time of its block, since 1970 UTC; is_coinbase; outputs: how many it makes.
        signs: what the gate saw in it, 0 if nothing forbids to believe in one owner.
        protocol: an output carries a protocol (METHODS.md 3.5); not asked of one with too many outputs.
        decision: certain, accepted, or None; change: the output, or -1; votes, families: as in `Step`.
        larger: the most valuable output that can be spent, the first of equals, or -1; asked as `protocol` is.
    """

    tx_index: int
    height: int
    seconds: int
    is_coinbase: bool
    outputs: int
    signs: int
    protocol: bool
    decision: Decision | None
    change: int
    votes: int
    families: int
    larger: int


class Seen(NamedTuple):
    """A transaction that a chain may pass.

    Attributes:
        verdict: what is said of it.
        together: all inputs lie in one L1 cluster; joined_here: but did not before it.
        inputs: what it spends, nothing for a coinbase; outputs: what it makes.
    """

    verdict: Verdict
    together: bool
    joined_here: bool
    inputs: tuple[Coin, ...]
    outputs: tuple[Coin, ...]

    @property
    def fee_sat(self) -> int:
        """Its fee; 0 for a coinbase."""
        return sum(c.value_sat for c in self.inputs) - sum(c.value_sat for c in self.outputs) if self.inputs else 0


class Lookout:
    """Transactions of a ledger, each looked at once.

    Args:
        reader: the ledger at a snapshot.
        services: who is known.
        most_outputs: of a transaction that is worth a guess.
        to_larger: whether guesses go on with the larger output.
        ahead: the direction of guesses.

    Raises:
        Unavailable: the ledger's clusters do not reach the snapshot.
    """

    def __init__(
        self, reader: Reader, services: ServiceScripts, *, most_outputs: int | None, to_larger: bool, ahead: bool
    ) -> None:
        self.reader, self.services = reader, services
        self.forest = Forest(reader)
        self._most_outputs = reader.counts.output if most_outputs is None else most_outputs
        self._to_larger, self._ahead = to_larger, ahead
        self._batch = _FIRST_BATCH
        self._seen: dict[int, Seen] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._chain = _chain_of(reader)

    def __contains__(self, tx_index: int) -> bool:
        return tx_index in self._seen

    def __getitem__(self, tx_index: int) -> Seen:
        return self._seen[tx_index]

    def verdict(self, tx_index: int) -> Verdict:
        """What is said of a transaction that was looked at, or that funds one if the way is back."""
        return self._verdicts[tx_index]

    def look_from(self, outputs: list[int], hops: list[int]) -> None:
        """Look at the transactions that chains from these outputs may pass, the first of them at least.

        Args:
            outputs: where to begin; forward each is spent in the snapshot.
            hops: how far at most from each, at least 1.
        """
        from cointrail.kernels import peel as kernel

        found = np.empty(self._batch, np.int64)
        guess = kernel.ahead if self._ahead else kernel.behind
        starts, most = np.array(outputs, np.int64), np.minimum(np.array(hops, np.int64), self._batch)
        count = guess(self._chain, starts, most, self._to_larger, self._most_outputs, found)
        self._batch = min(self._batch * _GROWTH, _LARGEST_BATCH)
        wanted = np.unique(found[:count])
        self._look(wanted[[tx not in self._seen for tx in wanted.tolist()]])

    def coins(self, outputs: npt.ArrayLike) -> list[Coin]:
        """Outputs as a chain sees them, int64 (n,)."""
        asked = np.asarray(outputs, np.int64)
        return self._coins(asked, self._roots(asked))

    def _look(self, tx_index: I64) -> None:
        """Look at transactions, int64 (n,), ascending."""
        reader, count = self.reader, len(tx_index)
        if not count:
            return
        made, inputs = outputs_of_many(reader, tx_index), inputs_of_many(reader, tx_index)
        spent = np.asarray(reader.column("input", "output")[inputs.row], np.int64)
        real = spent != NONE
        came = Span(inputs.owner[real], spent[real])
        outputs = np.concatenate((came.row, made.row))
        roots = self._roots(outputs)
        coins = self._coins(outputs, roots)
        funders = () if self._ahead else (reader.transaction_of_outputs(came.row),)
        self._judge(np.unique(np.concatenate((tx_index, *funders))))
        together = _alike(came.owner, roots[: len(came.row)], count)
        before = _alike(came.owner, self._roots(came.row, tx_index[came.owner]), count)
        columns = zip(
            (self._verdicts[tx] for tx in tx_index.tolist()),
            together.tolist(),
            (together & ~before).tolist(),
            _split(coins[: len(came.row)], came.owner, count),
            _split(coins[len(came.row) :], made.owner, count),
            strict=True,
        )
        self._seen |= {each[0].tx_index: Seen._make(each) for each in columns}

    def _judge(self, tx_index: I64) -> None:
        """Give verdicts on transactions, int64 (n,), ascending, that have none yet."""
        tx_index = tx_index[[tx not in self._verdicts for tx in tx_index.tolist()]]
        reader = self.reader
        first_input = reader.column("transaction", "first_input")[tx_index]
        protocol, larger = self._of_outputs(tx_index)
        heights = reader.height_of_transactions(tx_index)
        columns = zip(
            tx_index.tolist(),
            heights.tolist(),
            reader.column("block", "time")[heights].tolist(),
            (reader.column("input", "output")[first_input] == NONE).tolist(),
            output_counts(reader, tx_index).tolist(),
            self.forest.signs(tx_index).tolist(),
            protocol.tolist(),
            *self._decided(tx_index),
            larger.tolist(),
            strict=True,
        )
        self._verdicts |= {each[0]: Verdict._make(each) for each in columns}

    def _decided(self, tx_index: I64) -> tuple[list[Decision | None], list[int], list[int], list[int]]:
        """Decision, change output or -1, votes and families of each transaction, as of the snapshot."""
        context = Context(self.reader, tx_index)
        change, votes, families = np.full(len(tx_index), NONE, np.int64), *np.zeros((2, len(tx_index)), np.int64)
        decision: list[Decision | None] = [None] * len(tx_index)
        fired = np.flatnonzero(unique(context, _REUSE.keep(context)))
        items = context.outputs.owner[fired]
        change[items], votes[items] = context.outputs.row[fired], _REUSE.bit
        for item in items.tolist():
            decision[item] = Decision.CERTAIN
        found = decide(context)
        items = np.searchsorted(tx_index, found.tx_index)
        change[items], votes[items], families[items] = found.output, found.votes, found.families
        for item in items.tolist():
            decision[item] = Decision.ACCEPTED
        return decision, change.tolist(), votes.tolist(), families.tolist()

    def _of_outputs(self, tx_index: I64) -> tuple[Mask, I64]:
        """Whether an output carries a protocol, bool (n,), and the most valuable that can be spent, int64 (n,)."""
        reader = self.reader
        protocol, larger = np.zeros(len(tx_index), np.bool_), np.full(len(tx_index), NONE, np.int64)
        narrow = np.flatnonzero(output_counts(reader, tx_index) <= self._most_outputs)
        if not len(narrow):
            return protocol, larger
        owner, row = outputs_of_many(reader, tx_index[narrow])
        value = np.array(reader.column("output", "value_sat")[row], np.int64)
        script = reader.column("output", "script")[row]
        carries = np.isin(value, PROTOCOL_SAT) | (reader.column("script", "type")[script] == ScriptType.OP_RETURN)
        protocol[narrow[owner[carries]]] = True
        value[reader.unspendable_scripts(script)] = NONE
        starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        best = np.maximum.reduceat(value, starts)
        at = np.flatnonzero((value == best[owner]) & (value != NONE))
        found, first = np.unique(owner[at], return_index=True)
        larger[narrow[found]] = row[at[first]]
        return protocol, larger

    def _roots(self, outputs: I64, before: I64 | None = None) -> I64:
        return self.forest.roots(self.reader.column("output", "script")[outputs], before)

    def _coins(self, outputs: I64, roots: I64) -> list[Coin]:
        from cointrail.kernels.peel import cluster_sizes

        reader = self.reader
        scripts = reader.column("output", "script")[outputs].astype(np.int64)
        sizes = np.empty(len(outputs), np.int64)
        before, child, parent = (read_only(reader.column_on_disk("merge", name)) for name in _LOG)
        cluster_sizes(roots, self.forest.last_child, reader.counts.merge, before, child, parent, sizes)
        inputs = reader.spenders(outputs)
        spenders = np.where(inputs == NONE, NONE, reader.transaction_of_inputs(np.maximum(inputs, 0)))
        spendable = (inputs != NONE) | reader.unspent(outputs)
        columns = (
            outputs.tolist(),
            reader.column("output", "value_sat")[outputs].tolist(),
            scripts.tolist(),
            self.services.of(scripts).tolist(),
            sizes.tolist(),
            reader.transaction_of_outputs(outputs).tolist(),
            spenders.tolist(),
            spendable.tolist(),
        )
        return [Coin._make(each) for each in zip(*columns, strict=True)]


def _alike(owner: I64, figure: I64, count: int) -> Mask:
    """Owners whose rows all have the same figure, bool (n,); rows are by owner."""
    differ = (owner[1:] == owner[:-1]) & (figure[1:] != figure[:-1])
    return np.asarray(np.bincount(owner[1:][differ], minlength=count) == 0, np.bool_)


def _split(coins: list[Coin], owner: I64, count: int) -> list[tuple[Coin, ...]]:
    """The coins of each owner; rows are by owner."""
    ends = np.cumsum(np.bincount(owner, minlength=count)).tolist()
    return [tuple(coins[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


def _chain_of(reader: Reader) -> "Chain":
    from cointrail.kernels.peel import Chain

    return Chain(
        first_input=read_only(reader.column("transaction", "first_input")),
        first_output=read_only(reader.column("transaction", "first_output")),
        spent=read_only(reader.column("input", "output")),
        value=read_only(reader.column("output", "value_sat")),
        script=read_only(reader.column("output", "script")),
        spender=read_only(reader.column("output", "spender")),
        decided_at=read_only(reader.column("change", "decided_at")),
        decided=read_only(reader.column("change", "tx_index")),
        change=read_only(reader.column("change", "output")),
    )
