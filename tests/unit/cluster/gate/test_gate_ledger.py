"""The gate over real ledgers: ingested chains, the two ways to judge, verdicts with their reasons."""

import subprocess
import sys
from random import Random

import mixing_gate
import numpy as np
import pytest
from chain_tree import UnspentOutput
from gate_shapes import BTC, EDGES, ShapeRows
from real_mixes import listed
from regtest import Form, RegtestChain, anyone_can_spend

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.gate import gate
from cointrail.cluster.gate.gate import collaborative, collaborative_mask, distinct_scripts, signs_of
from cointrail.cluster.gate.kinds import INFORMATIVE, RULE_OF, VETO, Kind, Sign, kind_of
from cointrail.cluster.spans import inputs_of_many

OP_RETURN = b"\x6a\x02hi"


class Mixer:
    """Puts transactions of a wanted shape on a chain."""

    def __init__(self):
        self.chain = RegtestChain()
        self.chain.mine_empty(110)
        self.purse = self.chain.spendable()
        self.locks, self.made = {}, []

    def script(self, tag):
        if tag not in self.locks:
            self.locks[tag] = self.chain.learn(anyone_can_spend(Form.BARE, repr(tag).encode()[:60])).script_pubkey
        return self.locks[tag]

    def add(self, inputs, outputs):
        """Fund and make a transaction of (value, tag of the script) on either side; a tag of None is OP_RETURN."""
        funds = [(value, self.script(tag)) for value, tag in inputs]
        wanted, purse, total = sum(value for value, _ in funds), [], 0
        while total <= wanted:
            purse.append(self.purse.pop(0))
            total += purse[-1].value_sat
        funding = self.chain.spend(purse, [TransactionOutput(*each) for each in (*funds, (total - wanted, b"\x51"))])
        *prevouts, change = unspent_of(funding)
        paid = [(value, OP_RETURN if tag is None else self.script(tag)) for value, tag in outputs]
        tx = self.chain.spend(prevouts, [TransactionOutput(*each) for each in paid])
        self.purse += [change, *(each for each in unspent_of(tx) if each.script_pubkey != OP_RETURN)]
        self.made += [funding, tx]
        return tx

    def mine(self):
        self.chain.mine(self.made)
        self.made = []


def unspent_of(tx):
    txid = tx.txid
    return [
        UnspentOutput(txid, vout, output.value_sat, output.script_pubkey, 0, is_coinbase=False)
        for vout, output in enumerate(tx.outputs)
    ]


def sides_on(chain):
    """Inputs and outputs of every transaction of a chain, read from its blocks."""
    made = {}
    for node in chain.branch():
        for place, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
            inputs = [made[each.outpoint.txid][each.outpoint.vout] for each in tx.inputs] if place else []
            made[txid] = [(output.value_sat, output.script_pubkey) for output in tx.outputs]
            yield inputs, made[txid]


def opinion(inputs, outputs):
    """What the simulator's judge says; it has no answer for coinbases and for nothing to spend."""
    return mixing_gate.collaborative(inputs, outputs) if inputs and mixing_gate.spendable(outputs) else "none"


def test_random_shapes_on_a_chain(open_ledger):
    random, mixer = Random("shapes"), Mixer()
    values = (546, 2_730, 2_731, 10_000, 10_000, 20_000, 30_000)
    for _ in range(400):
        inputs = [(100_000, random.randrange(5)) for _ in range(random.randint(1, 6))]
        outputs = [(random.choice(values), 100 + number) for number in range(random.randint(1, 9))]
        outputs = [(value, None if random.random() < 0.1 else tag) for value, tag in outputs]
        mixer.add([*inputs, (BTC // 100, inputs[0][1])], outputs)
    mixer.mine()
    reader = open_ledger(mixer.chain)
    expected = [opinion(*sides) for sides in sides_on(mixer.chain)]
    everything = np.arange(reader.counts.transaction)
    assert [kind_of(each) for each in signs_of(reader, everything).tolist()] == expected
    assert [kind_of(each) for each in signs_of(reader, everything[-200:]).tolist()] == expected[-200:]
    assert [collaborative(reader, tx).kind for tx in everything.tolist()] == expected
    assert collaborative_mask(reader, everything[::-1]).tolist() == [kind != "none" for kind in expected[::-1]]
    assert len(set(expected)) > 2


def test_real_transactions_rebuilt(open_ledger):
    """Values and repetitions of scripts of real mixes; the scripts' types are lost."""
    mixer, rebuilt = Mixer(), []
    for tx in (*listed("wasabi1-2021.txt")[:5], *listed("whirlpool-2024-03-first700.txt")[:60]):
        outputs = [(value, None if script[:1] == b"\x6a" else script) for value, script in tx.outputs]
        rebuilt.append(mixer.add(tx.inputs, outputs))
        if len(mixer.made) >= 40:
            mixer.mine()
    mixer.mine()
    reader = open_ledger(mixer.chain)
    found = [reader.find_transactions(tx.txid)[0] for tx in rebuilt]
    assert collaborative_mask(reader, found).all()
    assert {kind_of(each) for each in signs_of(reader, found[5:]).tolist()} == {Kind.WHIRLPOOL}


def test_coinbases_and_nothing(open_ledger):
    chain = RegtestChain()
    chain.mine(outputs=[TransactionOutput(10_000, b"\x51")] * 5)
    reader = open_ledger(chain)
    verdict = collaborative(reader, 1)
    assert (verdict.kind, verdict.signs, verdict.reason, verdict.rules) == (Kind.NONE, 0, "", ())
    assert not collaborative_mask(reader, [0, 1]).any()
    assert collaborative_mask(reader, []).shape == (0,)
    assert signs_of(reader, []).dtype == np.uint32


@pytest.fixture(scope="module")
def rows():
    return ShapeRows([shape for _, shape, _ in EDGES.values()])


def test_few_and_many_are_judged_alike(rows):
    everything = np.arange(rows.counts.transaction)
    many = np.resize(everything, 2 * gate._FEW)
    one_by_one = np.array([signs_of(rows, each)[0] for each in everything])
    assert signs_of(rows, many).tolist() == np.resize(one_by_one, len(many)).tolist()
    assert signs_of(rows, many[: gate._FEW]).tolist() == signs_of(rows, many)[: gate._FEW].tolist()


@pytest.mark.parametrize("count", [gate._FEW, gate._FEW + 1], ids=["plain", "compiled"])
def test_signs_that_are_off(rows, count):
    everything = np.resize(np.arange(rows.counts.transaction), count)
    signs = signs_of(rows, everything)
    for off in (Sign.GENERIC, Sign.STONEWALL | Sign.BLOCKSCI_FLAG, INFORMATIVE, Sign.TX0, VETO, VETO | INFORMATIVE):
        assert signs_of(rows, everything, off=off).tolist() == (signs & np.uint32(~int(off) & 0xFFFFFFFF)).tolist()
        mask = collaborative_mask(rows, everything, off=off)
        assert mask.tolist() == ((signs & (int(VETO) & ~int(off))) != 0).tolist()
    assert collaborative_mask(rows, everything).tolist() == ((signs & int(VETO)) != 0).tolist()


def test_verdicts_name_every_match(rows):
    for tx_index, signs in enumerate(signs_of(rows, np.arange(rows.counts.transaction)).tolist()):
        verdict = collaborative(rows, tx_index)
        single = [sign for sign in Sign if signs & sign]
        assert verdict.signs == signs
        assert verdict.kind is kind_of(signs)
        assert [rule for rule, _ in verdict.rules] == [RULE_OF[sign] for sign in single]
        assert len(verdict.reasons) == len(single)
        assert verdict.reason == "; ".join(verdict.reasons)
        assert all(verdict.reasons)


def test_distinct_scripts_are_sorted_in_each_transaction(rows):
    spans = inputs_of_many(rows, np.arange(rows.counts.transaction))
    found = distinct_scripts(rows, spans)
    spent, script = rows.column("input", "output"), rows.column("output", "script")
    for place in range(rows.counts.transaction):
        outputs = [spent[row] for row in rows.inputs_of(place) if spent[row] >= 0]
        assert found.row[found.owner == place].tolist() == sorted({int(script[output]) for output in outputs})


def test_a_few_verdicts_need_no_compiler():
    program = (
        "import sys\n"
        "from gate_shapes import EDGES, ShapeRows\n"
        "from cointrail.cluster.gate.gate import collaborative, collaborative_mask\n"
        "rows = ShapeRows([shape for _, shape, _ in EDGES.values()])\n"
        "assert collaborative_mask(rows, [1, 2, 3]).any() and collaborative(rows, 2).reason\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
