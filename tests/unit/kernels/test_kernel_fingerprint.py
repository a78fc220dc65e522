"""Fingerprints over columns against the transactions themselves, read from the blocks that were built."""

from math import factorial
from random import Random

import numpy as np
import pytest
from change_cases import COMPRESSED_KEY, UNCOMPRESSED_KEY, Shape, Stage, signature
from effort import PLAIN, amount
from memory_disk import scratch
from regtest import Form, random_chain, write_block_files

from cointrail.bitcoin.fingerprint import InputFlag, input_flags
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import classify
from cointrail.cluster.fingerprint import (
    Fingerprint,
    InputOrder,
    KeyForm,
    LockTime,
    LowR,
    Order,
    fingerprint_of,
    unpack,
    words_of,
)
from cointrail.ingest.pipeline import ingest
from cointrail.kernels.signs.fingerprint import BIP69, TIED, fingerprint_words
from cointrail.ledger.reader import Reader

with_ledger = pytest.mark.skipif(PLAIN, reason="a ledger is not made with interpreted kernels")


@pytest.fixture
def ledger_of(tmp_path):
    """A function from a chain to a reader of its ledger."""
    readers = []
    with scratch(tmp_path) as folder:

        def make(chain):
            write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic)
            ingest(folder / "blocks", folder / "ledger")
            readers.append(Reader(folder / "ledger"))
            return readers[-1]

        yield make
        for reader in readers:
            reader.close()


def expected(chain):
    """The fingerprint of every transaction but the coinbases, by place in the chain."""
    outputs, place = {}, 0
    for height, node in enumerate(chain.branch()):
        for at, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
            for vout, output in enumerate(tx.outputs):
                outputs[txid, vout] = (place, vout, output)
            if at:
                yield place, fingerprint(tx, height, [outputs[i.outpoint.txid, i.outpoint.vout] for i in tx.inputs])
            place += 1


def fingerprint(tx, height, spent):
    flags = [InputFlag(input_flags(each.script_sig, each.witness)) for each in tx.inputs]
    low, high = (sum(bit in each for each in flags) for bit in (InputFlag.LOW_R, InputFlag.HIGH_R))
    keys = {bit for bit in (InputFlag.COMPRESSED_KEY, InputFlag.UNCOMPRESSED_KEY) if any(bit in each for each in flags)}
    form = {(): "unknown", (32,): "compressed", (64,): "uncompressed"}.get(
        tuple(sorted(int(bit) for bit in keys)), "mixed"
    )
    fee = sum(output.value_sat for _, _, output in spent) - sum(output.value_sat for output in tx.outputs)
    values, ages = [output.value_sat for _, _, output in spent], [(made, vout) for made, vout, _ in spent]
    orders = tuple(
        order
        for order, seen, turn in zip(InputOrder, (values, values, ages, ages), (False, True, False, True), strict=True)
        if seen == sorted(seen, reverse=turn)
    )
    return Fingerprint(
        version=tx.version,
        lock_time=LockTime.ZERO if not tx.lock_time else LockTime.HEIGHT if tx.lock_time <= height else LockTime.OTHER,
        replaceable=any(each.sequence < 0xFFFFFFFE for each in tx.inputs),
        segwit=any(each.witness for each in tx.inputs),
        low_r=LowR.HIGH if high else LowR.LOW if low >= 3 else LowR.UNKNOWN,
        bip69=order_of(tx),
        input_types=tuple(sorted({classify(output.script_pubkey) for _, _, output in spent})),
        key_form=KeyForm(form),
        input_order=orders if len(spent) > 2 else None,
        feerate_msat_vb=fee * 1000 // -(-tx.weight // 4),
    )


def order_of(tx):
    """BIP69: inputs by txid as displayed and vout, outputs by value and script."""
    inputs = [(each.outpoint.txid[::-1].hex(), each.outpoint.vout) for each in tx.inputs]
    outputs = [(each.value_sat, each.script_pubkey.hex()) for each in tx.outputs]
    if inputs != sorted(inputs) or outputs != sorted(outputs):
        return Order.UNSORTED
    return Order.SORTED if factorial(len(inputs)) * factorial(len(outputs)) >= 24 else Order.TOO_SMALL


def bip69_chain(random):
    """Payments whose inputs and outputs are sorted or nearly so; equal values side by side."""
    stage = Stage()
    for _ in range(120):
        coins = [stage.coin(random.choice((20_000, 30_000))) for _ in range(random.choice((1, 2, 3, 5)))]
        coins += stage.send([stage.coin(90_000)], [(20_000, stage.lock())] * 4)[: random.choice((0, 0, 4))]
        value = min(20_000 * len(coins) // 8, 9_000)
        pairs = [(random.choice((value, value, value - 1)), stage.lock()) for _ in range(random.choice((1, 2, 4, 6)))]
        coins.sort(key=lambda coin: (coin.txid[::-1], coin.vout))
        pairs.sort(key=lambda pair: (pair[0], pair[1].script_pubkey))
        for items in (coins, pairs):
            if random.random() < 0.25:
                at = random.randrange(len(items))
                items[at - 1], items[at] = items[at], items[at - 1]
        stage.send(coins, pairs)
    return stage.mine()


CHAINS = {
    "random": lambda: random_chain(Random("fingerprints"), amount(25, 3), amount(25, 10)),
    "bip69": lambda: bip69_chain(Random("bip69")),
}


def columns_of(chain):
    """The columns that the kernel reads, made of the blocks."""
    numbers, scripts, types = {}, {}, []
    columns = {name: [] for name in ("first_input", "first_output", "version", "lock_time", "weight", "txid")}
    inputs, outputs, first_transaction = [], [], []
    for node in chain.branch():
        first_transaction.append(len(columns["txid"]))
        for txid, tx in zip(node.txids, node.block.transactions, strict=True):
            cells = (len(inputs), len(outputs), tx.version, tx.lock_time, tx.weight, list(txid))
            for name, cell in zip(columns, cells, strict=True):
                columns[name].append(cell)
            for each in tx.inputs:
                spent = numbers.get((each.outpoint.txid, each.outpoint.vout), -1)
                inputs.append((spent, each.sequence, input_flags(each.script_sig, each.witness)))
            for vout, output in enumerate(tx.outputs):
                numbers[txid, vout] = len(outputs)
                if output.script_pubkey not in scripts:
                    scripts[output.script_pubkey] = len(scripts)
                    types.append(classify(output.script_pubkey))
                outputs.append((output.value_sat, scripts[output.script_pubkey]))
    dtypes = (np.int64, np.int64, np.int32, np.uint32, np.uint32, np.uint8)
    rows = [np.array(cells, dtype) for cells, dtype in zip(columns.values(), dtypes, strict=True)]
    rows += [
        np.array(cells, dtype)
        for cells, dtype in zip(zip(*inputs, strict=True), (np.int64, np.uint32, np.uint16), strict=True)
    ]
    rows += [
        np.array(cells, dtype) for cells, dtype in zip(zip(*outputs, strict=True), (np.int64, np.uint32), strict=True)
    ]
    return [*rows, np.array(types, np.uint8), np.array(first_transaction, np.uint32)]


@pytest.mark.parametrize("name", CHAINS)
def test_the_kernel_reads_from_columns_what_the_transactions_say(name):
    chain = CHAINS[name]()
    wanted = dict(expected(chain))
    items = np.array(list(wanted), np.int64)
    words, feerates = np.zeros(len(items), np.uint64), np.zeros(len(items), np.int64)
    fingerprint_words(items, *columns_of(chain), words, feerates)
    tied = 0
    for tx_index, word, feerate in zip(items.tolist(), words.tolist(), feerates.tolist(), strict=True):
        if (word >> BIP69) & 3 == TIED:
            tied += 1
            word ^= (TIED ^ list(Order).index(wanted[tx_index].bip69)) << BIP69
        assert unpack(word, feerate) == wanted[tx_index]
    found = set(wanted.values())
    if name == "bip69":
        assert {each.bip69 for each in found} == set(Order)
        assert 5 < tied < len(items) / 2
    elif not PLAIN:
        for field, values in (("low_r", LowR), ("key_form", KeyForm), ("lock_time", LockTime)):
            assert {getattr(each, field) for each in found} == set(values)
        assert len({each.version for each in found}) > 4


@pytest.mark.parametrize("name", CHAINS)
@with_ledger
def test_ledger_and_transactions_give_the_same_fingerprint(name, ledger_of):
    """Scripts decide where equal values stand side by side."""
    chain = CHAINS[name]()
    wanted = dict(expected(chain))
    words, feerates = words_of(ledger_of(chain), np.array(list(wanted), np.int64))
    for fingerprint_, word, feerate in zip(wanted.values(), words.tolist(), feerates.tolist(), strict=True):
        assert unpack(word, feerate) == fingerprint_


@with_ledger
def test_order_and_repetition_of_what_is_asked_do_not_matter(ledger_of):
    reader = ledger_of(random_chain(Random("order"), blocks=5, transactions_per_block=20))
    count = reader.counts.transaction
    words, feerates = words_of(reader, np.arange(count, dtype=np.int64))
    asked = np.random.default_rng(1).integers(0, count, 500)
    again, rates = words_of(reader, asked)
    assert np.array_equal(again, words[asked])
    assert np.array_equal(rates, feerates[asked])
    assert len(words_of(reader, np.empty(0, np.int64))[0]) == 0


@with_ledger
def test_a_coinbase_has_no_fee_rate_and_spends_no_type(ledger_of):
    reader = ledger_of(random_chain(Random("coinbase"), blocks=2, transactions_per_block=2))
    for tx_index in (0, 1, 50):
        seen = fingerprint_of(reader, tx_index)
        assert (seen.feerate_msat_vb, seen.input_types, seen.low_r) == (-1, (), LowR.UNKNOWN)


@with_ledger
@pytest.mark.parametrize(
    ("items", "inputs", "low_r", "key_form"),
    [
        ((signature(), COMPRESSED_KEY), 3, LowR.LOW, KeyForm.COMPRESSED),
        ((signature(), COMPRESSED_KEY), 2, LowR.UNKNOWN, KeyForm.COMPRESSED),
        ((signature(low_r=False), UNCOMPRESSED_KEY), 1, LowR.HIGH, KeyForm.UNCOMPRESSED),
        ((UNCOMPRESSED_KEY, COMPRESSED_KEY), 3, LowR.UNKNOWN, KeyForm.MIXED),
        ((b"\x05" * 64, b""), 3, LowR.UNKNOWN, KeyForm.UNKNOWN),
    ],
)
def test_what_signatures_and_keys_show(ledger_of, items, inputs, low_r, key_form):
    stage = Stage()
    stage.send([stage.coin(50_000) for _ in range(inputs)], [(9_000, stage.lock(Form.P2TR))], Shape(items=items))
    txid = stage.made[-1].txid
    reader = ledger_of(stage.mine())
    seen = fingerprint_of(reader, reader.find_transactions(txid)[0])
    assert (seen.low_r, seen.key_form) == (low_r, key_form)
