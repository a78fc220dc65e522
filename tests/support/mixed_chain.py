"""A regtest ledger of transactions with wanted amounts: every input and output has a script of its own."""

from collections.abc import Sequence
from pathlib import Path

from chain_tree import UnspentOutput
from regtest import Form, RegtestChain, anyone_can_spend, write_block_files

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction, TransactionOutput
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest

NOTE = b"\x6a\x02hi"
"""An OP_RETURN script."""


class MixedChain:
    """Add transactions, then write the ledger."""

    def __init__(self) -> None:
        self.chain = RegtestChain()
        self.chain.mine_empty(112)
        self._purse = self.chain.spendable()
        self._made: list[Transaction] = []
        self._scripts = 0

    def add(self, inputs: Sequence[int], outputs: Sequence[int], *, note: bool = False) -> str:
        """Fund inputs of these values and pay outputs of these; gives the displayed txid. `note` adds an OP_RETURN."""
        wanted, spent, total = sum(inputs), [], 0
        while total <= wanted:
            spent.append(self._purse.pop(0))
            total += spent[-1].value_sat
        funding = self._spend(spent, [*map(self._paid, inputs), TransactionOutput(total - wanted, b"\x51")])
        *prevouts, change = _unspent(funding)
        self._purse.append(change)
        made = [*map(self._paid, outputs)] + [TransactionOutput(0, NOTE)] * note
        return display(self._spend(prevouts, made).txid)

    def write(self, folder: Path) -> Path:
        """Mine it all and ingest it; gives the ledger's folder."""
        self.chain.mine(self._made)
        write_block_files(folder / "blocks", self.chain.serialized(), REGTEST.magic)
        ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
        return folder / "ledger"

    def _paid(self, value: int) -> TransactionOutput:
        self._scripts += 1
        lock = self.chain.learn(anyone_can_spend(Form.BARE, b"mixed %d" % self._scripts))
        return TransactionOutput(value, lock.script_pubkey)

    def _spend(self, prevouts: Sequence[UnspentOutput], outputs: Sequence[TransactionOutput]) -> Transaction:
        tx = self.chain.spend(list(prevouts), list(outputs))
        self._made.append(tx)
        return tx


def _unspent(tx: Transaction) -> list[UnspentOutput]:
    return [
        UnspentOutput(tx.txid, vout, output.value_sat, output.script_pubkey, 0, is_coinbase=False)
        for vout, output in enumerate(tx.outputs)
    ]
