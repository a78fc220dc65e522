"""The builder's blocks as lists, for references that know no ledger; everything is numbered in chain order."""

from typing import NamedTuple

from mixing_gate import collaborative


class Tx(NamedTuple):
    inputs: list[int]
    outputs: list[int]
    block: int


class PlainChain:
    """Transactions, values and scripts of a chain that was built by `regtest`."""

    def __init__(self, chain):
        self.txs, self.values, self.scripts, self.blocks = [], [], [], []
        self.spent, self.issued = set(), set()
        self.maker, self.spender = [], {}
        numbers = {}
        for height, node in enumerate(chain.branch()):
            self.blocks.append(range(len(self.txs), len(self.txs) + len(node.txids)))
            for place, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
                inputs = [numbers[each.outpoint.txid, each.outpoint.vout] for each in tx.inputs] if place else []
                outputs = list(range(len(self.values), len(self.values) + len(tx.outputs)))
                numbers.update({(txid, vout): number for vout, number in enumerate(outputs)})
                self.values += [output.value_sat for output in tx.outputs]
                self.scripts += [output.script_pubkey for output in tx.outputs]
                self.maker += [len(self.txs)] * len(outputs)
                self.spender.update(dict.fromkeys(inputs, len(self.txs)))
                self.spent.update(inputs)
                self.issued.update(() if place else outputs)
                self.txs.append(Tx(inputs, outputs, height))

    def is_coinbase(self, tx):
        return tx in (block.start for block in self.blocks[self.txs[tx].block : self.txs[tx].block + 1])

    def fee(self, tx):
        """What an ordinary transaction leaves to its block."""
        return sum(self.values[each] for each in self.txs[tx].inputs) - sum(
            self.values[each] for each in self.txs[tx].outputs
        )

    def is_unspendable(self, output):
        return self.scripts[output].startswith(b"\x6a") or len(self.scripts[output]) > 10_000

    def is_mix(self, tx):
        inputs = [(self.values[output], self.scripts[output]) for output in self.txs[tx].inputs]
        # The simulator's judge knows one kind of unspendable output.
        outputs = [
            (self.values[output], b"\x6a" if self.is_unspendable(output) else self.scripts[output])
            for output in self.txs[tx].outputs
        ]
        return bool(inputs) and collaborative(inputs, outputs) != "none"
