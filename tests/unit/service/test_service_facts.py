"""What the service says about random chains is what a plain walk over the blocks says, at any height."""

from collections import defaultdict

import pytest

import cointrail
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import classify
from cointrail.bitcoin.transaction import Outpoint
from cointrail.errors import NotFound


def moved_by(outputs) -> dict[bytes, list[int]]:
    """(received, spent) by txid."""
    moved = defaultdict(lambda: [0, 0])
    for output in outputs:
        moved[output.outpoint.txid][0] += output.value_sat
        if output.spender:
            moved[output.spender[0]][1] += output.value_sat
    return moved


def names_of(script: bytes) -> list[str]:
    """How a script can be asked for."""
    address = address_of(script, REGTEST)
    texts = [address] if address else []
    return [*texts, f"script:{script.hex()}"] if 0 < len(script) <= 10_000 else texts


def test_addresses(world):
    for height in world.heights(3):
        walk = world.walk(height)
        order = {txid: number for number, txid in enumerate(txid for txids in walk.txids_by_height for txid in txids)}
        asked = 0
        with cointrail.open(world.ledger, as_of=height) as ledger:
            for script, outputs in walk.by_script.items():
                moved = moved_by(outputs)
                touched = sorted(moved, key=order.__getitem__)
                for text in names_of(script):
                    answer = ledger.address(text)
                    live = [o for o in outputs if o.spender is None and o.spendable]
                    assert answer.received_sat == sum(o.value_sat for o in outputs)
                    assert answer.spent_sat == sum(o.value_sat for o in outputs if o.spender)
                    assert answer.balance_sat == sum(o.value_sat for o in live)
                    assert answer.unspendable_sat == answer.received_sat - answer.spent_sat - answer.balance_sat
                    assert (answer.outputs, answer.unspent_outputs) == (len(outputs), len(live))
                    assert answer.transactions == len(moved)
                    assert answer.first_seen.height == walk.transactions[touched[0]][0]
                    assert answer.last_seen.height == walk.transactions[touched[-1]][0]
                    assert answer.script_type == classify(script).label
                    assert answer.address == address_of(script, REGTEST)
                    asked += 1
                if asked % 5 == 0:
                    told = ledger.history(text)
                    assert told.total == len(moved)
                    seen = [(e.txid, e.height, e.received_sat, e.spent_sat) for e in told]
                    assert seen == [(display(t), walk.transactions[t][0], *moved[t]) for t in touched]
        assert asked > 100


def test_pages_of_a_history(world):
    walk = world.walk(len(world.blocks) - 1)
    script = max(walk.by_script, key=lambda each: len(moved_by(walk.by_script[each])))
    (text, *_) = names_of(script)
    with cointrail.open(world.ledger) as ledger:
        everything = list(ledger.history(text))
        assert len(everything) > 5
        for first in (0, 1, 4, len(everything), len(everything) + 5):
            for limit in (None, 1, 3, 1_000):
                page = ledger.history(text, first=first, limit=limit)
                assert (page.total, page.first) == (len(everything), first)
                assert list(page) == everything[first : None if limit is None else first + limit]


def test_transactions(world):
    for height in world.heights(2):
        walk = world.walk(height)
        with cointrail.open(world.ledger, as_of=height) as ledger:
            for txid, (at, tx) in walk.transactions.items():
                answer = ledger.transaction(display(txid))
                assert (answer.txid, answer.height, answer.confirmations) == (display(txid), at, height - at + 1)
                assert (answer.coinbase, answer.fee_sat) == (tx.is_coinbase, walk.fees[txid])
                assert (answer.size, answer.weight, answer.vsize) == (tx.size, tx.weight, tx.vsize)
                assert (answer.version, answer.lock_time) == (tx.version, tx.lock_time)
                for vin, (told, each) in enumerate(zip(answer.inputs, tx.inputs, strict=True)):
                    assert (told.vin, told.sequence) == (vin, each.sequence)
                    if tx.is_coinbase:
                        assert told.outpoint is told.value_sat is told.script_pubkey is None
                        continue
                    spent = walk.outputs[each.outpoint]
                    assert told.outpoint == str(each.outpoint)
                    assert (told.value_sat, told.script_pubkey) == (spent.value_sat, spent.script_pubkey.hex())
                for vout, (told, each) in enumerate(zip(answer.outputs, tx.outputs, strict=True)):
                    found = walk.outputs[Outpoint(txid, vout)]
                    assert (told.vout, told.value_sat) == (vout, each.value_sat)
                    assert (told.script_pubkey, told.script_type) == (
                        each.script_pubkey.hex(),
                        classify(each.script_pubkey).label,
                    )
                    spender = told.spender and (parse_hash(told.spender.txid), told.spender.vin)
                    assert spender == found.spender
                    expected = "spent" if spender else "unspent" if found.spendable else "unspendable"
                    assert told.state == expected


def test_blocks_and_status(world):
    for height in world.heights(4):
        walk = world.walk(height)
        live = [o for o in walk.outputs.values() if o.spender is None and o.spendable]
        with cointrail.open(world.ledger, as_of=height) as ledger:
            status = ledger.status()
            assert (status.network, status.height, status.blocks) == ("regtest", height, height + 1)
            assert status.transactions == len(walk.transactions)
            assert status.inputs == sum(len(tx.inputs) for _, tx in walk.transactions.values())
            assert (status.outputs, status.scripts) == (len(walk.outputs), len(walk.by_script))
            assert status.unspent_outputs == len(live)
            assert status.unspent_value_sat == sum(o.value_sat for o in live)
            block = ledger.block(height)
            assert list(block.txids) == [display(txid) for txid in walk.txids_by_height[height]]
            assert block.fees_sat == sum(walk.fees[txid] for txid in walk.txids_by_height[height])
            assert block.block_hash == status.block_hash == display(world.chain.branch()[height].block_hash)
            assert ledger.block(block.block_hash) == block
            if height + 1 < len(world.blocks):
                with pytest.raises(NotFound):
                    ledger.block(height + 1)
                with pytest.raises(NotFound):
                    ledger.transaction(display(world.chain.branch()[height + 1].txids[0]))


def test_a_script_is_unknown_before_it_is_paid(world):
    walk = world.walk(len(world.blocks) - 1)
    late = [outputs[0] for outputs in walk.by_script.values() if outputs[0].height > 105]
    assert late
    for output in late[:20]:
        for text in names_of(output.script_pubkey):
            with cointrail.open(world.ledger, as_of=output.height - 1) as before, pytest.raises(NotFound):
                before.address(text)
            with cointrail.open(world.ledger, as_of=output.height) as then:
                assert then.address(text).first_seen.height == output.height
