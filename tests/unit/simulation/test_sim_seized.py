"""The seized media: every planted artefact is where the truth says, every decoy fails, nothing else is there.

All formats are read by readers the simulator does not know: the standard library's, or `strict_readers`.
"""

import base64
import gzip
import hashlib
import hmac
import io
import json
import re
import sqlite3
import zipfile
from collections import Counter
from itertools import pairwise

import pytest
import toy_case
from hypothesis import given
from hypothesis import strategies as st
from strict_readers import (
    base58check,
    bech32,
    berkeley_records,
    child_key,
    compact,
    is_phrase,
    modules_of,
    png_pixels,
    psbt_maps,
    public_key,
    qr_bytes,
    regtest_script,
    syndromes,
)
from toy_case import address
from vectors import load_json, shared_data

from cointrail.bitcoin.hashes import hash160
from cointrail.simulation.inputs.formats import berkeley, qr, sqlite
from cointrail.simulation.inputs.seized.decoys import decoys
from cointrail.simulation.inputs.seized.spellings import with_checksum
from cointrail.simulation.plot.bip39 import words
from cointrail.simulation.stream import Stream

SECTOR = 4_096
PRINTABLE = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Za-z]{26,120}(?![0-9A-Za-z])")
FILES = """
backup.zip db/bazaar.sql.gz decoys.txt disk.raw misc/debug.log misc/export.csv misc/mail.eml misc/spend.psbt
misc/sticker.png misc/watch.txt notes/list.txt wallets/descriptors.dat wallets/electrum_op wallets/wallet.dat
"""


@pytest.fixture(scope="module", params=["toy", "small"])
def case(request, tmp_path_factory):
    made = toy_case.toy_case() if request.param == "toy" else toy_case.whole_case()
    return made.write(tmp_path_factory.mktemp(request.param) / "inputs")


@pytest.fixture(scope="module")
def seized(case):
    return case.folder / "seized"


@pytest.fixture(scope="module")
def content(case, seized):
    """Reads what stands at a row of `artefacts`."""
    opened = {}

    def inner(path, containers):
        key = path, containers
        if key not in opened:
            if not containers:
                opened[key] = (seized.parent / path).read_bytes()
            else:
                outer, _, step = containers.rpartition("/")
                opened[key] = unpacked(inner, path, outer, step)
        return opened[key]

    return inner


def unpacked(inner, path, outer, step):
    scheme, _, at = step.partition("@")
    if not at:  # a member of the ZIP file before it
        before, _, last = outer.rpartition("/")
        start = int(last.removeprefix("zip@"))
        return zip_at(inner(path, before), start).read(step)
    packed = inner(path, outer)[int(at) :]
    if scheme == "gzip":
        return gzip_at(packed)
    if scheme == "base64":
        return base64.b64decode(re.match(rb"[A-Za-z0-9+/=\n]+", packed)[0])
    assert scheme == "qr"
    end = packed.index(b"IEND") + 8
    return qr_bytes(modules_of(png_pixels(packed[:end])))


def gzip_at(packed):
    import zlib

    return zlib.decompressobj(31).decompress(packed)


def zip_at(raw, start):
    """A ZIP file that begins somewhere in a larger one and ends with its own directory."""
    end = raw.index(b"PK\x05\x06", start) + 22
    return zipfile.ZipFile(io.BytesIO(raw[start:end]))


def value_at(case, content, row):
    """The bytes a row means; text in UTF-16 as UTF-8."""
    raw = content(row.path, row.container_path)[row.offset : row.offset + row.length]
    assert len(raw) == row.length
    if row.kind == "address" and raw[1:2] == b"\0":
        return raw.decode("utf-16-le").encode()
    return raw


# The table.


def test_all_files_of_the_scenario_are_there(seized):
    assert {str(path.relative_to(seized)) for path in seized.rglob("*") if path.is_file()} == set(FILES.split())


def test_every_artefact_is_at_its_place_with_its_hash(case, content):
    assert len({(row.path, row.container_path, row.offset, row.kind) for row in case.truth.artefacts}) == len(
        case.truth.artefacts
    )
    for row in case.truth.artefacts:
        assert hashlib.sha256(value_at(case, content, row)).digest() == row.value_sha256


def test_every_kind_is_planted_in_a_file_and_in_the_image(case):
    real = {row.kind for row in case.truth.artefacts if not row.is_decoy}
    assert real == {
        "address", "txid", "descriptor", "extended_public_key", "extended_private_key", "private_key", "mnemonic",
        "psbt", "wallet_bdb", "wallet_sqlite", "wallet_electrum", "database",
    }  # fmt: skip
    image = Counter(
        (row.kind, row.value_sha256, row.is_decoy) for row in case.truth.artefacts if row.path == "seized/disk.raw"
    )
    files = Counter(
        (row.kind, row.value_sha256, row.is_decoy) for row in case.truth.artefacts if row.path != "seized/disk.raw"
    )
    assert image == files
    assert {row.container_path.count("/") for row in case.truth.artefacts} == {0, 2}


def test_secrets_are_those_that_spend(case):
    for row in case.truth.artefacts:
        secret = row.kind in ("private_key", "extended_private_key", "mnemonic") and not row.is_decoy
        assert row.is_secret is secret


def test_real_artefacts_are_valid_and_of_their_script(case, content):
    tx = {case.truth.txid(number)[::-1].hex() for number in range(len(case.truth.heights))}
    for row in case.truth.artefacts:
        if row.is_decoy or row.path == "seized/disk.raw":
            continue
        value = value_at(case, content, row)
        if row.kind == "address":
            script = regtest_script(value.decode())
            assert script is not None
            assert hashlib.sha256(script).digest() == row.script_hash
        elif row.kind == "private_key":
            key = public_key(int.from_bytes(value, "big"))
            assert hashlib.sha256(b"\x76\xa9\x14" + hash160(key) + b"\x88\xac").digest() == row.script_hash
        elif row.kind == "mnemonic":
            assert is_phrase(value.decode(), words())
        elif row.kind.startswith("extended"):
            assert len(base58check(value.decode())) == 78
        elif row.kind == "descriptor":
            assert with_checksum(value.decode().split("#")[0]) == value.decode()
        elif row.kind == "txid":
            assert value.decode() in tx


def test_every_decoy_fails(case, content):
    rows = [row for row in case.truth.artefacts if row.is_decoy and row.path == "seized/decoys.txt"]
    assert len(rows) == case.economy.scale.decoys
    checked = Counter(reject(row.kind, value_at(case, content, row).decode()) for row in rows)
    assert set(checked) == {
        "base58", "bech32", "private_key", "extended_private_key", "extended_public_key", "mnemonic", "digest",
        "other chain", "ethereum",
    }  # fmt: skip


def reject(kind, text):
    """Why a decoy must not be reported."""
    if kind == "mnemonic":
        assert all(word in words() for word in text.split(" "))
        assert not is_phrase(text, words())
        electrum = hmac.digest(b"Seed version", text.encode(), "sha512").hex()
        assert not electrum.startswith(("01", "100", "101", "102"))
        return kind
    if kind == "digest":
        assert re.fullmatch("[0-9a-f]+", text)
        assert len(text) in (32, 40, 64, 128)
        return kind
    if text.startswith("0x"):
        return "ethereum"
    if "1" in text and bech32(text) is not None:
        assert bech32(text)[0] not in ("bc", "tb", "bcrt")
        return "other chain"
    if text.startswith(("bc1", "tb1", "bcrt1")):
        return "bech32"
    payload = base58check(text)
    if payload is not None:
        assert payload[0] not in (0, 5, 111, 196, 128, 239)
        return "other chain"
    return "base58" if kind == "address" else kind


@given(seed=st.integers(0, 2**40))
def test_decoys_of_any_world_fail(seed):
    draft = decoys(12, Stream(seed, "decoys"))
    for find in draft.finds:
        reject(find.kind, draft.content[find.offset : find.offset + find.length].decode())
    assert all(re.match(r"\d{6}\t", line) for line in draft.content.decode().splitlines())


def test_a_scan_finds_no_valid_string_the_table_does_not_know(case, seized, content):
    known = {row.value_sha256 for row in case.truth.artefacts if not row.is_decoy}
    listed = {row.address for row in case.truth.market_addresses}
    places = {(row.path, row.container_path) for row in case.truth.artefacts}
    for path, containers in sorted(places):
        raw = content(path, containers)
        for text in PRINTABLE.findall(raw) + PRINTABLE.findall(raw.replace(b"\0", b"")):
            spelled = text.decode()
            if regtest_script(spelled) is None and (len(text) < 50 or base58check(spelled) is None):
                continue
            inside_descriptor = spelled.startswith("tpub")
            assert hashlib.sha256(text).digest() in known or spelled in listed or inside_descriptor


def test_the_image_holds_every_file_at_a_sector_and_noise_between(case, seized):
    image = (seized / "disk.raw").read_bytes()
    assert len(image) % SECTOR == 0
    spans = []
    for path in sorted(seized.rglob("*")):
        if path.is_file() and path.name != "disk.raw":
            raw = path.read_bytes()
            at = image.index(raw)
            assert at % SECTOR == 0
            assert image.count(raw) == 1
            spans.append((at, at + len(raw)))
    spans.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    noise = bytearray(image)
    for start, end in reversed(spans):
        del noise[start:end]
    assert abs(len(noise) - case.economy.scale.noise_bytes) < SECTOR * (len(spans) + 1)
    counts = Counter(noise)
    mean = len(noise) / 256
    assert sum((counts[byte] - mean) ** 2 / mean for byte in range(256)) < 400  # 255 degrees of freedom
    assert b"FAT" not in image[:SECTOR]


# Files.


def test_the_dump_loads_and_holds_all_addresses(case, seized):
    dump = gzip.decompress((seized / "db" / "bazaar.sql.gz").read_bytes())
    database = sqlite3.connect(":memory:")
    database.executescript(dump.decode("ascii"))
    rows = database.execute("SELECT address, user_id, position FROM addresses ORDER BY rowid").fetchall()
    truth = [
        (row.address, row.user_id if row.user_id >= 0 else None, row.position) for row in case.truth.market_addresses
    ]
    assert rows == truth
    assert len(rows) == case.economy.scale.derived_addresses + case.economy.scale.legacy_addresses
    orders = database.execute("SELECT order_id, user_id, address, amount_sat FROM orders").fetchall()
    assert orders == [(each.order_id, each.user_id, each.address, each.amount_sat) for each in case.plot.orders]
    users = dict(database.execute("SELECT user_id, name FROM users"))
    assert users == {user.user_id: user.name for user in case.plot.users}
    times = database.execute("SELECT created_utc FROM users UNION SELECT created_utc FROM addresses").fetchall()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for (time,) in times)
    database.close()


def test_the_dump_cannot_be_read_without_inflating_it(case, seized):
    raw = (seized / "db" / "bazaar.sql.gz").read_bytes()
    assert b"INSERT" not in raw
    assert not any(row.address.encode() in raw for row in case.truth.market_addresses)


def test_the_legacy_wallet_holds_the_key_pool(case, seized):
    records = dict(berkeley_records((seized / "wallets" / "wallet.dat").read_bytes()))
    by_type = {}
    for key, value in records.items():
        length, at = compact(key, 0)
        by_type.setdefault(key[at : at + length].decode(), {})[key[at + length :]] = value
    assert set(by_type) == {
        "version", "minversion", "bestblock", "orderposnext", "defaultkey", "key", "keymeta", "pool", "name", "purpose",
    }  # fmt: skip
    assert len(by_type["key"]) == len(by_type["keymeta"]) == len(case.plot.pool)
    for key in case.plot.pool:
        public = b"\x21" + key.public_key
        value = by_type["key"][public]
        length, at = compact(value, 0)
        der, check = value[at : at + length], value[at + length :]
        assert check == hashlib.sha256(hashlib.sha256(key.public_key + der).digest()).digest()
        assert der[8:40] == key.secret
        assert der.endswith(public[1:])
    names = {user.user_id: user.name for user in case.plot.users}
    users = {row.address: row.user_id for row in case.truth.market_addresses if row.source == "legacy"}
    given_out = {text: names[user] for text, user in users.items() if user >= 0}
    told = {key[1:].decode(): value[1:].decode() for key, value in by_type["name"].items()}
    assert told == given_out
    assert len(by_type["pool"]) == len(case.plot.pool) - len(given_out)


def test_a_private_key_record_is_like_a_nodes(case, seized):
    """Core writes the same DER for a descriptor wallet's key: all but secret and public key must be equal."""
    node = sqlite3.connect(f"file:{shared_data()}/wallets/node/descriptor-plain.wallet.dat?mode=ro", uri=True)
    rows = node.execute("SELECT key, value FROM main").fetchall()
    record = next(value for key, value in rows if key.startswith(b"\x13walletdescriptorkey"))
    node.close()
    records = berkeley_records((seized / "wallets" / "wallet.dat").read_bytes())
    own = next(value for key, value in records if key.startswith(b"\x03key"))
    length = 214
    for place in set(range(1 + length)) - set(range(9, 41)) - set(range(1 + length - 33, 1 + length)):
        assert own[place] == record[place]
    assert len(own) == len(record)


def test_the_descriptor_wallet_is_a_database_like_a_nodes(case, seized):
    def read(path):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        facts = [database.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "page_size", "encoding")]
        schema = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        rows = dict(database.execute("SELECT key, value FROM main"))
        database.close()
        return facts, schema, rows

    facts, schema, rows = read(seized / "wallets" / "descriptors.dat")
    node_facts, node_schema, node_rows = read(shared_data() / "wallets" / "node" / "descriptor-plain.wallet.dat")
    assert (facts, schema) == (node_facts, node_schema)

    def named(key):
        return key[1 : 1 + key[0]].decode()

    assert {named(key) for key in rows} < {named(key) for key in node_rows}
    assert "walletdescriptorkey" not in {named(key) for key in rows}
    account = base58check(case.plot.account.neuter().serialize())
    for branch, active in ((0, "activeexternalspk"), (1, "activeinternalspk")):
        number = rows[bytes((len(active),)) + active.encode() + b"\x02"]
        length, at = compact(rows[b"\x10walletdescriptor" + number], 0)
        descriptor = rows[b"\x10walletdescriptor" + number][at : at + length].decode()
        assert descriptor == with_checksum(descriptor.split("#")[0])
        assert descriptor.startswith(f"wpkh([{case.plot.account_origin[1:-1]}]tpub")
        assert f"/{branch}/*)" in descriptor
        cached = rows[b"\x15walletdescriptorcache" + number + bytes(4)][1:]
        key, chain_code = child_key(account[45:], account[13:45], branch)
        assert (cached[9:41], cached[41:]) == (chain_code, key)
        compatible = with_checksum(descriptor.split("#")[0].replace("h", "'").replace("wpk'", "wpkh"))
        assert number == hashlib.sha256(compatible.encode()).digest()


def test_the_market_addresses_derive_from_the_descriptor_wallet(case):
    account = base58check(case.plot.account.neuter().serialize())
    key, chain_code = child_key(account[45:], account[13:45], 0)
    for row in list(case.truth.market_addresses)[-1:]:
        child, _ = child_key(key, chain_code, row.position)
        assert regtest_script(row.address) == b"\x00\x14" + hash160(child)


def test_descriptor_checksums_are_those_published():
    for each in load_json("vectors/descriptor_checksums.json"):
        assert with_checksum(each["desc"]) == f"{each['desc']}#{each['checksum']}"


def test_the_electrum_wallet_is_like_published_ones(case, seized):
    wallet = json.loads((seized / "wallets" / "electrum_op").read_bytes())
    files = (shared_data() / "wallets" / "electrum").iterdir()
    fields, keystore = set(), {"derivation", "root_fingerprint"}  # the last two came with version 4
    for path in files:
        published = json.loads(path.read_bytes()) if path.read_bytes()[:1] == b"{" and b'"' in path.read_bytes() else {}
        fields |= set(published)
        keystore |= set(published.get("keystore", {}))
    assert set(wallet) <= fields
    assert set(wallet["keystore"]) <= keystore
    private, public = base58check(wallet["keystore"]["xprv"]), base58check(wallet["keystore"]["xpub"])
    assert (private[:4].hex(), public[:4].hex()) == ("045f18bc", "045f1cf6")
    assert public_key(int.from_bytes(private[46:], "big")) == public[45:]
    for branch, name in ((0, "receiving"), (1, "change")):
        key, chain_code = child_key(public[45:], public[13:45], branch)
        for position in (0, len(wallet["addresses"][name]) - 1):
            child, _ = child_key(key, chain_code, position)
            assert regtest_script(wallet["addresses"][name][position]) == b"\x00\x14" + hash160(child)
    used = {text: entries for text, entries in wallet["addr_history"].items() if entries}
    assert set(used) == {address(script.script_pubkey) for script in case.plot.peel_scripts}
    for entries in used.values():
        assert entries
        for txid, height in entries:
            assert case.truth.heights[case.truth.numbers[bytes.fromhex(txid)[::-1]]] == height


def test_the_phrase_controls_the_reserve(case, seized):
    line = (seized / "notes" / "list.txt").read_text().split("#7 ==>\n")[1].split("\n")[0]
    assert line == case.plot.reserve_phrase
    seed = hashlib.pbkdf2_hmac("sha512", line.encode(), b"mnemonic", 2_048)
    digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
    secret, chain_code = int.from_bytes(digest[:32], "big"), digest[32:]
    for step in (84 + (1 << 31), 1 + (1 << 31), 1 << 31, 0, 0):
        data = b"\0" + secret.to_bytes(32, "big") if step >> 31 else public_key(secret)
        digest = hmac.digest(chain_code, data + step.to_bytes(4, "big"), "sha512")
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        secret, chain_code = (secret + int.from_bytes(digest[:32], "big")) % order, digest[32:]
    assert b"\x00\x14" + hash160(public_key(secret)) == case.plot.reserve.script.script_pubkey


def test_the_backup_holds_the_markets_root(case, content):
    row = next(
        row for row in case.truth.artefacts if row.path.endswith("backup.zip") and row.kind == "extended_private_key"
    )
    assert row.container_path == "zip@0/old.gz/gzip@0"
    raw = base58check(value_at(case, content, row).decode())
    digest = hmac.digest(b"Bitcoin seed", case.plot.account_seed, "sha512")
    assert (raw[13:45], raw[46:]) == (digest[32:], digest[:32])


def test_the_psbt_would_move_the_reserve(case, seized):
    unsigned, spent, made = psbt_maps((seized / "misc" / "spend.psbt").read_bytes())
    coin = case.plot.reserve
    transaction = unsigned[b"\x00"]
    assert transaction[5:41] == coin.outpoint
    assert spent[b"\x01"][:8] == coin.value_sat.to_bytes(8, "little")
    assert spent[b"\x01"][9:] == coin.script.script_pubkey
    path = spent[b"\x06" + coin.script.public_key][4:]
    hardened = 1 << 31
    assert path == b"".join(step.to_bytes(4, "little") for step in (84 | hardened, 1 | hardened, hardened, 0, 0))
    assert made == {}


# Formats with limits of their own.


def test_error_correction_is_the_standards_example():
    """ISO/IEC 18004, annex I: `01234567` as version 1-M."""
    data = bytes.fromhex("10200c566180ec11ec11ec11ec11ec11")
    assert qr.error_correction(data, 10).hex() == "a524d4c1ed36c7872c55"
    assert syndromes([*data, *qr.error_correction(data, 10)], 10) == [0] * 10
    assert f"{qr.format_bits(5):015b}" == "100000011001110"  # level M, mask 5, as the standard's table has it


@given(st.binary(min_size=1, max_size=106))
def test_a_qr_code_is_read_back(content):
    assert qr_bytes(qr.encode(content)) == content


def unmasked(symbol, bare, reserved):
    """Data and function patterns of a symbol without its mask."""
    size = len(symbol)
    rows = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)]
    columns = [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    bits = sum(symbol[row][column] << place for place, (row, column) in enumerate([*rows, *columns]))
    mask = next(number for number in range(8) if qr.format_bits(number) == bits)
    return [
        [
            bare[row][column] if reserved[row][column] else symbol[row][column] ^ qr._MASKS[mask](row, column)
            for column in range(size)
        ]
        for row in range(size)
    ]


def test_the_penalty_of_a_dark_square():
    """By hand: 42 lines of one run of 21, 400 squares of four, and ten steps of five per cent from one half."""
    assert qr.penalty([[True] * 21 for _ in range(21)]) == 42 * (3 + 16) + 400 * 3 + 10 * 10


def test_the_mask_has_the_least_penalty():
    for content in (b"bitcoin:bcrt1qexample", b"A" * 60, bytes(range(100))):
        chosen = qr.encode(content)
        bare, reserved = qr._function_patterns((len(chosen) - 17) // 4)
        symbols = [qr._masked(unmasked(chosen, bare, reserved), reserved, mask) for mask in range(8)]
        assert chosen in symbols
        assert {qr_bytes(symbol) for symbol in symbols} == {content}
        assert qr.penalty(chosen) == min(map(qr.penalty, symbols))


@given(st.dictionaries(st.binary(min_size=1, max_size=60), st.binary(max_size=900), min_size=1, max_size=60))
def test_berkeley_file_is_read_back(records):
    raw = berkeley.btree_file(list(records.items()), bytes(20))
    assert berkeley_records(raw) == sorted(records.items())


def test_berkeley_file_of_three_levels():
    records = {hashlib.sha512(number.to_bytes(4, "big")).digest() * 10: b"v" * 900 for number in range(200)}
    raw = berkeley.btree_file(list(records.items()), bytes(20))
    assert raw[3 * SECTOR + 24] == 4
    assert berkeley_records(raw) == sorted(records.items())


@given(st.dictionaries(st.binary(min_size=1, max_size=60), st.binary(max_size=900), max_size=60))
def test_sqlite_file_is_read_back(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("sqlite") / "any.dat"
    path.write_bytes(sqlite.key_value_file(list(records.items()), 7))
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT key, value FROM main ORDER BY rowid").fetchall() == list(records.items())
        for key, value in list(records.items())[:3]:
            assert database.execute("SELECT value FROM main WHERE key = ?", (key,)).fetchone() == (value,)
    finally:
        database.close()


def test_no_secret_in_a_repr(case, content):
    secrets = [value_at(case, content, row) for row in case.truth.artefacts if row.is_secret]
    told = repr(case.truth.artefacts).encode()
    assert len(secrets) > 2 * case.economy.scale.legacy_addresses
    for secret in secrets:
        assert secret not in told
        assert secret.hex().encode() not in told
