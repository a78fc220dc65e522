"""The parse kernel against the plain reference in `cointrail.bitcoin`: every column, and the same verdict on bytes."""

import struct
from random import Random

import numpy as np
import pytest
from effort import PLAIN, amount, examples
from hypothesis import given
from hypothesis import strategies as st
from kernel_columns import accepted_block, check_columns, run_parse
from regtest import GENESIS, mine_many_inputs, mine_many_outputs, prepared_chain, random_chain, zoo_chain
from script_zoo import zoo
from vectors import block_records, load_json, real_blocks

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.kernels import parse

HEADER = BlockHeader(1, bytes(32), bytes(32), 0, 0, 0)
LARGE = amount(10**7, 300_000)


def compare(raw_blocks: list[bytes], gap: int = 0) -> int:
    """Parse blocks in one call, apart by `gap` bytes of noise, and compare all columns; returns the inputs compared."""
    buffer, extents = bytearray(b"\x01" * gap), []
    for raw in raw_blocks:
        extents.append((len(buffer), len(buffer) + len(raw)))
        buffer += raw + b"\xfe" * gap
    return check_columns(np.frombuffer(buffer, np.uint8), extents, [Block.parse(raw) for raw in raw_blocks])


# Chains and real blocks.


def test_random_chain():
    chain = random_chain(Random("parse"), amount(40, 20), amount(60, 30))
    assert compare(chain.serialized(), gap=3) > amount(3_000, 500)


def test_script_zoo():
    blocks = zoo_chain().serialized()[-2:]
    if PLAIN:
        blocks = blocks[1:]
    assert compare(blocks) > 50


def test_real_blocks_one_by_one_and_together():
    blocks = [raw for name, raw in real_blocks() if len(raw) < LARGE]
    assert any(b"\x00\x01" in raw for raw in blocks)
    inputs = sum(compare([raw]) for raw in blocks)
    assert compare(blocks, gap=1) == inputs


@pytest.mark.parametrize("path", ["testnet3-0-113/blk00000.dat", "signet-0-120/blk00000.dat"])
def test_real_chains(path):
    compare([raw for _, raw in block_records(path)][: amount(1_000, 60)])


def test_testnet_blocks_of_bip158():
    # 49291 pays to an empty script, 987876 has a coinbase script that does not parse, 15007 an odd OP_RETURN.
    blocks = [bytes.fromhex(row[2]) for row in load_json("vectors/bips/bip-0158/testnet-19.json")[1:]]
    assert len(blocks) == 10
    assert compare([raw for raw in blocks if len(raw) < LARGE]) > 10


@pytest.mark.skipif(PLAIN, reason="megabytes")
def test_counts_beyond_16_bits():
    chain = prepared_chain()
    outputs = mine_many_outputs(chain, 70_000)
    inputs = mine_many_inputs(chain)
    assert compare([outputs.serialize(), inputs.serialize()]) > 20_000


def test_no_block_at_all():
    verdict, columns = run_parse(np.zeros(8, np.uint8), [])
    assert verdict == (0, 0, 0, 0, -1, 0)
    assert columns["block_first_tx"] == [0]


# Hostile scriptSigs and witnesses.

KEY_PREFIXES = [2, 3, 4, 5, 6, 7]
SIZES = [0, 1, 2, 8, 9, 20, 32, 33, 34, 40, 63, 64, 65, 66, 70, 71, 72, 73, 74, 97, 4129, 4161]


def der_like(random: Random) -> bytes:
    """A DER signature, often with one length or tag a little off."""
    r_length, s_length = random.choice((1, 8, 31, 32, 32, 33, 34, 60)), random.choice((1, 32, 32, 32))
    body = b"\x02" + bytes([r_length]) + random.randbytes(r_length)
    body += b"\x02" + bytes([s_length]) + random.randbytes(s_length)
    raw = bytearray(b"\x30" + bytes([len(body) & 0xFF]) + body + random.choice((b"\x01", b"\x81", b"\x00", b"\x03")))
    if random.random() < 0.4:
        at = random.choice((0, 1, 2, 3))
        raw[at] = (raw[at] + random.choice((1, -1, 128))) & 0xFF
    if random.random() < 0.1:  # an R that reaches just to the end, or just over it
        raw[3] = len(raw) - random.choice((4, 5, 6, 7))
    if random.random() < 0.3:
        raw = raw[: random.randrange(len(raw) + 1)]
    return bytes(raw)


def item(random: Random) -> bytes:
    """Something a signer, or somebody who wants to confuse us, puts on the stack."""
    kind = random.randrange(8)
    if kind == 7:  # a script of two keys that both sign, or nearly so
        script = bytearray(b"\x52\x21" + random.randbytes(33) + b"\x21" + random.randbytes(33) + b"\x52\xae")
        if random.random() < 0.5:
            script[random.choice((0, 1, 35, 69, 70))] ^= random.choice((1, 2, 0x80))
        return bytes(script)[: random.choice((71, 71, 71, 70))]
    if kind < 2:
        return der_like(random)
    if kind == 2:
        return bytes([random.choice(KEY_PREFIXES)]) + random.randbytes(random.choice((32, 32, 64, 64, 31, 33)))
    if kind == 3:  # Schnorr signatures
        return random.randbytes(64) + random.choice((b"", b"", b"\x00", b"\x01", b"\x02", b"\x83", b"\x81"))
    if kind == 4:  # control blocks, also of impossible depth or version
        first = random.choice((0xC0, 0xC1, 0xC2, 0xFE, 0xFF, 0xBF, 0x50))
        depth = random.choice((0, 1, 2, 127, 128, 129)) if random.random() < 0.2 else random.randrange(4)
        return bytes([first]) + random.randbytes(32 + 32 * depth + random.choice((0, 0, 0, 1, -1)))
    if kind == 5:
        return b"\x50" + random.randbytes(random.choice((0, 5, 63, 64)))
    return random.randbytes(random.choice(SIZES[:-2]))


def pushed(random: Random, data: bytes) -> bytes:
    """A push of the data in any of the forms that can carry it."""
    forms = [b"\x4e" + struct.pack("<I", len(data))]
    if len(data) < 0x4C:
        forms += [bytes([len(data)])] * 5
    if len(data) <= 0xFF:
        forms += [b"\x4c" + bytes([len(data)])] * 2
    if len(data) <= 0xFFFF:
        forms.append(b"\x4d" + struct.pack("<H", len(data)))
    return random.choice(forms) + data


def script_sig(random: Random) -> bytes:
    parts = []
    for _ in range(random.choice((0, 1, 1, 2, 2, 3, 6))):
        parts.append(pushed(random, item(random)))
        if random.random() < 0.15:  # a number, OP_RESERVED, or an opcode that ends the walk
            parts.append(bytes([random.choice((0x00, 0x4F, 0x50, 0x51, 0x60, 0x61, 0x75, 0xFF))]))
    script = b"".join(parts)
    if random.random() < 0.25:
        script = script[: random.randrange(len(script) + 1)]
    if random.random() < 0.1:
        script += random.choice((b"\x4c", b"\x4d\x01", b"\x4e\xff\xff\xff", b"\x4e\xff\xff\xff\xff", b"\x05abc"))
    return script


def witness(random: Random) -> tuple[bytes, ...]:
    if random.random() < 0.02:
        return tuple(item(random) for _ in range(random.choice((252, 253, 300, 700))))
    return tuple(item(random) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 3, 4, 7))))


def hostile_transaction(random: Random) -> Transaction:
    inputs = []
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        outpoint = Outpoint(random.randbytes(32), random.getrandbits(32))
        unlocking = script_sig(random) if random.random() < 0.5 else b""
        inputs.append(TransactionInput(outpoint, unlocking, random.getrandbits(32), witness(random)))
    outputs = [
        TransactionOutput(random.choice((0, 1, random.getrandbits(63), random.getrandbits(64))), random_script(random))
        for _ in range(random.choice((1, 2, 3)))
    ]
    version = random.choice((1, 2, -1, -(1 << 31), (1 << 31) - 1))
    return Transaction(version, tuple(inputs), tuple(outputs), random.getrandbits(32))


def test_hostile_inputs_of_every_kind():
    random, seen, inputs = Random("hostile"), 0, 0
    for _ in range(amount(60, 15)):
        block = Block(HEADER, tuple(hostile_transaction(random) for _ in range(60)))
        inputs += compare([block.serialize()])
        _, columns = run_parse(np.frombuffer(bytearray(block.serialize()), np.uint8), [(0, block.size)])
        for flags in columns["input_flags"]:
            seen |= flags
    assert seen == sum(InputFlag), "every flag came up"
    assert inputs > amount(5_000, 1_000)


ITEMS = st.one_of(
    st.integers(0, 2**32).map(lambda seed: item(Random(seed))),
    st.binary(max_size=80),
    st.sampled_from(SIZES).map(lambda size: b"\xc0" * size),
)
SCRIPT_SIGS = st.one_of(
    st.just(b""),
    st.binary(max_size=120),
    st.lists(ITEMS.flatmap(lambda data: st.sampled_from([pushed(Random(n), data) for n in range(4)]))).map(b"".join),
)
INPUTS = st.builds(
    TransactionInput,
    st.builds(Outpoint, st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1)),
    SCRIPT_SIGS,
    st.integers(0, 2**32 - 1),
    st.lists(ITEMS, max_size=5).map(tuple),
)
OUTPUTS = st.builds(
    TransactionOutput,
    st.integers(0, 2**64 - 1),
    st.one_of(st.integers(0, 2**32).map(lambda seed: random_script(Random(seed))), st.binary(max_size=80)),
)
TRANSACTIONS = st.builds(
    Transaction,
    st.integers(-(2**31), 2**31 - 1),
    st.lists(INPUTS, min_size=1, max_size=4).map(tuple),
    st.lists(OUTPUTS, min_size=1, max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
)


@examples(150, plain=60)
@given(st.lists(st.lists(TRANSACTIONS, min_size=1, max_size=4), min_size=1, max_size=3), st.integers(0, 2))
def test_any_transactions(blocks, gap):
    compare([Block(HEADER, tuple(transactions)).serialize() for transactions in blocks], gap)


# Script types.


def key(random: Random) -> bytes:
    return bytes([random.choice(KEY_PREFIXES)]) + random.randbytes(random.choice((32, 32, 32, 64, 64, 31, 33)))


def true_key(random: Random) -> bytes:
    prefix, size = random.choice(((2, 32), (3, 32), (4, 64), (6, 64), (7, 64)))
    return bytes([prefix]) + random.randbytes(size)


def number(random: Random, value: int) -> bytes:
    """A count as a script writes it, at times in a form that Core does not take."""
    if random.random() < 0.1:
        return bytes([1, value])
    return bytes([0x50 + value]) if value <= 16 else bytes([1, value])


def multisig_script(random: Random) -> bytes:
    count = random.choice((0, 1, 2, 3, 3, 4, 15, 16, 17, 19, 20, 21))
    stated = count if random.random() < 0.7 else random.randrange(22)
    required = random.randint(1, count) if count and random.random() < 0.8 else random.randrange(22)
    keys = [true_key(random) if random.random() < 0.97 else key(random) for _ in range(count)]
    return number(random, required) + b"".join(pushed(random, k) for k in keys) + number(random, stated) + b"\xae"


def random_script(random: Random) -> bytes:
    kind = random.randrange(9)
    if kind < 3:
        script = multisig_script(random)
    elif kind == 3:
        script = pushed(random, key(random) if random.random() < 0.4 else true_key(random)) + b"\xac"
    elif kind == 4:
        version = random.choice((0, 0x51, 0x51, 0x50, 0x52, 0x60, 0x61))
        program = random.randbytes(random.choice((1, 2, 3, 19, 20, 21, 31, 32, 33, 40, 41)))
        script = bytes([version, len(program)]) + program
    elif kind == 5:
        script = random.choice((b"\x76\xa9\x14", b"\xa9\x14", b"\x76\xa9\x4c\x14")) + random.randbytes(20)
        script += random.choice((b"\x88\xac", b"\x87"))
    elif kind == 6:
        script = random.choice((b"\x51\x02\x4e\x73", b"\x6a", b"\x6a\x4c", b"", b"\xae", b"\x51\xae", b"\x51\x51\xae"))
    elif kind == 7:
        script = random.choice(zoo()).script_pubkey
    else:
        script = bytes(
            random.choice((0x00, 0x01, 0x21, 0x4C, 0x51, 0x6A, 0xAC, 0xAE)) for _ in range(random.randrange(9))
        )
    if script and random.random() < 0.15:
        raw = bytearray(script)
        raw[random.randrange(len(raw))] = random.choice((0, 1, 0x4C, 0x51, 0xAC, 0xAE, random.randrange(256)))
        script = bytes(raw)
    if random.random() < 0.1:
        script = script[: random.randrange(len(script) + 1)]
    if random.random() < 0.05:
        script += random.choice((b"\xae", b"\x00", b"\xac"))
    return script


def kernel_type(script: bytes, before: bytes = b"", after: bytes = b"") -> int:
    return int(parse.classify(np.frombuffer(bytearray(before + script + after), np.uint8), len(before), len(script)))


def test_classify_agrees_on_random_scripts():
    random, seen = Random("scripts"), dict.fromkeys(ScriptType, 0)
    surroundings = (b"", b"\x00", b"\x51\xae", b"\x6a" * 40, b"\x02" * 70)
    for _ in range(amount(30_000, 3_000)):
        script = random_script(random)
        expected = classify(script)
        before, after = random.choice(surroundings), random.choice(surroundings)
        assert kernel_type(script, before, after) == expected, script.hex()
        seen[expected] += 1
    assert min(seen.values()) > amount(40, 2), seen


def test_multisig_takes_every_form_of_push_and_every_count():
    random = Random("multisig")
    forms = (lambda k: bytes([len(k)]) + k, lambda k: b"\x4c" + bytes([len(k)]) + k)
    forms += (lambda k: b"\x4d" + struct.pack("<H", len(k)) + k, lambda k: b"\x4e" + struct.pack("<I", len(k)) + k)
    for form in forms:
        for count in range(1, 22):
            keys = b"".join(form(true_key(random)) for _ in range(count))
            script = number_plain(1) + keys + number_plain(count) + b"\xae"
            expected = ScriptType.MULTISIG if count <= 20 else ScriptType.NONSTANDARD
            assert kernel_type(script) == classify(script) == expected


def number_plain(value: int) -> bytes:
    return bytes([0x50 + value]) if value <= 16 else bytes([1, value])


@examples(1_000, plain=100)
@given(st.binary(max_size=300))
def test_classify_agrees_on_any_bytes(script):
    assert kernel_type(script, b"\x51", b"\xae") == classify(script)


@examples(1_000, plain=100)
@given(st.lists(st.sampled_from([0x00, 0x01, 0x02, 0x14, 0x21, 0x4C, 0x4D, 0x4E, 0x51, 0x53, 0xAC, 0xAE]), max_size=40))
def test_classify_agrees_on_bytes_that_matter(script):
    assert kernel_type(bytes(script)) == classify(bytes(script))


# Damaged blocks: the kernel accepts exactly when the reference does.


def small_block() -> bytes:
    """A block of a few hundred bytes with all that an encoding has: witness, annex, no witness, empty scriptSig."""
    random = Random("small")
    spend = Transaction(
        2,
        (
            TransactionInput(Outpoint(random.randbytes(32), 1), b"", 5, (random.randbytes(9), b"", b"\x50a")),
            TransactionInput(Outpoint(random.randbytes(32), 0), b"\x02ab\x51", 6),
        ),
        (TransactionOutput(7, b"\x51\x02\x4e\x73"), TransactionOutput(1 << 63, b"")),
        8,
    )
    plain = Transaction(
        1, (TransactionInput(Outpoint(random.randbytes(32), 2), b"\x51", 9),), (TransactionOutput(1, b"\x6a"),), 0
    )
    return Block(HEADER, (Block.parse(GENESIS).transactions[0], spend, plain)).serialize()


def same_verdict(raw: bytes, trailing: bytes = b"") -> bool:
    """Compare verdict, and columns if both accept; `trailing` bytes follow the block and are not part of it."""
    buffer = np.frombuffer(bytearray(raw + trailing), np.uint8)
    block = accepted_block(raw)
    if block is not None:
        check_columns(buffer, [(0, len(raw))], [block])
        return True
    verdict, _ = run_parse(buffer, [(0, len(raw))])
    assert verdict[4] == 0, f"the kernel takes what the reference refuses: {raw.hex()}"
    assert 0 <= verdict[5] <= len(raw)
    return False


def test_every_truncation_is_refused_although_the_bytes_go_on():
    raw = small_block()
    assert same_verdict(raw, b"\xff" * 9)
    for length in range(len(raw)):
        assert not same_verdict(raw[:length])
        assert not same_verdict(raw[:length], raw[length:] + raw)


def test_every_single_byte_change():
    raw = small_block()
    accepted = 0
    values = (0x00, 0x01, 0x02, 0x29, 0xFC, 0xFD, 0xFE, 0xFF)[:: amount(1, 4)]
    for position in range(80, len(raw)):
        for value in {*values, raw[position] ^ 1, raw[position] ^ 0x80, (raw[position] + 1) & 0xFF}:
            changed = raw[:position] + bytes([value]) + raw[position + 1 :]
            accepted += same_verdict(changed)
    assert amount(1_000, 500) < accepted


def test_every_insertion_and_removal():
    raw = small_block()
    for position in range(80, len(raw) + 1):
        for inserted in (b"\x00", b"\x01", b"\xfd", b"\xfd\x01\x00", b"\xfe\x00\x00\x01\x00", b"\xff" + bytes(8)):
            same_verdict(raw[:position] + inserted + raw[position:])
        for removed in (1, 2, 4):
            same_verdict(raw[:position] + raw[position + removed :])


def test_many_changes_at_once():
    random, verdicts = Random("changes"), {True: 0, False: 0}
    blocks = [small_block(), *(raw for _, raw in real_blocks() if len(raw) < 1_000)]
    for _ in range(amount(8_000, 3_000)):
        raw = bytearray(random.choice(blocks))
        for _ in range(random.choice((1, 2, 3))):
            at = random.randrange(80, min(len(raw), random.choice((100, 200, 400, len(raw) + 1))))
            new = bytes([random.choice((0, 1, 2, 0xFD, 0xFE, 0xFF, random.randrange(256)))])
            raw[at : at + random.choice((0, 1, 1, 1, 2))] = new
        verdicts[same_verdict(bytes(raw), b"\x00" * random.choice((0, 50)))] += 1
    assert min(verdicts.values()) > amount(300, 100), verdicts


SMALLEST_INPUT = TransactionInput(Outpoint(bytes(32), 0), b"", 0)
SMALLEST_OUTPUT = TransactionOutput(0, b"")


@pytest.mark.parametrize("count", [1, 40, 252, 253, 300])
def test_the_smallest_parts_in_any_number(count):
    # Their sizes are the bounds that counts are checked against before anything is read.
    smallest = Transaction(1, (SMALLEST_INPUT,), (SMALLEST_OUTPUT,), 0)
    assert len(smallest.serialize()) == parse.SMALLEST_TRANSACTION
    many = (
        Block(HEADER, (smallest,) * count),
        Block(HEADER, (Transaction(1, (SMALLEST_INPUT,) * count, (SMALLEST_OUTPUT,), 0),)),
        Block(HEADER, (Transaction(1, (SMALLEST_INPUT,), (SMALLEST_OUTPUT,) * count, 0),)),
    )
    for block in many:
        raw = block.serialize()
        assert same_verdict(raw, raw)
        for cut in (1, 9, 41, 60):
            assert not same_verdict(raw[:-cut], raw)


@pytest.mark.parametrize("items", [252, 253, 255, 256, 257, 258, 600])
def test_witnesses_of_any_number_of_items(items):
    stack = tuple(b"\x02" + bytes(32) if number % 2 else b"" for number in range(items))
    spend = Transaction(1, (TransactionInput(Outpoint(bytes(32), 0), b"", 0, stack),), (SMALLEST_OUTPUT,), 0)
    assert compare([Block(HEADER, (spend,)).serialize()]) == 1


def test_what_core_refuses_although_it_can_be_read():
    head, outpoint = HEADER.serialize() + b"\x01", bytes(36) + b"\x00" + bytes(4)
    output = bytes(9)
    version, lock_time = bytes(4), bytes(4)
    sound = version + b"\x00\x01\x01" + outpoint + b"\x01" + output + b"\x01\x00" + lock_time
    refused = {
        "no transactions": HEADER.serialize() + b"\x00",
        "no outputs": head + version + b"\x01" + outpoint + b"\x00" + lock_time + bytes(9),
        "no inputs": head + version + b"\x00\x00" + b"\x01" + output + lock_time + bytes(41),
        "no inputs after the marker": head + version + b"\x00\x01\x00\x01" + output + lock_time + bytes(41),
        "another flag": head + version + b"\x00\x02" + sound[6:],
        "only empty witnesses": head + sound.replace(b"\x01\x00" + lock_time, b"\x00" + lock_time),
    }
    assert same_verdict(head + sound)
    for name, raw in refused.items():
        assert not same_verdict(raw), name
        assert not same_verdict(raw, bytes(60)), name
    no_outputs = Transaction(1, (SMALLEST_INPUT,), (), 0).serialize()
    assert not same_verdict(HEADER.serialize() + b"\x02" + no_outputs + no_outputs + bytes(18))


def test_a_bad_block_among_good_ones_is_named():
    good, random = zoo_chain().serialized()[100], Random("named")
    for place in range(4):
        raws = [good] * 4
        cut = random.randrange(81, len(good))
        raws[place] = good[:cut]
        ends = np.cumsum([len(raw) for raw in raws]).tolist()
        extents = list(zip([0, *ends], ends, strict=False))
        verdict, _ = run_parse(np.frombuffer(bytearray(b"".join(raws)), np.uint8), extents)
        assert verdict[4] == place
        assert extents[place][0] <= verdict[5] <= extents[place][1]


@examples(1_000, plain=100)
@given(st.binary(max_size=200))
def test_any_bytes_after_a_header(body):
    same_verdict(HEADER.serialize() + body, b"\x01" * 10)


COMPACT = st.one_of(
    st.integers(0, 252).map(lambda n: bytes([n])),
    st.one_of(st.integers(0, 0xFFFF), st.sampled_from([251, 252, 253, 254])).map(
        lambda n: b"\xfd" + struct.pack("<H", n)
    ),
    st.sampled_from([0, 0xFFFF, 0x10000, 0x2000000, 0x2000001, 0xFFFFFFFF]).map(
        lambda n: b"\xfe" + struct.pack("<I", n)
    ),
    st.sampled_from([0, 1, 1 << 32, (1 << 64) - 1]).map(lambda n: b"\xff" + struct.pack("<Q", n)),
)


@examples(500, plain=100)
@given(COMPACT, st.binary(max_size=12))
def test_compact_sizes_are_read_as_the_reference_reads_them(encoded, rest):
    from cointrail.bitcoin.encoding import Cursor
    from cointrail.errors import EncodingError

    raw = encoded + rest
    for end in range(len(raw) + 1):
        cursor = Cursor(raw[:end])
        try:
            expected = (cursor.compact_size(), cursor.position)
        except EncodingError:
            expected = (0, -1)
        assert tuple(parse.read_compact_size(np.frombuffer(bytearray(raw), np.uint8), 0, end)) == expected
