"""Cold stores beside a wallet: scripts outside it that only it pays, in great sums, and that pay nobody but it.

Rule `cold_store` 1, a lead: a customer who withdrew a fortune and never moved it looks the same. What a wallet is comes
in as scripts. Method: METHODS.md 7.1; docs/methods/wallet-segments.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.spans import outputs_of_many
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.histories import Histories, any_by, distinct_by, histories, times_of
from cointrail.profile.roles.wallet import Wallet

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

RULE: Final = "cold_store"
VERSION: Final = 1
MILLION: Final = 1_000_000
_MOST_OUTPUTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Thresholds.

    Attributes:
        share_ppm: one payment to a store is at least this share of the wallet's greatest balance, in millionths.
        idle_seconds: a store that never paid has rested for so long.
        payees: outputs to others of a transaction that may fill a store, at most.
    """

    share_ppm: int = 50_000
    idle_seconds: int = 30 * 86_400
    payees: int = 1


LIMITS: Final = StoreLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Scripts that may be a wallet's cold store, int64 (n,) each.

    Attributes:
        scripts: ascending.
        payments: outputs that the wallet paid to each.
        returns: transactions with which it paid back.
        received_sat: in all.
        share_ppm: of the wallet's greatest balance, in millionths.
        idle_seconds: since it was paid or paid back, by median time of blocks.
    """

    scripts: I64
    payments: I64
    returns: I64
    received_sat: I64
    share_ppm: I64
    idle_seconds: I64

    def __len__(self) -> int:
        return len(self.scripts)


def stores_of(reader: Reader, scripts: I64, limits: StoreLimits = LIMITS) -> Stores:
    """Find what may be the cold stores of a wallet.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), the wallet's scripts, ascending and distinct.
        limits: thresholds.

    Raises:
        Unavailable: the ledger is damaged.
    """
    wallet = Wallet.read(reader, scripts)
    single = wallet.spends[(wallet.payees > 0) & (wallet.payees <= limits.payees)]
    made = outputs_of_many(reader, single)
    script = np.asarray(reader.column("output", "script")[made.row], np.int64)
    value = np.asarray(reader.column("output", "value_sat")[made.row], np.int64)
    greatest = _greatest_balance(wallet)
    least = greatest * limits.share_ppm // MILLION
    asked = np.unique(script[(value >= max(least, 1)) & ~np.isin(script, scripts)])
    past = histories(reader, asked, _MOST_OUTPUTS)
    strange = any_by(past.owner, ~np.isin(past.makers, wallet.spends), len(asked))
    gone = past.spent
    back = _comes_back(reader, past.spenders[gone], scripts, asked)
    strange |= any_by(past.owner[gone], ~back, len(asked))
    newest = np.zeros(len(asked), np.int64)
    last = times_of(reader, np.where(gone, past.spenders, past.makers))
    np.maximum.at(newest, past.owner, last)
    idle = wallet.newest - newest
    returns = _returns(past, len(asked))
    kept = ~strange & ((returns > 0) | (idle >= limits.idle_seconds))
    received = past.sums(past.values)
    share = np.array([MILLION * each // max(greatest, 1) for each in received.tolist()], np.int64)
    payments = past.sums(np.ones(len(past.owner), np.int64))
    return Stores(asked[kept], payments[kept], returns[kept], received[kept], share[kept], idle[kept])


def _greatest_balance(wallet: Wallet) -> int:
    """The most satoshis that the wallet held after any transaction."""
    past, gone = wallet.past, wallet.past.spent
    when = np.concatenate([past.makers, past.spenders[gone]])
    change = np.concatenate([past.values, -past.values[gone]])
    if not len(when):
        return 0
    order = np.argsort(when, kind="stable")
    balance = np.cumsum(change[order])
    last = np.append(np.diff(when[order]) != 0, True)
    return int(balance[last].max())


def _comes_back(reader: Reader, spends: I64, scripts: I64, stores: I64) -> Mask:
    """Whether transactions pay the wallet, and beside it at most one script that nobody knows: the store's change."""
    made = outputs_of_many(reader, spends)
    script = reader.column("output", "script")[made.row]
    own = np.bincount(made.owner[np.isin(script, scripts)], minlength=len(spends))
    others = np.bincount(made.owner[~np.isin(script, scripts) & ~np.isin(script, stores)], minlength=len(spends))
    found: Mask = (own > 0) & (others <= 1)
    return found


def _returns(past: Histories, count: int) -> I64:
    """How many different transactions spend each script."""
    return distinct_by(past.owner[past.spent], past.spenders[past.spent], count)
