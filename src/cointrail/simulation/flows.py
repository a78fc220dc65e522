"""The chain's truth as columns of numbers: who paid what to whom, a few dozen bytes an output.

Transactions are numbered as they are recorded (a block's coinbase after its other transactions: still nothing is spent
before it exists), outputs too.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from cointrail.simulation.columns import Scripts, Words
from cointrail.simulation.keys import Script
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity, Sent

NOBODY = -1
"""Entity of an output that nobody can spend (OP_RETURN)."""


@dataclass(slots=True, eq=False)
class Flows:
    """Every transaction of a world. A `world.Recorder`.

    Columns by transaction: txids (32 bytes each), heights, positions, kinds, protocols, labels, initiators, fees,
    first_output and first_input (one entry more than transactions). By input: spent, the number of the output it
    spends. By output: values, script_numbers (negative for an OP_RETURN, `-1 - n` standing for `data[n]`), changes,
    output_transactions.

    Attributes:
        entities, wallets, scripts: in order of their numbers.
        numbers: transactions by txid.
    """

    entities: list[Entity] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    scripts: Scripts = field(default_factory=Scripts)
    numbers: dict[bytes, int] = field(default_factory=dict)
    txids: bytearray = field(default_factory=bytearray)
    heights: "array[int]" = field(default_factory=lambda: array("i"))
    positions: "array[int]" = field(default_factory=lambda: array("i"))
    kinds: Words = field(default_factory=Words)
    protocols: Words = field(default_factory=Words)
    labels: Words = field(default_factory=Words)
    initiators: "array[int]" = field(default_factory=lambda: array("i"))
    fees: "array[int]" = field(default_factory=lambda: array("q"))
    first_input: "array[int]" = field(default_factory=lambda: array("q", (0,)))
    first_output: "array[int]" = field(default_factory=lambda: array("q", (0,)))
    spent: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[int]" = field(default_factory=lambda: array("q"))
    script_numbers: "array[int]" = field(default_factory=lambda: array("i"))
    changes: bytearray = field(default_factory=bytearray)
    output_transactions: "array[int]" = field(default_factory=lambda: array("i"))
    data: list[bytes] = field(default_factory=list)

    # What the world reports.

    def entity(self, entity: Entity) -> None:
        """A new entity."""
        self.entities.append(entity)

    def wallet(self, wallet: Wallet) -> None:
        """A new wallet."""
        self.wallets.append(wallet)

    def script(self, script: Script) -> None:
        """A new script; its fields are final now."""
        assert script.number == len(self.scripts), "scripts come in order"
        self.scripts.append(script)

    def sent(self, sent: Sent) -> None:
        """A transaction."""
        number = len(self.heights)
        self.numbers[sent.txid] = number
        self.txids += sent.txid
        self.heights.append(sent.height)
        self.positions.append(sent.position)
        self.kinds.append(sent.kind)
        self.protocols.append(sent.protocol)
        self.labels.append(sent.label)
        self.initiators.append(sent.initiator_id)
        self.fees.append(sent.fee_sat)
        for coin in sent.inputs:
            self.spent.append(self.output_number(coin.outpoint))
        for payment in sent.outputs:
            self._output(number, payment.value_sat, payment.script.number, change=payment.change)
        if sent.data:
            self.data.append(sent.data)
            self._output(number, 0, -len(self.data), change=False)
        self.first_input.append(len(self.spent))
        self.first_output.append(len(self.values))

    def _output(self, transaction: int, value_sat: int, script_number: int, *, change: bool) -> None:
        self.values.append(value_sat)
        self.script_numbers.append(script_number)
        self.changes.append(change)
        self.output_transactions.append(transaction)

    # Asking.

    def txid(self, transaction: int) -> bytes:
        """Id of the transaction of that number."""
        return bytes(self.txids[32 * transaction : 32 * transaction + 32])

    def output_number(self, outpoint: bytes) -> int:
        """Number of the output that 36 bytes refer to."""
        return self.first_output[self.numbers[outpoint[:32]]] + int.from_bytes(outpoint[32:], "little")

    def outpoint(self, output: int) -> tuple[bytes, int]:
        """(txid, vout) of the output of that number."""
        transaction = self.output_transactions[output]
        return self.txid(transaction), output - self.first_output[transaction]

    def script_pubkey(self, output: int) -> bytes:
        """Script of the output of that number."""
        number = self.script_numbers[output]
        return self.data[-1 - number] if number < 0 else self.scripts.script_pubkey(number)

    def owner(self, output: int) -> int:
        """Entity whose output it is."""
        number = self.script_numbers[output]
        return NOBODY if number < 0 else self.scripts.entities[number]

    def labelled(self, label: str) -> list[int]:
        """Numbers of the transactions of that label."""
        return [number for number in range(len(self.heights)) if self.labels[number] == label]

    def chain_order(self) -> Iterator[int]:
        """Numbers of all transactions in chain order: each block's coinbase first."""
        start = 0
        for number, position in enumerate(self.positions):
            if position == 0:
                yield number
                yield from range(start, number)
                start = number + 1
        assert start == len(self.positions), "the last block was not finished"
