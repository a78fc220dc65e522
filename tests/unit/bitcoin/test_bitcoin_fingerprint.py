"""The fingerprint of an input, bit by bit, and that no input crashes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.fingerprint import InputFlag, input_flags

F = InputFlag
SHORT_KEY, LONG_KEY = b"\x02" + bytes(32), b"\x04" + bytes(64)


def ecdsa(r_length: int = 32, hash_type: int = 1) -> bytes:
    """Return the shape of a DER signature with an R of this length and an S of 32 bytes."""
    body = b"\x02" + bytes([r_length]) + b"\x01" * r_length + b"\x02\x20" + b"\x01" * 32
    return b"\x30" + bytes([len(body)]) + body + bytes([hash_type])


def push(*items: bytes) -> bytes:
    return b"".join(bytes([len(item)]) + item for item in items)


def schnorr(hash_type: int | None = None) -> bytes:
    return b"\x07" * 64 + (b"" if hash_type is None else bytes([hash_type]))


def control_block(depth: int = 0, first: int = 0xC0) -> bytes:
    return bytes([first]) + bytes(32 + 32 * depth)


SCRIPT = b"\x20" + bytes(32) + b"\xac"


def test_the_bits_are_the_ones_in_the_ledger():
    assert [(flag.name, flag.value) for flag in InputFlag] == [
        ("WITNESS", 1),
        ("NESTED", 2),
        ("ANYONECANPAY", 4),
        ("LOW_R", 8),
        ("HIGH_R", 16),
        ("COMPRESSED_KEY", 32),
        ("UNCOMPRESSED_KEY", 64),
        ("KEY_PATH", 128),
        ("SCRIPT_PATH", 256),
        ("OTHER_SIGHASH", 512),
        ("MULTI_SIGNATURE", 1024),
        ("SCHNORR", 2048),
        ("TWO_OF_TWO", 4096),
    ]


@pytest.mark.parametrize(
    ("script_sig", "witness", "expected"),
    [
        (b"", (), 0),
        # P2PK, P2PKH
        (push(ecdsa()), (), F.LOW_R),
        (push(ecdsa(33)), (), F.HIGH_R),
        (push(ecdsa(), SHORT_KEY), (), F.LOW_R | F.COMPRESSED_KEY),
        (push(ecdsa(31), LONG_KEY), (), F.LOW_R | F.UNCOMPRESSED_KEY),
        (push(ecdsa(), b"\x06" + bytes(64)), (), F.LOW_R | F.UNCOMPRESSED_KEY),
        (push(ecdsa(), b"\x05" + bytes(64)), (), F.LOW_R),
        (push(ecdsa(), b"\x04" + bytes(32)), (), F.LOW_R),
        # hash types
        (push(ecdsa(32, 0x81)), (), F.LOW_R | F.ANYONECANPAY | F.OTHER_SIGHASH),
        (push(ecdsa(32, 2)), (), F.LOW_R | F.OTHER_SIGHASH),
        (push(ecdsa(32, 0)), (), F.LOW_R | F.OTHER_SIGHASH),
        # multisig: one high R is enough to lose LOW_R
        (b"\x00" + push(ecdsa(), ecdsa()), (), F.LOW_R | F.MULTI_SIGNATURE),
        (b"\x00" + push(ecdsa(), ecdsa(33)), (), F.HIGH_R | F.MULTI_SIGNATURE),
        # pushes of every form, a stop at a truncated one and at an opcode that pushes nothing
        (b"\x4c" + push(ecdsa()), (), F.LOW_R),
        (b"\x4d\x47\x00" + ecdsa(), (), F.LOW_R),
        (b"\x4e\x47\x00\x00\x00" + ecdsa(), (), F.LOW_R),
        (b"\x4f\x50\x60" + push(ecdsa()), (), F.LOW_R),
        (b"\x61" + push(ecdsa()), (), 0),
        (push(SHORT_KEY) + push(ecdsa())[:-1], (), F.COMPRESSED_KEY),
        # P2WPKH, P2WSH, and nested in P2SH
        (b"", (ecdsa(), SHORT_KEY), F.WITNESS | F.LOW_R | F.COMPRESSED_KEY),
        (b"", (b"", ecdsa(), ecdsa(33), SCRIPT), F.WITNESS | F.HIGH_R | F.MULTI_SIGNATURE),
        (push(b"\x00\x14" + bytes(20)), (ecdsa(), SHORT_KEY), F.WITNESS | F.NESTED | F.LOW_R | F.COMPRESSED_KEY),
        (b"", (b"",), F.WITNESS),
        # taproot, key path
        (b"", (schnorr(),), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (schnorr(0),), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (schnorr(1),), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (schnorr(2),), F.WITNESS | F.KEY_PATH | F.SCHNORR | F.OTHER_SIGHASH),
        (b"", (schnorr(0x81),), F.WITNESS | F.KEY_PATH | F.SCHNORR | F.OTHER_SIGHASH | F.ANYONECANPAY),
        (b"", (b"\x04" + bytes(64),), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (schnorr(), b"\x50annex"), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (b"\x50" + bytes(63),), F.WITNESS | F.KEY_PATH | F.SCHNORR),
        (b"", (bytes(63),), F.WITNESS),
        (b"", (bytes(66),), F.WITNESS),
        (b"\x00", (schnorr(),), F.WITNESS | F.NESTED),
        # taproot, script path
        (b"", (schnorr(), SCRIPT, control_block()), F.WITNESS | F.SCRIPT_PATH | F.SCHNORR),
        (b"", (schnorr(), SCRIPT, control_block(128)), F.WITNESS | F.SCRIPT_PATH | F.SCHNORR),
        (b"", (schnorr(), SCRIPT, control_block(), b"\x50"), F.WITNESS | F.SCRIPT_PATH | F.SCHNORR),
        (b"", (schnorr(0x83), SCRIPT, control_block(1, 0xC1)),
         F.WITNESS | F.SCRIPT_PATH | F.SCHNORR | F.ANYONECANPAY | F.OTHER_SIGHASH),
        (b"", (schnorr(), schnorr(), SCRIPT, control_block()),
         F.WITNESS | F.SCRIPT_PATH | F.SCHNORR | F.MULTI_SIGNATURE),
        (b"", (LONG_KEY, SCRIPT, control_block()), F.WITNESS | F.SCRIPT_PATH | F.SCHNORR),
        (b"", (SHORT_KEY, b"preimage", SCRIPT, control_block()), F.WITNESS | F.SCRIPT_PATH | F.COMPRESSED_KEY),
        (b"", (SCRIPT, control_block()), F.WITNESS | F.SCRIPT_PATH),
        (b"", (schnorr(), SCRIPT, control_block(129)), F.WITNESS),
        (b"", (schnorr(), SCRIPT, control_block(0, 0xBF)), F.WITNESS),
        (b"", (schnorr(), SCRIPT, control_block()[:-1]), F.WITNESS),
        (b"", (schnorr(), SCRIPT, b""), F.WITNESS),
        (push(b"\x00\x20" + bytes(32)), (schnorr(), SCRIPT, control_block()), F.WITNESS | F.NESTED),
    ],
)  # fmt: skip
def test_fingerprints(script_sig, witness, expected):
    assert InputFlag(input_flags(script_sig, witness)) == expected


@pytest.mark.parametrize(
    "item",
    [
        ecdsa()[:8],
        b"\x31" + ecdsa()[1:],
        ecdsa() + b"\x01",
        ecdsa()[:2] + b"\x03" + ecdsa()[3:],
        bytes((0x30, 6, 2, 4)) + bytes(5),
        b"\x30\x47\x02\x20" + bytes(70),
    ],
)
def test_what_only_resembles_a_signature(item):
    assert input_flags(push(item), ()) == 0


def test_the_shortest_signature():
    assert input_flags(push(bytes((0x30, 6, 2, 3)) + bytes(4) + b"\x01"), ()) == F.LOW_R


@given(st.binary(max_size=200), st.lists(st.binary(max_size=140), max_size=5).map(tuple))
def test_no_input_crashes(script_sig, witness):
    flags = input_flags(script_sig, witness)
    assert type(flags) is int
    assert 0 <= flags < 1 << 12
    assert bool(flags & F.WITNESS) == bool(witness)
    assert not (flags & F.LOW_R and flags & F.HIGH_R)
    assert not (flags & F.KEY_PATH and flags & F.SCRIPT_PATH)
    if script_sig:
        assert not flags & (F.KEY_PATH | F.SCRIPT_PATH | F.SCHNORR)


# The funding script of the Lightning specification's example, BOLT 3, appendix C.
CHANNEL = bytes.fromhex(
    "5221023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb"
    "21030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c152ae"
)


def test_a_channel_of_two_keys_is_recognised_by_its_script():
    assert input_flags(b"", (b"", ecdsa(), ecdsa(), CHANNEL)) & F.TWO_OF_TWO
    for place, byte in ((0, 0x51), (1, 0x20), (35, 0x20), (69, 0x53), (70, 0xAF)):
        other = bytearray(CHANNEL)
        other[place] = byte
        assert not input_flags(b"", (b"", bytes(other))) & F.TWO_OF_TWO
    assert not input_flags(b"", (CHANNEL, b"")) & F.TWO_OF_TWO
    assert not input_flags(b"", (CHANNEL + b"\x61",)) & F.TWO_OF_TWO
    assert not input_flags(b"\x22\x00\x20" + bytes(32), (b"", CHANNEL)) & F.TWO_OF_TWO
