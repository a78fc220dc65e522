"""What holds a cluster together: its believed co-spends, the same-key facts inside, and inferences of a higher level.

The forest names one transaction for each script; here is everything that would have joined the same scripts, so that
"how many", "what else" and "what if that one is wrong" can be answered. Rules as `cluster.forest.extend` applies them
(METHODS.md 1.1, 2.1, 3.5). Members are given; nothing here decides who is one.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.forest.extend import CO_SPEND as CO_SPEND_RULE
from cointrail.cluster.forest.extend import SAME_KEY as SAME_KEY_RULE
from cointrail.cluster.gate.gate import signs_of
from cointrail.cluster.gate.kinds import VETO, Sign
from cointrail.cluster.spans import Span, inputs_of_many
from cointrail.cluster.structure.activity import Activity
from cointrail.ledger.reader import Reader
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SAME_KEY, CO_SPEND = 0, 100
"""Codes of the rules of level L1; codes between them are those of `cluster.level.edges`."""

BY_HAND = 9
"""Code of an assertion, as in `cluster.level.edges`."""

DUST_SAT = (546, 330, 294)
"""Values of outputs that carry a message or a token, or nothing (METHODS.md 3.5)."""


class Clusters(Protocol):
    """What is asked of a forest, or of a forest under an overlay."""

    reader: Reader
    rules: tuple[tuple[str, int], ...]

    def signs(self, tx_index: npt.ArrayLike, /) -> npt.NDArray[np.uint32]:
        """What forbids to believe the co-spend of transactions."""


@dataclass(frozen=True, slots=True, eq=False)
class Inferences:
    """Links of a level above L1: (k,) each.

    Attributes:
        tx_index: int64, the transaction each is about.
        script_a, script_b: int64, what it joins.
        rule: uint8, code of `cluster.level.edges`.
        detail: uint32, what the rule decided on.
    """

    tx_index: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    script_a: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    script_b: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    rule: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    detail: npt.NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What joins the scripts of a cluster, and what would but is not believed.

    Attributes:
        scripts: int64 (n,), the members, ascending.
        joins: int64 (j,), the transaction of each piece of evidence; rule: uint8 (j,), its code.
        edges: owner: which piece, ascending; row: place in `scripts`, ascending and distinct in each.
        suppressed: int64, collaborative transactions that spend a member together with another script; ascending.
        signs: uint32, what the gate saw in each of them.
        postmix: int64, co-spends of several scripts that hold outputs of collaborative transactions (METHODS.md 3.5).
        forced: int64, co-spends of a dust output that somebody else sent: a stranger may have chosen the member.
        suspects: int64, co-spends with an input their larger output did not need, as a PayJoin has (METHODS.md 3.1).
        detail: uint32 (j,), for inferences above L1 what the rule decided on.
    """

    scripts: I64
    joins: I64
    rule: npt.NDArray[np.uint8]
    edges: Span
    suppressed: I64
    signs: npt.NDArray[np.uint32]
    postmix: I64
    forced: I64
    suspects: I64
    detail: npt.NDArray[np.uint32]

    @property
    def co_spends(self) -> I64:
        """The believed co-spends, ascending."""
        found: I64 = self.joins[self.rule == CO_SPEND]
        return found


def evidence(clusters: Clusters, found: Activity, inferences: Inferences | None = None) -> Evidence:
    """Collect the evidence inside a cluster.

    Args:
        clusters: the forest of the snapshot, or an overlay over it.
        found: the members and their outputs.
        inferences: links of a higher level, or by hand, inside the cluster; none for L1.

    Method: METHODS.md 2.1, 1.1, 3.5.
    """
    reader, scripts = clusters.reader, found.scripts
    spends = _Spends(clusters, found)
    believed, refused = spends.joining()
    edges = spends.members_of(believed)
    co_spends = spends.tx_index[believed]
    fact_tx, fact_edges = _facts(reader, scripts if SAME_KEY_RULE in clusters.rules else scripts[:0])
    more = inferences or Inferences()
    more_edges = _pairs(scripts, more.script_a, more.script_b)
    joins = np.concatenate((co_spends, fact_tx, more.tx_index))
    empty = np.zeros(len(co_spends) + len(fact_tx), np.uint32)
    return Evidence(
        scripts=scripts,
        joins=joins,
        rule=np.concatenate(
            (np.full(len(co_spends), CO_SPEND, np.uint8), np.full(len(fact_tx), SAME_KEY, np.uint8), more.rule)
        ),
        edges=_chained(_chained(edges, len(co_spends), fact_edges), len(co_spends) + len(fact_tx), more_edges),
        suppressed=spends.tx_index[refused],
        signs=spends.signs[refused],
        postmix=spends.tx_index[spends.after_mixes(believed)],
        forced=spends.tx_index[spends.with_sent_dust(believed)],
        suspects=co_spends[signs_of(reader, co_spends, off=_NOT_ASKED) != 0],
        detail=np.concatenate((empty, more.detail)),
    )


_NOT_ASKED = Sign(sum(int(sign) for sign in Sign)) & ~Sign.UNNECESSARY_INPUT


class _Spends:
    """The transactions of several inputs that spend members, and their inputs that pass the owner filter.

    tx_index (t,): ascending; owner, output, script (m,): of each such input; member, place: whether and where its
    script stands in the cluster; distinct: first input of a script in its transaction, ordered by (owner, script).
    """

    def __init__(self, clusters: Clusters, found: Activity) -> None:
        reader = self.reader = clusters.reader
        self.believes = CO_SPEND_RULE in clusters.rules
        self.scripts = found.scripts
        spent = found.spenders[found.spenders != NONE]
        spending = np.unique(reader.transaction_of_inputs(np.sort(spent)))
        starts = reader.column("transaction", "first_input")
        ends = np.minimum(spending + 1, reader.counts.transaction - 1)
        several = (
            np.where(spending + 1 < reader.counts.transaction, starts[ends], reader.counts.input) - starts[spending]
        )
        self.tx_index = spending[several > 1]
        self.signs = clusters.signs(self.tx_index)
        inputs = inputs_of_many(reader, self.tx_index)
        owned = (reader.column("input", "flags")[inputs.row] & np.uint16(InputFlag.ANYONECANPAY)) == 0
        self.owner = inputs.owner[owned]
        self.output = np.asarray(reader.column("input", "output")[inputs.row[owned]], np.int64)
        self.script = reader.column("output", "script")[self.output].astype(np.int64)
        self.place, self.member = _places(self.scripts, self.script)
        self.order = np.argsort(self.owner * np.int64(reader.counts.script) + self.script, kind="stable")
        owner, script = self.owner[self.order], self.script[self.order]
        self.first = np.ones(len(owner), np.bool_)
        self.first[1:] = (owner[1:] != owner[:-1]) | (script[1:] != script[:-1])

    def joining(self) -> tuple[Flags, Flags]:
        """(believed, refused), bool (t,): transactions that spend a member together with other scripts."""
        count = len(self.tx_index)
        rows = self.order[self.first]
        scripts = np.bincount(self.owner[rows], minlength=count)
        members = np.bincount(self.owner[rows[self.member[rows]]], minlength=count)
        veto = (self.signs & np.uint32(VETO)) != 0
        return (members > 1) & ~veto & self.believes, (members > 0) & (scripts > 1) & veto

    def members_of(self, chosen: Flags) -> Span:
        """The distinct members that each chosen transaction spends."""
        rows = self.order[self.first]
        rows = rows[chosen[self.owner[rows]] & self.member[rows]]
        return Span((np.cumsum(chosen) - 1)[self.owner[rows]], self.place[rows])

    def after_mixes(self, chosen: Flags) -> Flags:
        """Those of the chosen in which at least two scripts hold outputs of collaborative transactions."""
        mixes = self.reader.column("collaborative", "tx_index").astype(np.int64)
        if not len(mixes):
            return np.zeros(len(chosen), np.bool_)
        first, end = self.reader.output_bounds(mixes)
        at = np.searchsorted(first, self.output, "right") - 1
        mixed = (at >= 0) & (self.output < end[np.maximum(at, 0)]) & chosen[self.owner]
        pairs = np.unique(self.owner[mixed] * np.int64(self.reader.counts.script) + self.script[mixed])
        return np.bincount(pairs // self.reader.counts.script, minlength=len(chosen)) > 1

    def with_sent_dust(self, chosen: Flags) -> Flags:
        """Those of the chosen that spend dust paid to a member by a transaction that spends no member."""
        values = self.reader.column("output", "value_sat")[self.output]
        dust = np.flatnonzero(np.isin(values, DUST_SAT) & self.member & chosen[self.owner])
        sender, back = np.unique(self.reader.transaction_of_outputs(self.output[dust]), return_inverse=True)
        paid = inputs_of_many(self.reader, sender)
        spent = np.asarray(self.reader.column("input", "output")[paid.row], np.int64)
        real = spent != NONE
        scripts = self.reader.column("output", "script")[spent[real]].astype(np.int64)
        foreign = np.bincount(paid.owner[real], minlength=len(sender)) > 0  # a coinbase is nobody's message
        foreign &= np.bincount(paid.owner[real][_places(self.scripts, scripts)[1]], minlength=len(sender)) == 0
        found = np.zeros(len(chosen), np.bool_)
        found[self.owner[dust[foreign[back]]]] = True
        return found


def _facts(rows: Rows, scripts: I64) -> tuple[I64, Span]:
    """The same-key facts inside a cluster."""
    script_a = rows.column("same_key", "script_a")
    inside = np.flatnonzero(_places(scripts, script_a.astype(np.int64))[1])
    inside = inside[_places(scripts, rows.column("same_key", "script_b")[inside].astype(np.int64))[1]]
    script_b = rows.column("same_key", "script_b")[inside].astype(np.int64)
    edges = _pairs(scripts, script_a[inside].astype(np.int64), script_b)
    return rows.column("same_key", "tx_index")[inside].astype(np.int64), edges


def _pairs(scripts: I64, script_a: I64, script_b: I64) -> Span:
    both = np.sort(np.stack((_places(scripts, script_a)[0], _places(scripts, script_b)[0]), axis=1), axis=1)
    return Span(np.repeat(np.arange(len(script_a)), 2), both.reshape(-1).astype(np.int64))


def _chained(one: Span, pieces: int, other: Span) -> Span:
    """Two spans behind one another; the first is of so many pieces."""
    return Span(np.concatenate((one.owner, other.owner + pieces)), np.concatenate((one.row, other.row)))


def _places(scripts: I64, asked: I64) -> tuple[I64, Flags]:
    """(place in `scripts`, whether it stands there) of each asked script; all stand nowhere among none."""
    if not len(scripts):
        return np.zeros(len(asked), np.int64), np.zeros(len(asked), np.bool_)
    at = np.minimum(np.searchsorted(scripts, asked), len(scripts) - 1)
    return at, scripts[at] == asked
