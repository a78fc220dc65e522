"""Transactions: what is written comes back, what is damaged is refused, and amounts are checked without wrapping."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.transaction import (
    MAX_BLOCK_WEIGHT,
    NULL_VOUT,
    Outpoint,
    Transaction,
    TransactionInput,
    TransactionOutput,
    check_transaction,
)
from cointrail.errors import EncodingError, InputRefused

U32 = st.integers(min_value=0, max_value=0xFFFFFFFF)
INPUTS = st.builds(
    TransactionInput,
    st.builds(Outpoint, st.binary(min_size=32, max_size=32), U32),
    st.binary(max_size=300),
    U32,
    st.lists(st.binary(max_size=300), max_size=3).map(tuple),
)
OUTPUTS = st.builds(TransactionOutput, st.integers(min_value=0, max_value=(1 << 64) - 1), st.binary(max_size=300))
TRANSACTIONS = st.builds(
    Transaction,
    st.integers(min_value=-(1 << 31), max_value=(1 << 31) - 1),
    st.lists(INPUTS, min_size=1, max_size=4).map(tuple),
    st.lists(OUTPUTS, max_size=4).map(tuple),
    U32,
)

PLAIN_INPUT = TransactionInput(Outpoint(b"\x01" * 32, 0), b"", 0xFFFFFFFF)
PLAIN_OUTPUT = TransactionOutput(1000, b"\x51")
PLAIN = Transaction(2, (PLAIN_INPUT,), (PLAIN_OUTPUT,), 0)
WITNESSED = replace(PLAIN, inputs=(replace(PLAIN_INPUT, witness=(b"\x01", b"")),))
NULL_INPUT = TransactionInput(Outpoint(bytes(32), NULL_VOUT), b"\x51\x51", 0xFFFFFFFF)


@given(TRANSACTIONS)
def test_a_transaction_comes_back_from_its_bytes(transaction):
    raw = transaction.serialize()
    assert Transaction.parse(raw) == transaction
    assert Transaction.parse(memoryview(raw)) == transaction
    stripped = replace(transaction, inputs=tuple(replace(item, witness=()) for item in transaction.inputs))
    assert Transaction.parse(transaction.serialize(witness=False)) == stripped
    assert transaction.txid == stripped.txid == stripped.wtxid == double_sha256(stripped.serialize())
    assert (transaction.wtxid == transaction.txid) is not transaction.has_witness
    assert transaction.weight == 3 * transaction.base_size + transaction.size
    assert transaction.vsize == (transaction.weight + 3) // 4
    assert transaction.size == len(raw)


@given(TRANSACTIONS, st.data())
def test_damaged_bytes_are_refused_or_are_another_transaction(transaction, data):
    raw = bytearray(transaction.serialize())
    position = data.draw(st.integers(min_value=0, max_value=len(raw) - 1))
    raw[position] ^= data.draw(st.integers(min_value=1, max_value=255))
    reading = transaction_or_error(bytes(raw))
    if isinstance(reading, Transaction):
        assert reading != transaction
        assert reading.serialize() == raw


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_an_encoding_error(raw):
    reading = transaction_or_error(raw)
    if isinstance(reading, EncodingError):
        assert 0 <= reading.offset <= len(raw)
    else:
        assert reading.serialize() == raw


def transaction_or_error(raw: bytes) -> Transaction | EncodingError:
    try:
        return Transaction.parse(raw)
    except EncodingError as error:
        return error


def test_every_truncation_is_refused():
    raw = WITNESSED.serialize()
    for length in range(len(raw)):
        with pytest.raises(EncodingError):
            Transaction.parse(raw[:length])
    with pytest.raises(EncodingError, match="1 trailing bytes after the transaction"):
        Transaction.parse(raw + b"\x00")


def test_the_witness_form_is_refused_where_it_is_not_needed():
    raw = bytearray(WITNESSED.serialize())
    assert raw[4:6] == b"\x00\x01"
    empty = PLAIN.serialize()
    superfluous = empty[:4] + b"\x00\x01" + empty[4:-4] + b"\x00" + empty[-4:]
    with pytest.raises(EncodingError, match="superfluous witness record"):
        Transaction.parse(superfluous)
    for flag in (2, 3, 255):
        raw[5] = flag
        with pytest.raises(EncodingError, match=f"unknown transaction flag {flag} "):
            Transaction.parse(bytes(raw))


def test_transactions_without_inputs_are_refused():
    with pytest.raises(EncodingError, match="transaction without inputs"):
        Transaction.parse(bytes.fromhex("01000000000000000000"))
    with pytest.raises(EncodingError, match="transaction without inputs after the witness marker"):
        Transaction.parse(bytes.fromhex("010000000001000000000000"))


@pytest.mark.parametrize(
    ("raw", "noun"),
    [
        ("01000000fe00000002", "inputs"),
        ("010000000001fe00000002", "inputs"),
        ("0100000001" + "00" * 41 + "fe00000002", "outputs"),
        ("01000000000101" + "00" * 41 + "00fe00000002", "witness items"),
    ],
)
def test_hostile_counts_are_refused_before_memory_is_taken(raw, noun):
    tracemalloc.start()
    try:
        with pytest.raises(EncodingError, match=f"33554432 {noun} announced"):
            Transaction.parse(bytes.fromhex(raw) + bytes(500))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_non_minimal_script_length_is_refused():
    raw = PLAIN.serialize().replace(b"\x01\x51", b"\xfd\x01\x00\x51")
    with pytest.raises(EncodingError, match="non-minimal compact size"):
        Transaction.parse(raw)


@given(st.binary(min_size=32, max_size=32), U32)
def test_an_outpoint_comes_back_from_its_text(txid, vout):
    outpoint = Outpoint(txid, vout)
    assert str(outpoint) == f"{txid[::-1].hex()}:{vout}"
    assert Outpoint.parse(str(outpoint)) == outpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:0",
        "{}",
        "{}:",
        "{}:-1",
        "{}:+1",
        "{}:4294967296",
        "{}:1 ",
        " {}:1",
        "{}:1_0",
        "{}:\u0661",
        "{}:00000000001",
    ],
)
def test_text_that_is_no_outpoint(text):
    text = text.format("0" * 64)
    with pytest.raises(InputRefused, match="txid:vout is needed"):
        Outpoint.parse(text)


def test_a_refused_outpoint_is_not_repeated_when_long():
    with pytest.raises(InputRefused, match="text of 101 characters"):
        Outpoint.parse("0" * 101)


def test_coinbase():
    assert replace(PLAIN, inputs=(NULL_INPUT,)).is_coinbase
    assert not replace(PLAIN, inputs=(NULL_INPUT, PLAIN_INPUT)).is_coinbase
    assert not PLAIN.is_coinbase
    assert not Outpoint(bytes(32), 0).is_null
    assert not Outpoint(b"\x01" * 32, NULL_VOUT).is_null


@pytest.mark.parametrize(
    "transaction",
    [
        PLAIN,
        WITNESSED,
        replace(PLAIN, outputs=(TransactionOutput(MAX_MONEY, b""),)),
        replace(PLAIN, outputs=(TransactionOutput(0, b""),) * 70_000),
        replace(PLAIN, inputs=(NULL_INPUT,)),
        replace(PLAIN, inputs=(replace(NULL_INPUT, script_sig=bytes(100)),)),
        replace(PLAIN, inputs=(replace(PLAIN_INPUT, script_sig=bytes(999_900)),)),
    ],
)
def test_transactions_that_are_fine(transaction):
    check_transaction(transaction)
    assert Transaction.parse(transaction.serialize()) == transaction


@pytest.mark.parametrize(
    ("transaction", "reason"),
    [
        (replace(PLAIN, inputs=()), "bad-txns-vin-empty"),
        (replace(PLAIN, outputs=()), "bad-txns-vout-empty"),
        (replace(PLAIN, inputs=(replace(PLAIN_INPUT, script_sig=bytes(MAX_BLOCK_WEIGHT // 4)),)), "bad-txns-oversize"),
        (replace(PLAIN, outputs=(TransactionOutput(1 << 63, b""),)), "bad-txns-vout-negative"),
        (replace(PLAIN, outputs=(TransactionOutput((1 << 64) - 1, b""),)), "bad-txns-vout-negative"),
        (replace(PLAIN, outputs=(TransactionOutput(MAX_MONEY + 1, b""),)), "bad-txns-vout-toolarge"),
        (
            replace(PLAIN, outputs=(TransactionOutput(MAX_MONEY, b""), TransactionOutput(1, b""))),
            "bad-txns-txouttotal-toolarge",
        ),
        (replace(PLAIN, inputs=(PLAIN_INPUT, replace(PLAIN_INPUT, sequence=0))), "bad-txns-inputs-duplicate"),
        (replace(PLAIN, inputs=(replace(NULL_INPUT, script_sig=b"\x51"),)), "bad-cb-length"),
        (replace(PLAIN, inputs=(replace(NULL_INPUT, script_sig=bytes(101)),)), "bad-cb-length"),
        (replace(PLAIN, inputs=(PLAIN_INPUT, NULL_INPUT)), "bad-txns-prevout-null"),
    ],
)
def test_transactions_that_are_refused_by_core_reason(transaction, reason):
    with pytest.raises(InputRefused, match=f"transaction {transaction.txid[::-1].hex()} refused: {reason} "):
        check_transaction(transaction)


def test_the_overflow_of_block_74638_is_kept_and_refused():
    """C13: twice 92,233,720,368.54277039 BTC; their sum wraps a signed 64-bit number."""
    value_sat = 9_223_372_036_854_277_039
    overflow = replace(PLAIN, outputs=(TransactionOutput(value_sat, b"\x51"),) * 2)
    parsed = Transaction.parse(overflow.serialize())
    assert [output.value_sat for output in parsed.outputs] == [value_sat, value_sat]
    assert sum(output.value_sat for output in parsed.outputs) == 2 * value_sat
    with pytest.raises(InputRefused, match="over MAX_MONEY"):
        check_transaction(parsed)
    many = replace(PLAIN, outputs=(TransactionOutput(MAX_MONEY, b""),) * 2)
    with pytest.raises(InputRefused, match=f"sum of {2 * MAX_MONEY} sat at output 1 is over MAX_MONEY"):
        check_transaction(many)
