"""Criterion 8 of the acceptance scenario: what of each source set reached which account, under every rule.

As the truth asks it (SCENARIO.md 4): `fee: account`, no cut-off, no pruning, services and CoinJoins passed; what
reaches a target output is counted there. Poison multiplies value: its row tells reach, of outputs that could be spent.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from cointrail.errors import NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.results import write_csv
from cointrail.trace.bounds import bounds
from cointrail.trace.flow import Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import FIFO, HAIRCUT, LIFO, POISON, TIHO
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace

RULES = (POISON, HAIRCUT, FIFO, LIFO, TIHO)

_NO_LIMIT = Limits(through_coinjoins=True, transactions=None, megabytes=None)
_HEADER = (
    "target_id", "rule", "source_set", "total_sat", "traced_sat", "untraced_sat", "fee_sat", "lower_sat", "upper_sat",
)  # fmt: skip


class Target(Protocol):
    """One account of a schedule."""

    @property
    def target_id(self) -> str:
        """Name of the account."""
        ...

    @property
    def source_set(self) -> str:
        """Name of the outputs to begin at."""
        ...

    @property
    def sources(self) -> Sequence[tuple[bytes, int]]:
        """These outputs: (txid in internal order, vout)."""
        ...

    @property
    def targets(self) -> Sequence[tuple[bytes, int]]:
        """The outputs to count."""
        ...


def write_taint(reader: Reader, schedule: Iterable[Target], folder: Path) -> None:
    """Write `taint.csv`.

    Args:
        reader: the ledger at a snapshot.
        schedule: the accounts that are asked about.
        folder: for the result file.

    Raises:
        NotFound: an output is not in this snapshot.
    """
    write_csv(folder / "taint.csv", _HEADER, (row for target in schedule for row in _rows(reader, target)))


def _rows(reader: Reader, target: Target) -> Iterator[tuple[object, ...]]:
    seeds = Seeds.of([_output(reader, *each) for each in target.sources])
    wanted = [_output(reader, *each) for each in target.targets]
    limits = bounds(reader, seeds, wanted, limits=_NO_LIMIT)
    for rule in RULES:
        flow = trace(reader, seeds, rule, limits=_NO_LIMIT, targets=wanted)
        sums = _sums(flow)
        yield target.target_id, rule.name, target.source_set, *sums, limits.lower_sat, limits.upper_sat


def _sums(flow: Flow) -> tuple[int, int, int, int]:
    """(total, traced, untraced, fee) in sat."""
    ended = flow.ended_sat
    traced, fee = ended.get(Reason.TARGET, 0), ended.get(Reason.FEE, 0)
    if flow.asked.policy.conserves:
        return flow.traced_sat, traced, flow.traced_sat - traced - fee, fee
    left = np.isin(flow.reason, [each.code for each in (Reason.UNSPENT, Reason.UNSPENDABLE)])
    return flow.traced_sat, traced, int(flow.sat[left].sum()), fee


def _output(reader: Reader, txid: bytes, vout: int) -> int:
    found = reader.find_transactions(txid)
    if not found:
        raise NotFound(f"transaction {txid[::-1].hex()} is not in this ledger up to height {reader.height}")
    return reader.outputs_of(found[-1])[vout]
