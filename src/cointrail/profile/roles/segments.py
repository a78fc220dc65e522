"""Segments of a wallet: which scripts take deposits, pay out, store, take change, and what its transactions do.

Rule `wallet_segments` 1. A script gets the first segment whose condition holds; all numbers behind it are kept. What a
wallet is comes in as scripts; a cold store that was never spent together with it is not among them unless it is given.
An inference, and about habits, not people. Method: METHODS.md 7.1; docs/methods/wallet-segments.md.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.roles.histories import middle_by
from cointrail.profile.roles.wallet import Wallet

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

RULE: Final = "wallet_segments"
VERSION: Final = 1
MILLION: Final = 1_000_000


class Segment(IntEnum):
    """What a script is for, the first that applies in this order; the numbers are part of nothing on disk."""

    COLD = 0
    DEPOSIT = 1
    HOT = 2
    COLLECTION = 3
    CHANGE = 4
    RECEIVE = 5
    UNCLEAR = 6

    @property
    def words(self) -> str:
        """For people."""
        return self.name.lower()


class Kind(IntEnum):
    """What a transaction of the wallet does."""

    SWEEP = 0
    GATHERING = 1
    BATCH_WITHDRAWAL = 2
    WITHDRAWAL = 3

    @property
    def words(self) -> str:
        """For people."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """Thresholds.

    Attributes:
        deposit_dwell_seconds: money stays on a deposit script for less, at the median.
        hot_payouts: payments to others that make a script hot although nothing was gathered on it.
        cold_share_ppm: of the wallet's balance at least so much lies on a cold script, in millionths, and
        cold_idle_seconds: nothing left it for so long.
        batch_payees: outputs to others that make a withdrawal a batch.
    """

    deposit_dwell_seconds: int = 30 * 86_400
    hot_payouts: int = 10
    cold_share_ppm: int = 50_000
    cold_idle_seconds: int = 30 * 86_400
    batch_payees: int = 5


LIMITS: Final = SegmentLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Segments with what speaks for them; all int64 (n,), one row a script.

    Attributes:
        scripts: ascending.
        segment: `Segment` of each.
        external, gathered, change: outputs that came from outside, from a gathering, as change.
        gatherings, payouts: transactions that spend it and gather, or pay others.
        fan_out, fan_out_most: outputs to others of those that pay, median and ninth tenth; 0 without.
        dwell_seconds: median time that money stayed; 0 if nothing left.
        received_sat, balance_sat: satoshis that came, and that are still there.
        share_ppm: of the wallet's balance.
        idle_seconds: since anything came or left, by median time of blocks.
    """

    scripts: I64
    segment: I64
    external: I64
    gathered: I64
    change: I64
    gatherings: I64
    payouts: I64
    fan_out: I64
    fan_out_most: I64
    dwell_seconds: I64
    received_sat: I64
    balance_sat: I64
    share_ppm: I64
    idle_seconds: I64

    def __len__(self) -> int:
        return len(self.scripts)


@dataclass(frozen=True, slots=True, eq=False)
class Movements:
    """The transactions that spend a wallet, int64 (t,) each.

    Attributes:
        tx_index: ascending.
        kind: `Kind` of each.
        inputs: all its inputs.
        deposits: scripts of segment deposit that it empties.
        payees: outputs to others.
    """

    tx_index: I64
    kind: I64
    inputs: I64
    deposits: I64
    payees: I64

    def __len__(self) -> int:
        return len(self.tx_index)


def segments_of(reader: Reader, scripts: I64, limits: SegmentLimits = LIMITS) -> tuple[Segments, Movements]:
    """Tell the segments of a wallet.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), its scripts, ascending and distinct.
        limits: thresholds.

    Raises:
        Unavailable: the ledger is damaged.
    """
    wallet = Wallet.read(reader, scripts)
    owner, spend = wallet.script_spends()
    pays = wallet.payees[spend] > 0
    found = _measured(reader, wallet, (owner, spend, pays))
    segment = _segment(found, limits)
    of_deposit = segment[owner] == Segment.DEPOSIT
    deposits = np.bincount(spend[of_deposit], minlength=len(wallet.spends)).astype(np.int64)
    kind = np.full(len(wallet.spends), int(Kind.WITHDRAWAL), np.int64)
    kind[wallet.payees >= limits.batch_payees] = Kind.BATCH_WITHDRAWAL
    kind[wallet.payees == 0] = Kind.GATHERING
    kind[(wallet.payees == 0) & (deposits > 0)] = Kind.SWEEP
    return (
        Segments(scripts, segment, **found),
        Movements(wallet.spends, kind, wallet.inputs, deposits, wallet.payees),
    )


def _measured(reader: Reader, wallet: Wallet, spent_by: tuple[I64, I64, Mask]) -> dict[str, I64]:
    past, count = wallet.past, len(wallet.past.scripts)
    owner, spend, pays = spent_by
    gone = wallet.spend_of != NONE
    open_ = np.zeros(len(gone), np.bool_)
    open_[~gone] = reader.unspent(past.outputs[~gone])
    balance = past.sums(np.where(open_, past.values, 0))
    last = wallet.came.copy()
    last[gone] = wallet.left[gone]
    newest = np.zeros(count, np.int64)
    np.maximum.at(newest, past.owner, last)
    whole = int(balance.sum())
    return {
        "external": wallet.by_script(wallet.external),
        "gathered": wallet.by_script(wallet.gathered),
        "change": wallet.by_script(wallet.change),
        "gatherings": np.bincount(owner[~pays], minlength=count).astype(np.int64),
        "payouts": np.bincount(owner[pays], minlength=count).astype(np.int64),
        "fan_out": middle_by(owner[pays], wallet.payees[spend[pays]], count),
        "fan_out_most": middle_by(owner[pays], wallet.payees[spend[pays]], count, 900),
        "dwell_seconds": middle_by(past.owner[gone], wallet.left[gone] - wallet.came[gone], count),
        "received_sat": past.sums(past.values),
        "balance_sat": balance,
        "share_ppm": np.array([MILLION * each // whole if whole else 0 for each in balance.tolist()], np.int64),
        "idle_seconds": wallet.newest - newest,
    }


def _segment(found: dict[str, I64], limits: SegmentLimits) -> I64:
    """The first segment whose condition holds."""
    external, gathered, change = found["external"], found["gathered"], found["change"]
    payouts, spends = found["payouts"], found["payouts"] + found["gatherings"]
    quick = found["dwell_seconds"] < limits.deposit_dwell_seconds
    conditions: dict[Segment, Mask] = {
        Segment.COLD: (external == 0)
        & (payouts == 0)
        & (found["share_ppm"] >= limits.cold_share_ppm)
        & (found["idle_seconds"] >= limits.cold_idle_seconds),
        Segment.DEPOSIT: (external > 0) & (gathered + change == 0) & (spends > 0) & (payouts == 0) & quick,
        Segment.HOT: (payouts > 0) & ((gathered > 0) | (payouts >= limits.hot_payouts)),
        Segment.COLLECTION: (gathered > 0) & (external == 0) & (payouts == 0),
        Segment.CHANGE: (change > 0) & (external + gathered == 0),
        Segment.RECEIVE: external > 0,
    }
    segment = np.full(len(external), int(Segment.UNCLEAR), np.int64)
    for name in reversed(conditions):
        segment[conditions[name]] = name
    return segment
