"""Whom a wallet paid and who paid it: by script, by L1 cluster, or by whoever is said to be behind them.

Rule `counterparties` 1 (docs/methods/counterparties.md): by haircut inside each transaction, in integers, so sums are
conserved; what went through collaborative transactions stands apart and is nobody's. An inference wherever several
paid, and wherever a cluster or a name stands for scripts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.profile.payments import Payments
from cointrail.trace.services import NO_SERVICE, Services

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RULE: Final = ("counterparties", 1)

_NAMED: Final = np.int64(1) << 40
"""Keys of groups: a script_id, the root of a cluster, or this and the number of a service; script_ids have 32 bits."""


class Group(StrEnum):
    """What a row stands for."""

    SCRIPT = "script"
    CLUSTER = "cluster"
    ENTITY = "entity"


class Rank(StrEnum):
    """What orders the rows, the greatest first."""

    GROSS = "gross"
    NET = "net"
    RECEIVED = "received"
    SENT = "sent"
    TRANSACTIONS = "transactions"
    LAST = "last"


class Direction(StrEnum):
    """Which payments count."""

    BOTH = "both"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, eq=False)
class Counterparties:
    """A row a counterparty, in order of rank; satoshi and counts, int64 (n,).

    Attributes:
        key: script_id, or the root of an L1 cluster, or a service's number where `named`.
        named: bool (n,), rows that stand for an entity.
        scripts: scripts of it that took part.
        received, sent: what it paid the wallet, and was paid.
        shared: of both, what rests on dividing a transaction that several paid for.
        transactions: that it took part in.
        first_tx, last_tx: the first and the last of them.
        begin, end: its payments are `payments` in these rows of `order`, in chain order.
        order: int64 (p,), rows of `payments`.
        payments: what was summed.
    """

    key: I64
    named: Flags
    scripts: I64
    received: I64
    sent: I64
    shared: I64
    transactions: I64
    first_tx: I64
    last_tx: I64
    begin: I64
    end: I64
    order: I64
    payments: Payments

    def __len__(self) -> int:
        return len(self.key)

    def of(self, row: int) -> I64:
        """Rows of `payments` that a row sums, in chain order."""
        return self.order[int(self.begin[row]) : int(self.end[row])]

    def largest(self, row: int, most: int) -> list[int]:
        """The transactions, tx_index, that moved most between the two, ties in chain order."""
        rows = self.of(row)
        tx = self.payments.tx[rows]
        new = _changes(tx)
        moved = np.add.reduceat(self.payments.received[rows] + self.payments.sent[rows], np.flatnonzero(new))
        chosen = np.argsort(-moved, kind="stable")[:most]
        found: list[int] = tx[new][chosen].tolist()
        return found


def counterparties(
    found: Payments,
    by: Group = Group.SCRIPT,
    *,
    forest: Forest | None = None,
    services: Services | None = None,
    rank: Rank = Rank.GROSS,
    direction: Direction = Direction.BOTH,
) -> Counterparties:
    """Sum payments by whom they came from and went to.

    Args:
        found: the payments.
        by: what a row stands for. Scripts that no tag names stand with their L1 cluster among entities.
        forest: L1 at the snapshot; needed for all but scripts.
        services: who is said to be behind scripts and clusters; needed for entities.
        rank: what orders the rows; ties by the older key.
        direction: which payments count.
    """
    if direction is not Direction.BOTH:
        found = found.where(found.is_receipt == (direction is Direction.IN))
    order = np.argsort(found.script, kind="stable")
    scripts, begin = _groups(found.script[order].astype(np.int64))
    distinct, number = np.unique(_keys(scripts, by, forest, services), return_inverse=True)
    group = np.empty(len(order), np.int64)
    group[order] = np.repeat(number, np.diff(np.append(begin, len(order))))
    if by is not Group.SCRIPT:
        order = np.argsort(group, kind="stable")
        _, begin = _groups(group[order])
    end = np.append(begin[1:], len(order))[: len(begin)]
    tx = found.tx[order]
    new = _changes(tx)
    new[begin] = True
    shared = np.where(_divided(found, group), found.received + found.sent, 0)
    rows = Counterparties(
        key=np.where(distinct >= _NAMED, distinct - _NAMED, distinct),
        named=distinct >= _NAMED,
        scripts=np.bincount(number, minlength=len(distinct)),
        received=_sums(found.received[order], begin),
        sent=_sums(found.sent[order], begin),
        shared=_sums(shared[order], begin),
        transactions=_sums(new.astype(np.int64), begin),
        first_tx=tx[begin],
        last_tx=tx[end - 1],
        begin=begin,
        end=end,
        order=order,
        payments=found,
    )
    return _ranked(rows, rank)


def _keys(scripts: I64, by: Group, forest: Forest | None, services: Services | None) -> I64:
    if by is Group.SCRIPT:
        return scripts
    assert forest is not None
    roots = forest.roots(scripts)
    if by is Group.CLUSTER or services is None:
        return roots
    names = services.of(forest, scripts)
    return np.where(names == NO_SERVICE, roots, names + _NAMED)


def _divided(found: Payments, group: I64) -> Flags:
    """Payments whose amount rests on a division: somebody else paid for the transaction, too."""
    divided = ~found.alone
    receipts = np.flatnonzero(found.is_receipt)
    if len(receipts):
        _, begin = _groups(found.tx[receipts])
        payer = group[receipts]
        several = np.minimum.reduceat(payer, begin) != np.maximum.reduceat(payer, begin)
        divided[receipts] |= np.repeat(several, np.diff(np.append(begin, len(receipts))))
    return divided


def _ranked(rows: Counterparties, rank: Rank) -> Counterparties:
    measures: dict[Rank, I64] = {
        Rank.GROSS: rows.received + rows.sent,
        Rank.NET: np.abs(rows.received - rows.sent),
        Rank.RECEIVED: rows.received,
        Rank.SENT: rows.sent,
        Rank.TRANSACTIONS: rows.transactions,
        Rank.LAST: rows.last_tx,
    }
    order = np.argsort(-measures[rank], kind="stable")  # keys ascend, entities behind all others
    names = set(Counterparties.__dataclass_fields__) - {"order", "payments"}
    columns = {name: getattr(rows, name)[order] for name in names}
    return Counterparties(order=rows.order, payments=rows.payments, **columns)


def _changes(values: I64) -> Flags:
    new = np.ones(len(values), np.bool_)
    new[1:] = values[1:] != values[:-1]
    return new


def _groups(ascending: I64) -> tuple[I64, I64]:
    """(distinct values, where each begins)."""
    begin = np.flatnonzero(_changes(ascending))
    return ascending[begin], begin


def _sums(values: I64, begin: I64) -> I64:
    return np.add.reduceat(values, begin) if len(begin) else np.empty(0, np.int64)
