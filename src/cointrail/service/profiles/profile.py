"""What does this address or wallet look like: balance, volumes, times, types, fees, unspent outputs?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.reader import Reader
from cointrail.profile import activity, fees, history, script_types
from cointrail.profile.moves import Selection, select
from cointrail.profile.sums import sums
from cointrail.reports.names import Names
from cointrail.service.answers import ListUsed, Moment, Rule, SnapshotName
from cointrail.service.names import moment, name_of, snapshot_name, utc
from cointrail.service.prices.beside import Beside
from cointrail.service.profiles.asked import EVERYTHING, Asked, FilterAnswer, Standing, filter_answer, standing_of
from cointrail.service.profiles.gross import gross_worth
from cointrail.service.profiles.spelled import addresses
from cointrail.service.tracing.found import Wallet, wallet_of
from cointrail.service.tracing.seeds import CLUSTER
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue

I64 = npt.NDArray[np.int64]

STEPS: Final = 200
"""Steps of the balance that an answer shows at most, if nothing else is asked for."""

SHOWN: Final = 25
"""Unspent outputs that an answer shows at most, if nothing else is asked for."""

_PORTION = 10_000  # rows named together
_LABELS: Final = {int(each): each.label for each in ScriptType}


@dataclass(frozen=True, slots=True)
class BalanceStep:
    """The balance after a block in which the wallet moved; `fiat`, if asked for: its worth at that block's time."""

    height: int
    time_utc: str
    balance_sat: int
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class BalanceAnswer:
    """The balance over the heights of the filter; amounts do not filter it.

    `steps` of `total` blocks in which the wallet moved; where they are fewer, extremes are kept and each is exact.
    `closing_fiat`, if asked for: worth of `closing_sat` at the time of the filter's last block.
    """

    opening_sat: int
    closing_sat: int
    highest: BalanceStep | None
    total: int
    steps: tuple[BalanceStep, ...]
    closing_fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class FeesAnswer:
    """Fees. `paid_sat`: where all inputs are the wallet's; `shared_sat`: where others paid along, the whole fee."""

    paid_sat: int
    paid_transactions: int
    shared_sat: int
    shared_transactions: int


@dataclass(frozen=True, slots=True)
class TypeAnswer:
    """What was received on scripts of one type, and what of it is unspent."""

    script_type: str
    scripts: int
    outputs: int
    received_sat: int
    unspent_outputs: int
    unspent_sat: int


@dataclass(frozen=True, slots=True)
class ReuseAnswer:
    """How scripts were paid again: `reused` by two transactions or more, `after_spending` when their key was shown."""

    paid_scripts: int
    reused: int
    after_spending: int
    most_transactions: int


@dataclass(frozen=True, slots=True)
class ClockAnswer:
    """Numbers of transactions by hour from midnight on and by day from Monday on: UTC, as miners declared the time."""

    hours: tuple[int, ...]
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnspentAnswer:
    """An output that could be spent at the end of the filter's heights.

    `fiat`, if asked for: what it was worth at the time of the block that made it.
    """

    outpoint: str
    height: int
    time_utc: str
    value_sat: int
    address: str | None
    script_type: str
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """An address or wallet. Sums are facts about its scripts, every output once; that they are one wallet may be none.

    `received_sat` and `spent_sat` are gross; `returned_sat` is what the wallet paid itself, transaction by transaction,
    and without it both are net. `receiving` transactions spend nothing of the wallet. `balance_sat` holds at the end of
    the filter's heights; `unspent` is a page of `unspent_outputs`, the largest first. `unspendable_sat` was received
    and neither spent nor spendable. `receipts` and `spends` are the clocks of receiving and sending transactions.

    If money was asked for, by `prices`: `received_fiat` and `unspent_fiat` sum outputs at the time of the block that
    made each, `spent_fiat` at that of the block that spent each, `returned_fiat` by transaction at the time of its
    block. `balance_fiat` is one amount, at the time of the filter's last block.
    """

    wallet: str
    scripts: int
    oldest: str
    asked: FilterAnswer
    balance_sat: int
    received_sat: int
    spent_sat: int
    returned_sat: int
    received_net_sat: int
    spent_net_sat: int
    unspendable_sat: int
    coinbase_sat: int
    coinbases: int
    transactions: int
    receiving: int
    sending: int
    outputs: int
    inputs: int
    unspent_outputs: int
    unspent_sat: int
    first_seen: Moment | None
    last_seen: Moment | None
    balance: BalanceAnswer
    fees: FeesAnswer
    script_types: tuple[TypeAnswer, ...]
    reuse: ReuseAnswer
    receipts: ClockAnswer
    spends: ClockAnswer
    first: int
    unspent: tuple[UnspentAnswer, ...]
    rules: tuple[Rule, ...]
    lists: tuple[ListUsed, ...]
    overlay: str | None
    snapshot: SnapshotName
    basis: Literal["fact", "inference", "assertion"]
    received_fiat: FiatTotal | None = None
    spent_fiat: FiatTotal | None = None
    returned_fiat: FiatTotal | None = None
    unspent_fiat: FiatTotal | None = None
    balance_fiat: FiatValue | None = None
    prices: FiatPrices | None = None


class Profile:
    """One wallet under a filter, read once; whatever is asked about it comes from here.

    Args:
        reader: the ledger at a snapshot.
        text: an address, or `cluster:` and an address.
        overlay: a file of corrections, applied to the cluster.
        asked: which transactions count.
        worth: values amounts in money; nothing if not given.

    Raises:
        UsageError: there is an overlay and no cluster, or the filter contradicts itself.
        InputRefused: no address, or no time, or the overlay is refused.
        NotFound: not in this snapshot.
        Unavailable: the ledger is damaged, or its clusters do not reach the snapshot.
    """

    def __init__(
        self,
        reader: Reader,
        text: str,
        *,
        overlay: Path | None = None,
        asked: Asked = EVERYTHING,
        worth: Beside | None = None,
    ) -> None:
        self.reader, self.text = reader, text
        self.worth = worth or Beside(reader)
        self.window = asked.window(reader)
        self.wallet: Wallet = wallet_of(reader, text, overlay)
        self.found: Selection = select(reader, self.wallet.scripts, self.window)

    def answer(self, *, steps: int = STEPS, first: int = 0, limit: int | None = SHOWN) -> ProfileAnswer:
        """The whole profile.

        Args:
            steps: of the balance that are shown at most, at least four.
            first: number of the first unspent output shown.
            limit: most unspent outputs, None for all.
        """
        reader, found = self.reader, self.found
        counted, standing = sums(reader, found), standing_of(reader, self.text, self.wallet)
        paid, again = fees.fees(reader, found), script_types.reuse(found)
        receipts, spends = activity.clocks(reader, found)
        balance = self.balance(steps)
        received_fiat, spent_fiat = gross_worth(self.worth, found)
        returned_fiat, unspent_fiat = self._worth_of_rest()
        return ProfileAnswer(
            wallet=self.text,
            scripts=len(self.wallet.scripts),
            oldest=name_of(reader, int(self.wallet.scripts[0])),
            asked=filter_answer(self.window),
            balance_sat=balance.closing_sat,
            received_sat=counted.received_sat,
            spent_sat=counted.spent_sat,
            returned_sat=counted.returned_sat,
            received_net_sat=counted.received_sat - counted.returned_sat,
            spent_net_sat=counted.spent_sat - counted.returned_sat,
            unspendable_sat=counted.unspendable_sat,
            coinbase_sat=counted.coinbase_sat,
            coinbases=counted.coinbases,
            transactions=counted.transactions,
            receiving=counted.receiving,
            sending=counted.sending,
            outputs=counted.outputs,
            inputs=counted.inputs,
            unspent_outputs=counted.unspent_outputs,
            unspent_sat=counted.unspent_sat,
            first_seen=None if counted.first_tx is None else moment(reader, counted.first_tx),
            last_seen=None if counted.last_tx is None else moment(reader, counted.last_tx),
            balance=balance,
            fees=FeesAnswer(paid.paid_sat, paid.paid_in, paid.shared_sat, paid.shared_in),
            script_types=tuple(_type_answer(each) for each in script_types.by_type(reader, found)),
            reuse=ReuseAnswer(again.paid, again.again, again.after_spending, again.most),
            receipts=ClockAnswer(tuple(receipts.hours.tolist()), tuple(receipts.days.tolist())),
            spends=ClockAnswer(tuple(spends.hours.tolist()), tuple(spends.days.tolist())),
            first=first,
            unspent=tuple(self.unspent(first, limit)),
            rules=standing.rules,
            lists=standing.lists,
            overlay=standing.overlay,
            snapshot=snapshot_name(reader),
            basis=_basis(self.text, standing),
            received_fiat=received_fiat,
            spent_fiat=spent_fiat,
            returned_fiat=returned_fiat,
            unspent_fiat=unspent_fiat,
            balance_fiat=balance.closing_fiat,
            prices=self.worth.prices,
        )

    def _worth_of_rest(self) -> tuple[FiatTotal | None, FiatTotal | None]:
        """(paid itself, unspent) in money."""
        if self.worth.prices is None:
            return None, None
        found, touched = self.found, self.found.touched
        returned = np.minimum(touched.received, touched.spent)[found.keep]
        made = touched.height[touched.made_at[found.unspent]]
        return (
            self.worth.total_at(returned, touched.height[found.keep]),
            self.worth.total_at(found.moves.values[found.unspent], made),
        )

    @property
    def unspent_outputs(self) -> int:
        """How many outputs `unspent` gives."""
        return int(np.count_nonzero(self.found.unspent))

    def balance(self, steps: int | None = None) -> BalanceAnswer:
        """The balance over time; every step if no number is given."""
        whole = history.balances(self.found)
        shown = whole if steps is None else whole.shortened(steps)
        top = int(whole.balance.argmax()) if len(whole.height) else None
        times = self.reader.column("block", "time")
        last = self.window.last  # below all blocks if none lies between two times
        return BalanceAnswer(
            opening_sat=whole.opening_sat,
            closing_sat=whole.closing_sat,
            highest=None if top is None else self._step(times, int(whole.height[top]), int(whole.balance[top])),
            total=len(whole.height),
            steps=tuple(
                self._step(times, *each) for each in zip(shown.height.tolist(), shown.balance.tolist(), strict=True)
            ),
            closing_fiat=None if last < 0 else self.worth.at(whole.closing_sat, last),
        )

    def _step(self, times: npt.NDArray[np.uint32], height: int, balance_sat: int) -> BalanceStep:
        return BalanceStep(height, utc(int(times[height])), balance_sat, self.worth.at(balance_sat, height))

    def unspent(self, first: int = 0, limit: int | None = None) -> Iterator[UnspentAnswer]:
        """What could be spent at the end, the largest first, then in chain order; made as it is asked for."""
        moves = self.found.moves
        rows = np.flatnonzero(self.found.unspent)
        rows = rows[np.argsort(-moves.values[rows], kind="stable")][first : None if limit is None else first + limit]
        names = Names(self.reader)
        for begin in range(0, len(rows), _PORTION):
            yield from self._named(names, moves.outputs[rows[begin : begin + _PORTION]])

    def _named(self, names: Names, outputs: I64) -> Iterator[UnspentAnswer]:
        tx_index, _ = names.places(outputs)
        scripts, heights, values = names.scripts(outputs), names.heights(tx_index).tolist(), names.values(outputs)
        kinds = self.reader.column("script", "type")[scripts].tolist()
        columns = (
            names.outpoints(outputs),
            heights,
            names.times(tx_index),
            values.tolist(),
            addresses(self.reader, scripts),
            [_LABELS[kind] for kind in kinds],
            map(self.worth.at, values.tolist(), heights),
        )
        for cells in zip(*columns, strict=True):
            yield UnspentAnswer(*cells)


def profile(
    reader: Reader,
    text: str,
    *,
    overlay: Path | None = None,
    asked: Asked = EVERYTHING,
    steps: int = STEPS,
    first: int = 0,
    limit: int | None = SHOWN,
    worth: Beside | None = None,
) -> ProfileAnswer:
    """The profile of an address or of `cluster:ADDRESS`; see `Profile`."""
    found = Profile(reader, text, overlay=overlay, asked=asked, worth=worth)
    return found.answer(steps=steps, first=first, limit=limit)


def _basis(text: str, standing: Standing) -> Literal["fact", "inference", "assertion"]:
    if not text.startswith(CLUSTER):
        return "fact"
    return "inference" if standing.overlay is None else "assertion"


def _type_answer(each: script_types.TypeSums) -> TypeAnswer:
    return TypeAnswer(
        script_type=each.script_type.label,
        scripts=each.scripts,
        outputs=each.outputs,
        received_sat=each.received_sat,
        unspent_outputs=each.unspent_outputs,
        unspent_sat=each.unspent_sat,
    )
