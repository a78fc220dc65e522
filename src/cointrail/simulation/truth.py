"""The truth of a world: one row class for each table of SCENARIO.md 4, and `Truth`, which keeps the rows.

What follows from the chain alone (transactions, inputs, outputs) is kept as columns by `flows` and turned into
rows when it is written; the other tables are lists. Keys are 32 bytes in internal order, and an empty key means none;
amounts are satoshi, times ISO 8601 with `Z`.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cointrail.simulation.actors.coinjoins import MixLink
from cointrail.simulation.columns import Words
from cointrail.simulation.flows import NOBODY as NOBODY
from cointrail.simulation.flows import Flows
from cointrail.simulation.world import Entity

EntityRow = Entity


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """A script and its true owner. `used`: paid on the chain; `swept`: at least one of its outputs was spent."""

    script_hash: bytes
    script_pubkey: bytes
    entity_id: int
    wallet_id: int
    role: str
    account_id: str
    derivation: str
    used: bool
    swept: bool
    l1_reachable: bool


@dataclass(frozen=True, slots=True)
class MarketAddressRow:
    """An address of the market: `source` is xpub or legacy, `user_id` the market's user or -1."""

    address: str
    script_hash: bytes
    source: str
    position: int
    user_id: int
    used: bool


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A transaction and what it truly was."""

    txid: bytes
    height: int
    position: int
    kind: str
    protocol: str
    label: str
    initiator_id: int
    fee_sat: int


@dataclass(frozen=True, slots=True)
class InputRow:
    """An input and whose coin it spends."""

    txid: bytes
    input_position: int
    previous_txid: bytes
    previous_vout: int
    entity_id: int


@dataclass(frozen=True, slots=True)
class OutputRow:
    """An output, whose it is (`NOBODY` for OP_RETURN), and whether it returns to a payer."""

    txid: bytes
    vout: int
    value_sat: int
    script_hash: bytes
    entity_id: int
    is_change: bool


@dataclass(frozen=True, slots=True)
class MixLinkRow:
    """A true pair of input and output inside a CoinJoin, a PayJoin or the mixer."""

    txid: bytes
    input_position: int
    vout: int
    entity_id: int


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment to the market: its route, and the verdict a perfect investigation gives."""

    payment_id: int
    user_id: int
    buyer_id: int
    txid: bytes
    vout: int
    value_sat: int
    height: int
    time_utc: str
    route: str
    hops: int
    verdict: str
    stop_txid: bytes
    stop_reason: str


@dataclass(frozen=True, slots=True)
class PaymentSourceRow:
    """Which exchange withdrawal truly funded a payment; `value_sat` is that withdrawal output's value."""

    payment_id: int
    exchange: str
    account_id: str
    withdrawal_txid: bytes
    withdrawal_vout: int
    value_sat: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account at an exchange."""

    account_id: str
    exchange: str
    holder_id: int
    country: str
    is_target: bool


@dataclass(frozen=True, slots=True)
class CashoutRow:
    """An output by which the operator's money reached an exchange account."""

    leg: str
    account_id: str
    txid: bytes
    vout: int
    value_sat: int
    via: str


@dataclass(frozen=True, slots=True)
class TaintRow:
    """Taint of a target under one rule."""

    target_id: str
    rule: str
    source_set: str
    total_sat: int
    traced_sat: int
    untraced_sat: int
    fee_sat: int
    lower_sat: int
    upper_sat: int


@dataclass(frozen=True, slots=True)
class ArtefactRow:
    """Something planted in the seized media; `script_hash` is empty where it means no script."""

    path: str
    container_path: str
    offset: int
    length: int
    kind: str
    is_secret: bool
    value_sha256: bytes
    script_hash: bytes
    is_decoy: bool


@dataclass(frozen=True, slots=True)
class ContradictionRow:
    """A row of an exchange's return that does not fit the chain, on purpose."""

    exchange: str
    file: str
    row: int
    type: str
    field: str
    true_value: str


@dataclass(frozen=True, slots=True)
class ConclusionRow:
    """A conclusion and whether it survives without change rules and under FIFO."""

    conclusion_id: str
    statement: str
    survives_l1_fifo: bool


class MarketAddresses:
    """The market's addresses, more than a million at large, as columns; iterating gives rows in order of `append`."""

    __slots__ = ("_addresses", "_ends", "_hashes", "_positions", "_sources", "_used", "_users")

    def __init__(self) -> None:
        self._addresses, self._ends = bytearray(), array("q", (0,))
        self._hashes, self._sources = bytearray(), Words()
        self._positions, self._users, self._used = array("q"), array("q"), bytearray()

    def append(self, row: MarketAddressRow) -> None:
        """Add a row."""
        self._addresses += row.address.encode("ascii")
        self._ends.append(len(self._addresses))
        self._hashes += row.script_hash
        self._sources.append(row.source)
        self._positions.append(row.position)
        self._users.append(row.user_id)
        self._used.append(row.used)

    def __len__(self) -> int:
        return len(self._used)

    def __getitem__(self, number: int) -> MarketAddressRow:
        return MarketAddressRow(
            self._addresses[self._ends[number] : self._ends[number + 1]].decode("ascii"),
            bytes(self._hashes[32 * number : 32 * number + 32]),
            self._sources[number],
            self._positions[number],
            self._users[number],
            bool(self._used[number]),
        )

    def __iter__(self) -> Iterator[MarketAddressRow]:
        return (self[number] for number in range(len(self)))


@dataclass(slots=True, eq=False)
class Truth(Flows):
    """Everything that is true of a world. A `world.Recorder`; the plot and the inputs append to the lists.

    Attributes:
        l1_reachable: numbers of scripts in their entity's main co-spend component (set by the plot).
    """

    l1_reachable: set[int] = field(default_factory=set)

    market_addresses: MarketAddresses = field(default_factory=MarketAddresses)
    mix_links: list[MixLinkRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    payment_sources: list[PaymentSourceRow] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    cashouts: list[CashoutRow] = field(default_factory=list)
    taint: list[TaintRow] = field(default_factory=list)
    artefacts: list[ArtefactRow] = field(default_factory=list)
    contradictions: list[ContradictionRow] = field(default_factory=list)
    conclusions: list[ConclusionRow] = field(default_factory=list)

    def mix(self, link: MixLink) -> None:
        """A true pair inside a CoinJoin, a PayJoin or the mixer."""
        self.mix_links.append(MixLinkRow(link.txid, link.input_position, link.vout, link.entity_id))

    # Rows.

    def script_rows(self) -> Iterator[ScriptRow]:
        """The table `scripts`."""
        used, swept = bytearray(len(self.scripts)), bytearray(len(self.scripts))
        for number in self.script_numbers:
            if number >= 0:
                used[number] = 1
        for output in self.spent:
            swept[self.script_numbers[output]] = 1
        for number, script in enumerate(self.scripts):
            yield ScriptRow(
                _hash(script.script_pubkey),
                script.script_pubkey,
                script.entity_id,
                script.wallet_id,
                script.role,
                script.account_id,
                script.derivation,
                bool(used[number]),
                bool(swept[number]),
                number in self.l1_reachable,
            )

    def transaction_rows(self) -> Iterator[TransactionRow]:
        """The table `transactions`."""
        for number in self.chain_order():
            yield TransactionRow(
                self.txid(number),
                self.heights[number],
                self.positions[number],
                self.kinds[number],
                self.protocols[number],
                self.labels[number],
                self.initiators[number],
                self.fees[number],
            )

    def input_rows(self) -> Iterator[InputRow]:
        """The table `inputs`; coinbases have none."""
        for number in self.chain_order():
            txid, first = self.txid(number), self.first_input[number]
            for position, output in enumerate(self.spent[first : self.first_input[number + 1]]):
                yield InputRow(txid, position, *self.outpoint(output), self.owner(output))

    def output_rows(self) -> Iterator[OutputRow]:
        """The table `outputs`."""
        for number in self.chain_order():
            txid, first = self.txid(number), self.first_output[number]
            for output in range(first, self.first_output[number + 1]):
                yield OutputRow(
                    txid,
                    output - first,
                    self.values[output],
                    _hash(self.script_pubkey(output)),
                    self.owner(output),
                    bool(self.changes[output]),
                )

    def tables(self) -> Iterator[tuple[str, type, Iterable[object]]]:
        """(name, row class, rows) of every table, in the order of SCENARIO.md 4."""
        yield "entities", EntityRow, self.entities
        yield "scripts", ScriptRow, self.script_rows()
        yield "market_addresses", MarketAddressRow, self.market_addresses
        yield "transactions", TransactionRow, self.transaction_rows()
        yield "inputs", InputRow, self.input_rows()
        yield "outputs", OutputRow, self.output_rows()
        yield "mix_links", MixLinkRow, self.mix_links
        yield "payments", PaymentRow, self.payments
        yield "payment_sources", PaymentSourceRow, self.payment_sources
        yield "accounts", AccountRow, self.accounts
        yield "cashouts", CashoutRow, self.cashouts
        yield "taint", TaintRow, self.taint
        yield "artefacts", ArtefactRow, self.artefacts
        yield "contradictions", ContradictionRow, self.contradictions
        yield "conclusions", ConclusionRow, self.conclusions


def _hash(script_pubkey: bytes) -> bytes:
    return hashlib.sha256(script_pubkey).digest()
