"""The spelling kernels against the plain reference: real blocks, every type of script, hostile inputs."""

from random import Random

import numpy as np
import pytest
from chain_tree import RegtestChain
from effort import PLAIN, amount, examples
from hypothesis import given
from hypothesis import strategies as st
from random_chain import random_chain
from script_zoo import push, zoo
from spelled_keys import SIGNATURE, multisig, of_key, of_script, point
from vectors import real_blocks

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.script import ScriptType, classify, payload, script_from_payload
from cointrail.bitcoin.spelling import Reveal, revealed_data, spelling_hash
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.ingest.parsed import parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.timing import Stages
from cointrail.kernels import spelling

PAID = (ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH, ScriptType.P2WSH)


def found_in(blocks: list[bytes]) -> dict[int, dict[int, bytes]]:
    """What the kernel finds: by input, what kind of data it shows and the data."""
    sizes = np.array([len(block) for block in blocks], np.int64)
    raw = np.frombuffer(bytearray(b"".join(blocks) + bytes(64)), np.uint8)
    end = np.cumsum(sizes)
    parsed = parse(RawBlocks(raw, end - sizes, end, (), 1), Stages())
    places = [np.full(2 * len(parsed.input_outpoint) + 1, -7, np.int64) for _ in range(4)]
    count = spelling.find_reveals(
        raw, parsed.tx_first_input, parsed.tx_first_output, parsed.tx_flags, parsed.tx_coinbase, parsed.input_outpoint,
        parsed.input_flags, parsed.output_script, parsed.output_length, *(place[:-1] for place in places),
    )  # fmt: skip
    assert all(place[-1] == -7 for place in places)
    found: dict[int, dict[int, bytes]] = {}
    for number, shown, start, length in zip(*(place[:count].tolist() for place in places), strict=True):
        assert shown not in found.setdefault(number, {})
        found[number][shown] = raw[start : start + length].tobytes()
    return found


def expected(blocks: list[Block]) -> dict[int, tuple[Reveal, bytes]]:
    """What the reference reads, by input."""
    inputs = [(tx.is_coinbase, each) for block in blocks for tx in block.transactions for each in tx.inputs]
    shown = {
        number: revealed_data(each.script_sig, each.witness)
        for number, (coinbase, each) in enumerate(inputs)
        if not coinbase
    }
    return {number: data for number, data in shown.items() if data is not None}


def check(raw_blocks: list[bytes]) -> dict[int, tuple[Reveal, bytes]]:
    found, wanted = found_in(raw_blocks), expected([Block.parse(raw) for raw in raw_blocks])
    lone = {number: data.pop(spelling.LONE_PUSH) for number, data in found.items() if spelling.LONE_PUSH in data}
    assert {number: tuple(data.items()) for number, data in found.items() if data} == {
        number: (data,) for number, data in wanted.items()
    }
    assert all(data == wanted.get(number, (0, data))[1] for number, data in lone.items())
    return wanted


def test_inputs_of_real_blocks_show_what_the_reference_reads():
    blocks = sorted((raw for _, raw in real_blocks()), key=len)[: amount(100, 4)]
    kinds = [shown for raw in blocks for shown, _ in check([raw]).values()]
    assert set(kinds) >= ({Reveal.KEY} if PLAIN else {Reveal.KEY, Reveal.REDEEM_SCRIPT})
    assert len(check(blocks)) == len(kinds)


def test_inputs_of_a_random_chain_show_what_the_reference_reads():
    check(random_chain(Random("reveals"), amount(20, 2), 10).serialized())


KEY_LONG, KEY_SHORT = point("kernel")
SCRIPTS = [multisig("a", "b"), push(KEY_SHORT) + b"\xac", b"\x51", b"\x00\x14" + bytes(20), b"\x51\x20" + bytes(32)]
SCRIPTS += [
    b"\x51\x02\x4e\x73",
    KEY_SHORT,
    KEY_LONG,
    b"\x06" + KEY_LONG[1:],
    b"\x02" + bytes(31),
    bytes(64),
    b"\xc0" * 33,
]
ITEMS = st.sampled_from([b"", SIGNATURE, SIGNATURE[:64], b"\x50\x01", *SCRIPTS]) | st.binary(max_size=80)
SIGS = st.lists(
    ITEMS.map(push) | st.sampled_from([b"\x00", b"\x51", b"\x4f", b"\x50", b"\x61", b"\x4c\x05ab"]), max_size=4
)
NESTED = st.sampled_from([push(b"\x00\x20" + bytes(32)), push(b"\x00\x14" + bytes(20)), push(b"\x51\x20" + bytes(32))])
INPUTS = st.tuples(SIGS.map(b"".join) | NESTED | st.binary(max_size=40), st.lists(ITEMS, max_size=4).map(tuple))


@examples(400, plain=20)
@given(st.lists(st.lists(INPUTS, min_size=1, max_size=4), min_size=1, max_size=3))
def test_any_inputs_show_what_the_reference_reads(transactions):
    made = [
        Transaction(
            2,
            tuple(TransactionInput(Outpoint(bytes(32), k), sig, 0, witness) for k, (sig, witness) in enumerate(inputs)),
            tuple(TransactionOutput(0, script) for script in SCRIPTS[: 1 + len(inputs)]),
            0,
        )
        for inputs in transactions
    ]
    coinbase = RegtestChain().mine().transactions[0]
    block = Block(RegtestChain().mine().header, (coinbase, *made))
    check([block.serialize()])


def spelling_hashes(scripts: list[bytes]) -> list[bytes | None]:
    """The kernel's hashes of scripts with a payload; a P2PK is given as the P2PKH of its key."""
    kinds, payloads = np.zeros(len(scripts), np.uint8), np.zeros((len(scripts), 32), np.uint8)
    for row, script in enumerate(scripts):
        kind = classify(script)
        if kind is ScriptType.P2PK:
            kind, script = ScriptType.P2PKH, script_from_payload(ScriptType.P2PKH, hash160(script[1:-1]))
        kinds[row] = kind
        if kind in PAID:
            data = payload(script, kind)
            payloads[row, : len(data)] = np.frombuffer(data, np.uint8)
        else:
            payloads[row] = 0x77
    hashes = np.full((len(scripts) + 2, 20), 0xEE, np.uint8)
    spelling.spelling_hashes(kinds, payloads, hashes[1:-1])
    assert (hashes[[0, -1]] == 0xEE).all(), "wrote outside the hashes"
    return [bytes(row) if row.any() else None for row in hashes[1:-1]]


def test_every_type_of_script_has_the_hash_of_the_reference():
    scripts = [lock.script_pubkey for lock in zoo()]
    for name in ("a", "b"):
        scripts += [each.script_pubkey for each in (*of_key(name).values(), *of_script(multisig(name)).values())]
    assert spelling_hashes(scripts) == [spelling_hash(script) for script in scripts]


@examples(100, plain=5)
@given(
    st.lists(
        st.sampled_from(PAID).flatmap(
            lambda kind: st.binary(
                min_size=32 if kind is ScriptType.P2WSH else 20, max_size=32 if kind is ScriptType.P2WSH else 20
            ).map(lambda data: script_from_payload(kind, data))
        ),
        max_size=50,
    )
)
def test_any_number_of_payloads(scripts):
    hashes = [spelling_hash(script) for script in scripts]
    assert spelling_hashes(scripts) == [value if value and any(value) else None for value in hashes]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 40])
def test_hash160_of_messages_of_any_length(count):
    random = Random(count)
    messages = [random.randbytes(random.randrange(200)) for _ in range(count)]
    lengths = np.array([len(message) for message in messages], np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))[:count].astype(np.int64)
    hashes = np.empty((count, 20), np.uint8)
    spelling.hash160_messages(np.frombuffer(bytearray(b"".join(messages) + b"x"), np.uint8), starts, lengths, hashes)
    assert [bytes(row) for row in hashes] == [hash160(message) for message in messages]
