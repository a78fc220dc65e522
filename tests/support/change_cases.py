"""Hand-made payments for tests of change rules: who pays whom from what, and in which form the outputs are spent."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from regtest import Form, Lock, RegtestChain, UnspentOutput, anyone_can_spend
from signed_spends import FINAL, unspent_of

from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput

COMPRESSED_KEY = b"\x02" + b"\x07" * 32
UNCOMPRESSED_KEY = b"\x04" + b"\x07" * 64
_DROPS = 2  # every script takes two items of the spender's choice: a signature and a key


def signature(low_r: bool = True, hash_type: int = 1) -> bytes:
    """The outer form of a DER signature."""
    r = b"\x01" * 32 if low_r else b"\x00" + b"\x81" * 32
    body = b"\x02" + bytes([len(r)]) + r + b"\x02\x20" + b"\x02" * 32
    return b"\x30" + bytes([len(body)]) + body + bytes([hash_type])


@cache
def _empty_blocks() -> RegtestChain:
    chain = RegtestChain()
    chain.mine_empty(103)
    return chain


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of a transaction.

    Attributes:
        version, lock_time, sequence: as in the transaction; the sequence is that of every input.
        items: what each input gives.
        others: values of further inputs, after the first.
        outputs: how many outputs share the value.
        fee_sat: its fee.
    """

    version: int = 2
    lock_time: int = 0
    sequence: int = FINAL
    items: tuple[bytes, bytes] = (b"", b"")
    others: tuple[int, ...] = ()
    outputs: int = 2
    fee_sat: int = 1_000


@dataclass(eq=False)
class Stage:
    """Payments in chain order; `mine` ends the story."""

    chain: RegtestChain = field(default_factory=lambda: deepcopy(_empty_blocks()))
    made: list[Transaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._purse = self.chain.spendable()
        self._names = count()

    def lock(self, form: Form = Form.P2WSH) -> Lock:
        """A script that nobody has seen."""
        return self.chain.learn(anyone_can_spend(form, b"%d" % next(self._names), drops=_DROPS))

    def coin(self, value_sat: int, lock: Lock | None = None) -> UnspentOutput:
        """An output of its own; its script counts as seen from here on."""
        at = max(range(len(self._purse)), key=lambda place: self._purse[place].value_sat)
        source = self._purse.pop(at)
        rest = (source.value_sat - value_sat, self.chain.locks[source.script_pubkey])
        coin, left = self.send([source], [(value_sat, lock or self.lock()), rest], Shape(items=()))
        self._purse.append(left)
        return coin

    def seen(self, form: Form = Form.P2WSH) -> Lock:
        """A script that was paid before."""
        lock = self.lock(form)
        self.coin(5_000, lock)
        return lock

    def send(
        self,
        prevouts: Sequence[UnspentOutput],
        outputs: Sequence[tuple[int, Lock]],
        shape: Shape = Shape(),
    ) -> list[UnspentOutput]:
        """One transaction with exactly these outputs; the fee is what is left."""
        inputs = []
        for prevout in prevouts:
            script_sig, witness = self.chain.locks[prevout.script_pubkey].unlock(shape.items)
            inputs.append(TransactionInput(prevout.outpoint, script_sig, shape.sequence, witness))
        paid = tuple(TransactionOutput(value, lock.script_pubkey) for value, lock in outputs)
        self.made.append(Transaction(shape.version, tuple(inputs), paid, shape.lock_time))
        return unspent_of(self.made[-1])

    def spend(self, prevout: UnspentOutput, shape: Shape) -> list[UnspentOutput]:
        """Spend an output in a given form to scripts that nobody has seen."""
        taken = [prevout, *(self.coin(value) for value in shape.others)]
        share = (sum(each.value_sat for each in taken) - shape.fee_sat) // shape.outputs
        left = sum(each.value_sat for each in taken) - shape.fee_sat - share * (shape.outputs - 1)
        values = [left] + [share] * (shape.outputs - 1)
        return self.send(taken, [(value, self.lock()) for value in values], shape)

    def payment(self, own: Shape, *spenders: Shape | None) -> bytes:
        """A payment to two scripts that nobody has seen, whose outputs are spent as told; gives its txid."""
        outputs = self.spend(self.coin(3_000_017), own)
        txid = self.made[-1].txid
        for output, spender in zip(outputs, spenders, strict=True):
            if spender is not None:
                self.spend(output, spender)
        return txid

    def mine(self) -> RegtestChain:
        """Put all into one block."""
        self.chain.mine(self.made, claim_sat=0)
        return self.chain
