"""The overlay file: one canonical form, a digest anybody can compute, and hostile files end in a sentence."""

import hashlib
import json
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.cluster.overlay import file
from cointrail.cluster.overlay.document import MOST_BYTES, MOST_SCRIPTS, decode, encode, make_entry, spelled
from cointrail.cluster.overlay.entries import Kind, MadeAt, Overlay
from cointrail.errors import InputRefused, Unavailable, UsageError

NOW = "2021-03-01T12:00:00Z"
# BIP173: P2WPKH and P2WSH of the examples; Bitcoin Core's regtest prefixes for the rest.
P2WPKH = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
P2WSH = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"  # generator of secp256k1
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"  # published in the Bitcoin wiki


def entry(kind, *subjects, author="Ä. Doe", reason="because"):
    return make_entry(kind, subjects, "testnet3", author=author, reason=reason, at_utc=NOW)


def sample():
    entries = (
        entry(Kind.EXCLUDE_TRANSACTION, "AB" * 32),
        entry(Kind.RULE_OFF, "coinjoin.generic"),
        entry(Kind.SPLIT, P2WPKH.upper(), KEY, "script:51"),
        entry(Kind.MERGE, P2WPKH, P2WSH),
    )
    return Overlay("case", "testnet3", "A", NOW, MadeAt(7, "00" * 32, "ff" * 32), entries)


def document(**changes):
    return {**json.loads(encode(sample())), **changes}


def raw(content):
    return json.dumps(content).encode()


def test_what_is_written_is_read_again_and_written_the_same():
    overlay = sample()
    assert decode(encode(overlay)) == overlay
    assert encode(decode(encode(overlay))) == encode(overlay)


def test_the_file_has_the_fields_it_should():
    content = document()
    assert list(content) == ["format", "name", "network", "author", "created_utc", "snapshot", "entries"]
    assert content["format"] == 1
    assert content["snapshot"] == {"height": 7, "block_hash": "00" * 32, "digest": "ff" * 32}
    signed = {"author": "Ä. Doe", "reason": "because", "at_utc": NOW}
    assert content["entries"] == [
        {"kind": "exclude_transaction", "txid": "ab" * 32, **signed},
        {"kind": "rule_off", "rule": "coinjoin.generic", **signed},
        {"kind": "split", "scripts": [P2WPKH, f"script:21{KEY}ac", "script:51"], **signed},
        {"kind": "merge", "a": P2WPKH, "b": P2WSH, **signed},
    ]


def test_anybody_can_compute_the_digest_of_a_written_file():
    content = document()
    kept = {key: content[key] for key in ("format", "network", "entries")}
    canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert sample().digest == hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def test_the_digest_covers_what_an_overlay_says_and_nothing_else():
    overlay = sample()
    for change in ({"name": "other"}, {"author": "B"}, {"created_utc": "2022-01-01T00:00:00Z"}, {"made_at": None}):
        assert replace(overlay, **change).digest == overlay.digest
    others = [replace(overlay, network="mainnet"), replace(overlay, entries=overlay.entries[::-1])]
    for name, value in (
        ("reason", "x"),
        ("author", "x"),
        ("at_utc", "2022-01-01T00:00:00Z"),
        ("subjects", ("cd" * 32,)),
    ):
        others.append(replace(overlay, entries=(replace(overlay.entries[0], **{name: value}), *overlay.entries[1:])))
    assert len({each.digest for each in (overlay, *others)}) == len(others) + 1


def test_scripts_are_spelled_in_one_way():
    spellings = [P2WPKH, P2WPKH.upper(), "script:0014751e76e8199196d454941c45d1b3a323f1433bd6"]
    assert {entry(Kind.SPLIT, each) for each in spellings} == {entry(Kind.SPLIT, P2WPKH)}
    assert spelled(bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6"), "testnet3") == P2WPKH


HOSTILE = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not JSON": b"{",
    "too deep": b"[" * 100_000,
    "a number too long": b'{"format": ' + b"9" * 10_000 + b"}",
    "NaN": b'{"format": NaN}',
    "a list": b"[]",
    "a text": b'"overlay"',
    "too large": b" " * (MOST_BYTES + 1),
    "a key twice": encode(sample()).replace(b'"name": "case",', b'"name": "case", "name": "case",'),
    "a key twice inside": encode(sample()).replace(b'"rule": ', b'"rule": "cospend", "rule": ', 1),
    "no entries": raw({k: v for k, v in document().items() if k != "entries"}),
    "a foreign key": raw(document(script="rm")),
    "format 2": raw(document(format=2)),
    "format true": raw(document(format=True)),
    "format 1.0": raw(document(format=1.0)),
    "format as text": raw(document(format="1")),
    "no name": raw(document(name=" ")),
    "a long name": raw(document(name="x" * 201)),
    "a name for a terminal": raw(document(name="\x1b[31m")),
    "a lone surrogate": raw(document(name="\udcff")),
    "a right-to-left name": raw(document(name="\u202egnp")),
    "an unknown network": raw(document(network="main")),
    "a network of another type": raw(document(network=["mainnet"])),
    "another network's addresses": raw(document(network="mainnet")),
    "a local time": raw(document(created_utc="2021-03-01T12:00:00+01:00")),
    "no such day": raw(document(created_utc="2021-02-30T12:00:00Z")),
    "a short time": raw(document(created_utc="2021-3-1T1:0:0Z")),
    "a height below zero": raw(document(snapshot={"height": -1, "block_hash": "00" * 32, "digest": "00" * 32})),
    "a height of true": raw(document(snapshot={"height": True, "block_hash": "00" * 32, "digest": "00" * 32})),
    "a height too large": raw(document(snapshot={"height": 2**31, "block_hash": "00" * 32, "digest": "00" * 32})),
    "a short hash": raw(document(snapshot={"height": 1, "block_hash": "00", "digest": "00" * 32})),
    "entries as object": raw(document(entries={})),
    "too many entries": raw(document(entries=[0] * 100_001)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_short_sentence(name):
    with pytest.raises(InputRefused, match=r"^not an overlay: ") as refused:
        decode(HOSTILE[name])
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


HOSTILE_ENTRIES = {
    "no object": (7, "kind"),
    "no kind": ({}, "kind"),
    "an unknown kind": ({"kind": "delete"}, "kind"),
    "a kind that is a list": ({"kind": ["merge"]}, "kind"),
    "no author": ({"kind": "rule_off", "rule": "cospend", "author": ""}, "author"),
    "no reason": ({"kind": "rule_off", "rule": "cospend", "reason": "  "}, "reason"),
    "a long reason": ({"kind": "rule_off", "rule": "cospend", "reason": "x" * 4_001}, "reason"),
    "two lines": ({"kind": "rule_off", "rule": "cospend", "reason": "a\nb"}, "reason"),
    "no rule": ({"kind": "rule_off"}, "rule"),
    "an unknown rule": ({"kind": "rule_off", "rule": "coinjoin.generik"}, "rule"),
    "a rule that is a number": ({"kind": "rule_off", "rule": 1}, "rule"),
    "a field of another kind": ({"kind": "rule_off", "rule": "cospend", "txid": "00" * 32}, "txid"),
    "a short txid": ({"kind": "exclude_transaction", "txid": "00" * 31}, "txid"),
    "a txid that is null": ({"kind": "exclude_transaction", "txid": None}, "txid"),
    "no scripts": ({"kind": "split", "scripts": []}, "scripts"),
    "scripts as text": ({"kind": "split", "scripts": P2WPKH}, "scripts"),
    "too many scripts": ({"kind": "split", "scripts": [P2WPKH] * (MOST_SCRIPTS + 1)}, "scripts"),
    "a script that is a number": ({"kind": "split", "scripts": [P2WSH, 5]}, r"scripts\[1\]"),
    "a script twice": ({"kind": "split", "scripts": [P2WPKH, P2WPKH.upper()]}, "scripts"),
    "a private key": ({"kind": "split", "scripts": [WIF]}, r"scripts\[0\]"),
    "bare hex": ({"kind": "split", "scripts": ["11" * 32]}, r"scripts\[0\]"),
    "an empty script": ({"kind": "split", "scripts": ["script:"]}, r"scripts\[0\]"),
    "odd hex": ({"kind": "split", "scripts": ["script:515"]}, r"scripts\[0\]"),
    "an endless script": ({"kind": "split", "scripts": ["script:" + "51" * 20_000]}, r"scripts\[0\]"),
    "one end": ({"kind": "merge", "a": P2WPKH}, "b"),
    "both ends alike": ({"kind": "merge", "a": P2WPKH, "b": P2WPKH}, "a"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_ENTRIES)
def test_a_hostile_entry_is_named_by_its_place(name):
    stated, place = HOSTILE_ENTRIES[name]
    if isinstance(stated, dict):
        stated = {"author": "A", "reason": "R", "at_utc": NOW, **stated}
    good = document()["entries"]
    with pytest.raises(InputRefused, match=rf"^not an overlay: entries\[4\].*{place}") as refused:
        decode(raw(document(entries=[*good, stated])))
    assert WIF not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_near_rule_is_offered():
    with pytest.raises(InputRefused) as refused:
        entry(Kind.RULE_OFF, "coinjoin.generik")
    assert refused.value.hint == "did you mean 'coinjoin.generic'?"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_overlay_or_refused(content):
    with pytest.raises(InputRefused):
        decode(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_a_value_of_any_type_in_any_place_is_read_or_refused(data):
    content = document()
    places = [(content, key) for key in content]
    places += [(each, key) for each in content["entries"] for key in each]
    places += [(content["snapshot"], key) for key in content["snapshot"]]
    places += [(content["entries"][2]["scripts"], 1)]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(json_values)
    try:
        overlay = decode(raw(content))
    except InputRefused:
        return
    assert decode(encode(overlay)) == overlay


# On disk.


def test_a_file_is_made_once_and_never_overwritten(tmp_path):
    path = tmp_path / "case.json"
    file.create(path, sample())
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        file.create(path, replace(sample(), name="other"))
    assert path.read_bytes() == before == encode(sample())
    assert os.listdir(tmp_path) == ["case.json"]  # noqa: PTH208
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists already"):
        file.create(tmp_path / "link.json", sample())


def test_an_update_replaces_the_whole_file_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "case.json"
    file.create(path, sample())
    path.chmod(0o640)
    reader = path.open("rb")
    more = entry(Kind.RULE_OFF, "same_key")
    after = file.update(path, lambda overlay: overlay.with_entry(more))
    assert file.read(path) == after == sample().with_entry(more)
    assert path.stat().st_mode & 0o777 == 0o640
    with reader:
        assert reader.read() == encode(sample()), "who reads the old file reads it whole"
    assert os.listdir(tmp_path) == ["case.json"]  # noqa: PTH208


def test_an_update_through_a_link_changes_the_file_behind_it(tmp_path):
    file.create(tmp_path / "case.json", sample())
    (tmp_path / "link.json").symlink_to(tmp_path / "case.json")
    file.update(tmp_path / "link.json", lambda overlay: replace(overlay, name="other"))
    assert (tmp_path / "link.json").is_symlink()
    assert file.read(tmp_path / "case.json").name == "other"


def test_an_update_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "case.json"
    file.create(path, sample())

    def by_somebody_else(overlay):
        path.write_bytes(encode(replace(sample(), name="theirs")))
        return replace(overlay, name="ours")

    with pytest.raises(UsageError, match="somebody else"):
        file.update(path, by_somebody_else)
    assert file.read(path).name == "theirs"
    with pytest.raises(InputRefused, match="name"):
        file.update(path, lambda overlay: replace(overlay, name=""))
    assert file.read(path).name == "theirs"
    assert os.listdir(tmp_path) == ["case.json"]  # noqa: PTH208


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "nul\0.json", tmp_path / ("x" * 300)):
        with pytest.raises(InputRefused):
            file.read(path)
    with pytest.raises(UsageError):
        file.create(tmp_path / "nul\0.json", sample())
    with pytest.raises(Unavailable):
        file.create(tmp_path / "nowhere" / "case.json", sample())
    (tmp_path / "large.json").write_bytes(b" " * (MOST_BYTES + 10))
    with pytest.raises(InputRefused, match="more than 16,777,216 bytes"):
        file.read(tmp_path / "large.json")
