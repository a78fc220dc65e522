"""Script types, payloads and text: the boundaries between types, and that no byte string crashes anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.script import (
    MAX_SCRIPT_SIZE,
    ScriptType,
    classify,
    disassemble,
    is_unspendable,
    iterate_pushes,
    payload,
    script_from_payload,
    witness_program,
)
from cointrail.errors import EncodingError, InputRefused

HASH20, HASH32 = bytes(range(20)), bytes(range(32))
SHORT_KEY, LONG_KEY = b"\x02" + HASH32, b"\x04" + HASH32 + HASH32
PAYLOAD_SIZES = {
    ScriptType.P2PKH: 20,
    ScriptType.P2SH: 20,
    ScriptType.P2WPKH: 20,
    ScriptType.P2WSH: 32,
    ScriptType.P2TR: 32,
}


def push(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def multisig(required: bytes, keys: list[bytes], count: bytes) -> bytes:
    return required + b"".join(map(push, keys)) + count + b"\xae"


def test_the_codes_are_the_ones_in_the_ledger():
    assert [(member.value, member.label) for member in ScriptType] == [
        (0, "nonstandard"),
        (1, "p2pk"),
        (2, "p2pkh"),
        (3, "p2sh"),
        (4, "multisig"),
        (5, "op_return"),
        (6, "p2wpkh"),
        (7, "p2wsh"),
        (8, "p2tr"),
        (9, "anchor"),
        (10, "witness_unknown"),
        (11, "empty"),
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"", ScriptType.EMPTY),
        (push(SHORT_KEY) + b"\xac", ScriptType.P2PK),
        (push(b"\x03" + HASH32) + b"\xac", ScriptType.P2PK),
        (push(LONG_KEY) + b"\xac", ScriptType.P2PK),
        (push(b"\x06" + LONG_KEY[1:]) + b"\xac", ScriptType.P2PK),
        (push(b"\x07" + LONG_KEY[1:]) + b"\xac", ScriptType.P2PK),
        (push(b"\x05" + LONG_KEY[1:]) + b"\xac", ScriptType.NONSTANDARD),
        (push(b"\x04" + HASH32) + b"\xac", ScriptType.NONSTANDARD),
        (push(b"\x02" + LONG_KEY[1:]) + b"\xac", ScriptType.NONSTANDARD),
        (push(SHORT_KEY) + b"\xad", ScriptType.NONSTANDARD),
        (b"\x4c" + push(SHORT_KEY) + b"\xac", ScriptType.NONSTANDARD),
        (b"\x76\xa9\x14" + HASH20 + b"\x88\xac", ScriptType.P2PKH),
        (b"\x76\xa9\x14" + HASH20 + b"\x88\xad", ScriptType.NONSTANDARD),
        (b"\x76\xa9\x14" + HASH20 + b"\x88\xac\xac", ScriptType.NONSTANDARD),
        (b"\x76\xa9\x4c\x14" + HASH20 + b"\x88\xac", ScriptType.NONSTANDARD),
        (b"\xa9\x14" + HASH20 + b"\x87", ScriptType.P2SH),
        (b"\xa9\x4c\x14" + HASH20 + b"\x87", ScriptType.NONSTANDARD),
        (b"\x00\x14" + HASH20, ScriptType.P2WPKH),
        (b"\x00\x20" + HASH32, ScriptType.P2WSH),
        (b"\x00\x15" + HASH20 + b"\x00", ScriptType.NONSTANDARD),
        (b"\x00\x4c\x14" + HASH20, ScriptType.NONSTANDARD),
        (b"\x51\x20" + HASH32, ScriptType.P2TR),
        (b"\x51\x14" + HASH20, ScriptType.WITNESS_UNKNOWN),
        (b"\x52\x20" + HASH32, ScriptType.WITNESS_UNKNOWN),
        (b"\x60\x02\x75\x1e", ScriptType.WITNESS_UNKNOWN),
        (b"\x51\x02\x4e\x73", ScriptType.ANCHOR),
        (b"\x51\x02\x4e\x74", ScriptType.WITNESS_UNKNOWN),
        (b"\x52\x02\x4e\x73", ScriptType.WITNESS_UNKNOWN),
        (b"\x51\x28" + bytes(40), ScriptType.WITNESS_UNKNOWN),
        (b"\x51\x29" + bytes(41), ScriptType.NONSTANDARD),
        (b"\x51\x01\x00", ScriptType.NONSTANDARD),
        (b"\x50\x20" + HASH32, ScriptType.NONSTANDARD),
        (b"\x61\x20" + HASH32, ScriptType.NONSTANDARD),
        (b"\x6a", ScriptType.OP_RETURN),
        (b"\x6a\x4c", ScriptType.OP_RETURN),
        (b"\x6a\xee", ScriptType.OP_RETURN),
        (b"\x6a" + push(HASH32), ScriptType.OP_RETURN),
        (b"\x6a\x4e\xa0\x86\x01\x00" + bytes(100_000), ScriptType.OP_RETURN),
        (b"\x4c\xff", ScriptType.NONSTANDARD),
        (bytes(100_000), ScriptType.NONSTANDARD),
    ],
)
def test_types_and_their_boundaries(script, expected):
    assert classify(script) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (multisig(b"\x51", [SHORT_KEY], b"\x51"), True),
        (multisig(b"\x51", [SHORT_KEY, LONG_KEY], b"\x52"), True),
        (multisig(b"\x52", [SHORT_KEY, LONG_KEY, LONG_KEY], b"\x53"), True),
        (multisig(b"\x60", [SHORT_KEY] * 16, b"\x60"), True),
        (multisig(b"\x51", [SHORT_KEY] * 17, b"\x01\x11"), True),
        (multisig(b"\x01\x14", [SHORT_KEY] * 20, b"\x01\x14"), True),
        (b"\x51\x4c" + push(SHORT_KEY) + b"\x51\xae", True),  # Core does not ask for the shortest push of a key
        (multisig(b"\x51", [SHORT_KEY] * 21, b"\x01\x15"), False),
        (multisig(b"\x01\x10", [SHORT_KEY] * 16, b"\x60"), False),
        (multisig(b"\x51", [SHORT_KEY] * 16, b"\x01\x10"), False),
        (multisig(b"\x51", [SHORT_KEY] * 17, b"\x02\x11\x00"), False),
        (multisig(b"\x51", [SHORT_KEY] * 17, b"\x4c\x01\x11"), False),
        (multisig(b"\x53", [SHORT_KEY] * 2, b"\x52"), False),
        (multisig(b"\x51", [SHORT_KEY] * 2, b"\x51"), False),
        (multisig(b"\x51", [SHORT_KEY] * 2, b"\x53"), False),
        (multisig(b"\x00", [SHORT_KEY], b"\x51"), False),
        (multisig(b"\x51", [], b"\x00"), False),
        (multisig(b"\x51", [], b"\x51"), False),
        (multisig(b"\x51", [SHORT_KEY[:-1]], b"\x51"), False),
        (multisig(b"\x51", [b"\x05" + HASH32], b"\x51"), False),
        (multisig(b"\x51", [SHORT_KEY], b"\x51") + b"\xae", False),
        (multisig(b"\x51", [SHORT_KEY], b"\x51\x61"), False),
        (multisig(b"\x51", [SHORT_KEY], b"\x51")[:-1] + b"\xaf", False),
        (b"\x51\xae", False),
        (b"\xae", False),
        (b"\x51" + push(SHORT_KEY) + b"\x4c\xae", False),
        (b"\x51" + push(SHORT_KEY), False),
        (b"\x51" + push(SHORT_KEY) + push(SHORT_KEY[:-1] + b"\xae"), False),
    ],
)
def test_bare_multisig_as_core_matches_it(script, expected):
    assert (classify(script) is ScriptType.MULTISIG) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"", False),
        (b"\x6a", True),
        (b"\x51\x6a", False),
        (bytes(MAX_SCRIPT_SIZE), False),
        (bytes(MAX_SCRIPT_SIZE + 1), True),
    ],
)
def test_is_unspendable(script, expected):
    assert is_unspendable(script) is expected


@given(st.binary(max_size=60))
def test_no_script_crashes(script):
    kind = classify(script)
    assert isinstance(disassemble(script), str)
    assert (witness_program(script) is not None) == (
        kind in (ScriptType.P2WPKH, ScriptType.P2WSH, ScriptType.P2TR, ScriptType.ANCHOR, ScriptType.WITNESS_UNKNOWN)
        or (
            kind is ScriptType.NONSTANDARD and len(script) in range(4, 43) and script[:2] == bytes((0, len(script) - 2))
        )
    )
    if kind in PAYLOAD_SIZES:
        assert script_from_payload(kind, payload(script, kind)) == script


@given(st.sampled_from(sorted(PAYLOAD_SIZES)), st.data())
def test_payload_undoes_script_from_payload(kind, data):
    value = data.draw(st.binary(min_size=PAYLOAD_SIZES[kind], max_size=PAYLOAD_SIZES[kind]))
    script = script_from_payload(kind, value)
    assert classify(script) is kind
    assert payload(script, kind) == value


def test_payloads_are_refused_where_there_are_none():
    with pytest.raises(InputRefused, match="a multisig script has no payload"):
        payload(b"\x51\xae", ScriptType.MULTISIG)
    with pytest.raises(InputRefused, match="a p2pk script has no payload"):
        script_from_payload(ScriptType.P2PK, SHORT_KEY)
    with pytest.raises(InputRefused, match="p2wsh needs 32 bytes, 20 given"):
        script_from_payload(ScriptType.P2WSH, HASH20)
    with pytest.raises(InputRefused, match="script of 22 bytes is not p2tr"):
        payload(b"\x00\x14" + HASH20, ScriptType.P2TR)
    with pytest.raises(InputRefused, match="script of 34 bytes is not p2tr"):
        payload(b"\x52\x20" + HASH32, ScriptType.P2TR)


def test_iterate_pushes_gives_opcode_data_and_position():
    script = b"\x00" + push(b"ab") + b"\x4c\x01a" + b"\x4d\x02\x00bc" + b"\x4e\x01\x00\x00\x00d" + b"\x51\xac"
    assert list(iterate_pushes(script)) == [
        (0x00, b"", 0),
        (0x02, b"ab", 1),
        (0x4C, b"a", 4),
        (0x4D, b"bc", 7),
        (0x4E, b"d", 12),
        (0x51, None, 18),
        (0xAC, None, 19),
    ]


@pytest.mark.parametrize("script", ["02aa", "4c", "4c02aa", "4d01", "4d0200aa", "4effffff", "4effffffff"])
def test_a_truncated_push_is_an_error_after_what_came_before(script):
    walk = iterate_pushes(b"\x51" + bytes.fromhex(script))
    assert next(walk) == (0x51, None, 0)
    with pytest.raises(EncodingError, match="goes past the end of the script") as caught:
        next(walk)
    assert caught.value.offset == 1
    assert disassemble(b"\x51" + bytes.fromhex(script)) == "1 [error]"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("", ""),
        ("00", "0"),
        ("4f", "-1"),
        ("51", "1"),
        ("60", "16"),
        ("0100", "0"),
        ("0180", "0"),
        ("0181", "-1"),
        ("02ff00", "255"),
        ("04ffffff7f", "2147483647"),
        ("04ffffffff", "-2147483647"),
        ("050000000080", "0000000080"),
        ("76a9", "OP_DUP OP_HASH160"),
        ("b1b2b3", "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4"),
        ("61b9babbfe", "OP_NOP OP_NOP10 OP_CHECKSIGADD OP_UNKNOWN OP_UNKNOWN"),
        ("50ff", "OP_RESERVED OP_INVALIDOPCODE"),
        ("ae", "OP_CHECKMULTISIG"),
    ],
)
def test_disassemble_reads_like_core(script, text):
    assert disassemble(bytes.fromhex(script)) == text
