"""Whom did this address or wallet deal with, and for how much?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import RULES as GATE
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.profile.counterparties import RULE, Direction, Group, Rank, counterparties
from cointrail.profile.counterparties import Counterparties as Rows
from cointrail.profile.moves import select
from cointrail.profile.payments import Book, book
from cointrail.service.answers import FACT, INFERENCE, ListUsed, Moment, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.clustering.levels import lists_used
from cointrail.service.names import moment, snapshot_name, txid_of
from cointrail.service.prices.beside import Beside
from cointrail.service.profiles.asked import EVERYTHING, Asked, FilterAnswer, filter_answer
from cointrail.service.profiles.gross import gross_worth
from cointrail.service.profiles.page import Naming, Page, payments_of
from cointrail.service.tracing.found import Attributed, attributed, wallet_of
from cointrail.service.tracing.seeds import CLUSTER
from cointrail.service.tracing.services import find_services
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue

I64 = npt.NDArray[np.int64]

SHOWN: Final = 25
"""Rows that an answer shows at most, if nothing else is asked for."""

_SAMPLES = 3  # transactions named in a row
_MIXES = 25  # collaborative transactions named
_PORTION = 10_000  # rows named together

_Word = TypeVar("_Word", Group, Rank, Direction)


@dataclass(frozen=True, slots=True)
class CounterpartyAnswer:
    """Somebody on the other side of the wallet's transactions.

    `kind` says what `name` is: an address or script, a cluster_id, or an actor of tags. Of `received_sat` and
    `sent_sat` together, `divided_sat` rests on dividing transactions that several paid for. `net_sat` is what it paid
    less what it was paid. `txids` are the transactions that moved most. `same_cluster`: some of it lies in an L1
    cluster of the wallet's own scripts, so that this may be the wallet paying itself. `received_fiat` and `sent_fiat`,
    if asked for, sum the payments, each at the time of its block.
    """

    kind: str
    name: str
    attributed: tuple[Attributed, ...]
    scripts: int
    received_sat: int
    sent_sat: int
    net_sat: int
    divided_sat: int
    transactions: int
    first_seen: Moment
    last_seen: Moment
    txids: tuple[str, ...]
    same_cluster: bool
    basis: str
    received_fiat: FiatTotal | None = None
    sent_fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class MixAnswer:
    """A collaborative transaction: what the wallet put in and took out. Nothing is said about whose is the rest.

    `received_fiat` and `spent_fiat`, if asked for: what that was worth at the block's time.
    """

    txid: str
    height: int
    time_utc: str
    received_sat: int
    spent_sat: int
    received_fiat: FiatValue | None = None
    spent_fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class TotalsAnswer:
    """Where all of the wallet's money came from and went to, in the transactions that count.

    `spent_sat` = `sent_sat` + `change_sat` + `fees_sat` + `unspendable_sat` + `mixed_spent_sat`; `received_sat` =
    `received_from_others_sat` + `change_sat` + `coinbase_sat` + `mixed_received_sat`.

    If money was asked for, each sum is that of its amounts at the times of their blocks: outputs received and spent,
    payments by and to others, collaborative transactions.
    """

    received_sat: int
    spent_sat: int
    received_from_others_sat: int
    sent_sat: int
    change_sat: int
    fees_sat: int
    unspendable_sat: int
    coinbase_sat: int
    coinbases: int
    mixed_received_sat: int
    mixed_spent_sat: int
    mixed_transactions: int
    received_fiat: FiatTotal | None = None
    spent_fiat: FiatTotal | None = None
    received_from_others_fiat: FiatTotal | None = None
    sent_fiat: FiatTotal | None = None
    mixed_received_fiat: FiatTotal | None = None
    mixed_spent_fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class CounterpartiesAnswer:
    """Counterparties by rank; a page of `total`. `mixed` names the first collaborative transactions.

    If money was asked for, amounts in it are by `prices`.
    """

    wallet: str
    scripts: int
    by: str
    rank: str
    direction: str
    asked: FilterAnswer
    totals: TotalsAnswer
    mixed: tuple[MixAnswer, ...]
    total: int
    first: int
    counterparties: tuple[CounterpartyAnswer, ...]
    overlay: str | None
    tags: TagsUsed | None
    rules: tuple[Rule, ...]
    lists: tuple[ListUsed, ...]
    snapshot: SnapshotName
    basis: Literal["inference"] = INFERENCE
    prices: FiatPrices | None = None


class Counterparties:
    """The counterparties of one wallet under a filter, divided once; rows are named as they are asked for.

    Args:
        reader: the ledger at a snapshot.
        text: an address, or `cluster:` and an address.
        overlay: a file of corrections, applied to the cluster.
        asked: which transactions count.
        by: what a row stands for: `script`, `cluster` or `entity`.
        rank: what comes first: `gross`, `net`, `received`, `sent`, `transactions`, `last`.
        direction: `both`, or payments `in` or `out` only.
        tags: who is said to be behind scripts.
        worth: values amounts in money; nothing if not given.

    Raises:
        UsageError: there is an overlay and no cluster, an unknown word, or the filter contradicts itself.
        InputRefused: no address, or no time, or the overlay or a file of tags is refused.
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
        by: str = Group.SCRIPT,
        rank: str = Rank.GROSS,
        direction: str = Direction.BOTH,
        tags: TagSource = None,
        worth: Beside | None = None,
    ) -> None:
        self.reader, self.text, self.worth = reader, text, worth or Beside(reader)
        self.by, self.rank, self.direction = _word(Group, by), _word(Rank, rank), _word(Direction, direction)
        self.window = asked.window(reader)
        self.forest = Forest(reader)
        self.services, self.tags = find_services(reader, tags, categories=None)
        self.wallet = wallet_of(reader, text, overlay)
        self.selection = select(reader, self.wallet.scripts, self.window)
        self.book: Book = book(reader, self.forest, self.selection)
        self.rows: Rows = counterparties(
            self.book.payments,
            self.by,
            forest=self.forest,
            services=self.services,
            rank=self.rank,
            direction=self.direction,
        )

    def answer(self, *, first: int = 0, limit: int | None = SHOWN) -> CounterpartiesAnswer:
        """Totals and a page of rows; all of them if there is no limit."""
        end = len(self.rows) if limit is None else min(first + limit, len(self.rows))
        return CounterpartiesAnswer(
            wallet=self.text,
            scripts=len(self.wallet.scripts),
            by=str(self.by),
            rank=str(self.rank),
            direction=str(self.direction),
            asked=filter_answer(self.window),
            totals=self._totals(),
            mixed=tuple(self._mix(place) for place in range(min(_MIXES, len(self.book.mixed_tx)))),
            total=len(self.rows),
            first=first,
            counterparties=tuple(row for page in self.pages(first, end) for row in self._named(page)),
            overlay=self.wallet.overlay,
            tags=self.tags,
            rules=tuple(Rule(*rule) for rule in dict.fromkeys((RULE, *GATE, *self.forest.rules))),
            lists=lists_used(self.forest),
            snapshot=snapshot_name(self.reader),
            prices=self.worth.prices,
        )

    def pages(self, first: int = 0, end: int | None = None) -> Iterator[Page]:
        """Rows with their names, in portions."""
        naming = Naming(self.reader, self.forest, self.services, self.wallet.scripts)
        stop = len(self.rows) if end is None else end
        for begin in range(first, stop, _PORTION):
            yield naming.page(self.rows, self.by, begin, min(begin + _PORTION, stop))

    def bases(self, page: Page) -> list[str]:
        """What kind of statement each row makes: a fact only of a script that alone paid, or that one alone paid."""
        plain = INFERENCE if self.text.startswith(CLUSTER) else FACT
        divided = self.rows.shared[page.first : page.end].tolist()
        found = []
        for kind, part in zip(page.kinds, divided, strict=True):
            if kind is Group.ENTITY:
                found.append("inference resting on an assertion")
            else:
                found.append(plain if kind is Group.SCRIPT and not part else INFERENCE)
        return found

    def worths(self, page: Page) -> tuple[list[FiatTotal | None], list[FiatTotal | None]]:
        """What each row paid, and was paid, in money: its payments at the times of their blocks."""
        count, paid = page.end - page.first, self.rows.payments
        if self.worth.prices is None:
            return [None] * count, [None] * count
        owner, rows = payments_of(self.rows, page.first, page.end)
        heights = self.reader.height_of_transactions(paid.tx[rows])
        received = self.worth.totals_at(paid.received[rows], heights, owner, count)
        return received, self.worth.totals_at(paid.sent[rows], heights, owner, count)

    def _named(self, page: Page) -> list[CounterpartyAnswer]:
        rows, reader = self.rows, self.reader
        received_fiat, sent_fiat = self.worths(page)
        return [
            CounterpartyAnswer(
                kind=page.kinds[place],
                name=page.names[place],
                attributed=tuple(attributed(self.services, number) for number in page.services[place]),
                scripts=int(rows.scripts[row]),
                received_sat=int(rows.received[row]),
                sent_sat=int(rows.sent[row]),
                net_sat=int(rows.received[row] - rows.sent[row]),
                divided_sat=int(rows.shared[row]),
                transactions=int(rows.transactions[row]),
                first_seen=moment(reader, int(rows.first_tx[row])),
                last_seen=moment(reader, int(rows.last_tx[row])),
                txids=tuple(txid_of(reader, tx) for tx in rows.largest(row, _SAMPLES)),
                same_cluster=page.same_cluster[place],
                basis=basis,
                received_fiat=received_fiat[place],
                sent_fiat=sent_fiat[place],
            )
            for place, (row, basis) in enumerate(zip(range(page.first, page.end), self.bases(page), strict=True))
        ]

    def _totals(self) -> TotalsAnswer:
        found, counted = self.book, self.selection
        received_fiat, spent_fiat = gross_worth(self.worth, counted)
        return TotalsAnswer(
            received_sat=int(counted.touched.received[counted.keep].sum()),
            spent_sat=int(counted.touched.spent[counted.keep].sum()),
            received_from_others_sat=int(found.payments.received.sum()),
            sent_sat=int(found.payments.sent.sum()),
            change_sat=found.change_sat,
            fees_sat=found.fees_sat,
            unspendable_sat=found.nobody_sat,
            coinbase_sat=found.coinbase_sat,
            coinbases=found.coinbases,
            mixed_received_sat=int(found.mixed_received.sum()),
            mixed_spent_sat=int(found.mixed_spent.sum()),
            mixed_transactions=len(found.mixed_tx),
            received_fiat=received_fiat,
            spent_fiat=spent_fiat,
            received_from_others_fiat=self._total_at(found.payments.received, found.payments.tx),
            sent_fiat=self._total_at(found.payments.sent, found.payments.tx),
            mixed_received_fiat=self._total_at(found.mixed_received, found.mixed_tx),
            mixed_spent_fiat=self._total_at(found.mixed_spent, found.mixed_tx),
        )

    def _total_at(self, values_sat: I64, tx_index: I64) -> FiatTotal | None:
        if self.worth.prices is None:
            return None
        return self.worth.total_at(values_sat, self.reader.height_of_transactions(tx_index))

    def _mix(self, place: int) -> MixAnswer:
        tx = int(self.book.mixed_tx[place])
        when = moment(self.reader, tx)
        received_sat, spent_sat = int(self.book.mixed_received[place]), int(self.book.mixed_spent[place])
        return MixAnswer(
            txid=txid_of(self.reader, tx),
            height=when.height,
            time_utc=when.time_utc,
            received_sat=received_sat,
            spent_sat=spent_sat,
            received_fiat=self.worth.at(received_sat, when.height),
            spent_fiat=self.worth.at(spent_sat, when.height),
        )


def counterparties_of(
    reader: Reader,
    text: str,
    *,
    overlay: Path | None = None,
    asked: Asked = EVERYTHING,
    by: str = Group.SCRIPT,
    rank: str = Rank.GROSS,
    direction: str = Direction.BOTH,
    tags: TagSource = None,
    first: int = 0,
    limit: int | None = SHOWN,
    worth: Beside | None = None,
) -> CounterpartiesAnswer:
    """A page of the counterparties of an address or of `cluster:ADDRESS`; see `Counterparties`."""
    found = Counterparties(
        reader,
        text,
        overlay=overlay,
        asked=asked,
        by=by,
        rank=rank,
        direction=direction,
        tags=tags,
        worth=worth,
    )
    return found.answer(first=first, limit=limit)


def _word(words: type[_Word], text: str) -> _Word:
    for word in words:
        if word == text:
            return word
    raise UsageError(f"there is no {words.__name__.lower()} {text!r}", hint=f"choose among {', '.join(words)}")
