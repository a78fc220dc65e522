"""A wallet's labels: kept apart as its user's words, digit by digit, and never written back as orders to a wallet."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution.formats.bip329 import AUTHOR, OWN_WORDS, canonical, read_bip329, write_bip329
from cointrail.attribution.tag import Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused

KEY = "0283409659355b6d1cc3c32decd5d561abaac86c37a353b52895a5e6c196d6f448"
TXID = "f91d0a8a78462bc59398f2c5d7a84fcff491c26ba54c4833478b202796c8aafd"
XPUB = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
# The example of BIP-329, section "Test Vectors", with invented words.
EXAMPLE = (
    f'{{ "type": "tx", "ref": "{TXID}", "label": "Rent", "origin": "wpkh([d34db33f/84\'/0\'/0\'])" }}\n'
    '{ "type": "addr", "ref": "bc1q34aq5drpuwy3wgl9lhup9892qp6svr8ldzyy7c", "label": "From a friend" }\n'
    f'{{ "type": "pubkey", "ref": "{KEY}", "label": "Key" }}\n'
    f'{{ "type": "input", "ref": "{TXID}:0", "label": "Paid in" }}\n'
    f'{{ "type": "output", "ref": "{TXID}:1", "label": "Change", "spendable": false }}\n'
    f'{{ "type": "xpub", "ref": "{XPUB}", "label": "Account" }}\n'
    f'{{ "type": "tx", "ref": "{TXID}", "label": "Rent", "rate": {{"USD": 65000.10, "EUR": 1e2}}, "height": 5 }}\n'
)


def written(folder, text):
    path = folder / "labels.jsonl"
    path.write_text(text, "utf-8")
    return path


def test_the_example_of_the_proposal(tmp_path):
    pack = read_bip329(written(tmp_path, EXAMPLE))
    tags = list(pack.tags)
    kinds = [SubjectKind.TRANSACTION, SubjectKind.ADDRESS, SubjectKind.PUBKEY, SubjectKind.OUTPUT, SubjectKind.XPUB]
    assert [tag.subject.kind for tag in tags] == [*kinds, SubjectKind.TRANSACTION]
    assert [tag.line for tag in tags] == [1, 2, 3, 5, 6, 7]
    assert [tag.statement.label for tag in tags] == ["Rent", "From a friend", "Key", "Change", "Account", "Rent"]
    assert pack.skipped == {"type 'input'": 1}
    assert dict(tags[3].statement.extra) == {"spendable": "false"}
    assert dict(tags[5].statement.extra) == {"height": "5", "rate": '{"EUR":1E+2,"USD":65000.10}'}


def test_they_are_the_users_own_words(tmp_path):
    for tag in read_bip329(written(tmp_path, EXAMPLE)).tags:
        said = tag.statement
        assert (said.source, said.confidence, said.author) == ("wallet labels of labels.jsonl", "unknown", AUTHOR)
        assert (said.actor, said.category, said.concepts, said.tag_type) == ("", "", (OWN_WORDS,), "attribute")
        assert said.is_cluster_definer is False


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"type": "spscan", "ref": "x", "label": "a"}, "type 'spscan'"),
        ({"type": "tx", "ref": TXID}, "no label"),
        ({"type": "tx", "ref": TXID, "label": None}, "no label"),
        ({"type": "tx", "ref": TXID[1:], "label": "a"}, "ref that is no tx"),
        ({"type": "output", "ref": TXID, "label": "a"}, "ref that is no output"),
        ({"type": "addr", "ref": "a" * 200, "label": "a"}, "ref that is no addr"),
        ({"type": "xpub", "ref": XPUB.replace("xpub", "xprv"), "label": "a"}, "private key"),
    ],
)
def test_what_cannot_be_a_tag_is_counted(tmp_path, record, reason):
    pack = read_bip329(written(tmp_path, json.dumps(record) + "\n\n"))
    assert list(pack.tags) == []
    assert pack.skipped == {reason: 1}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("no json", "no JSON"),
        ("[]", "no JSON object"),
        ('"text"', "no JSON object"),
        ('{"type": 5, "ref": "a"}', "no text `type`"),
        ('{"type": "tx"}', "no text `ref`|no text `type`"),
        ('{"type": "tx", "ref": "a", "label": 5}', "label is no text"),
        ('{"type": "tx", "ref": "a", "label": "' + "x" * 5_000 + '"}', "label is no text"),
        ('{"type": "tx", "ref": "a", "ref": "b"}', "a name stands twice"),
        ('{"type": "tx", "ref": "a", "fee": NaN}', "NaN is no number"),
        ('{"type": "tx", "ref": "a", "fee": ' + "1" * 5_000 + "}", "too many digits"),
        ('{"a": ' + "[" * 30_000 + "]" * 30_000 + "}", "nested too deeply"),
        ("x" * 100_000, "more than 65,536 bytes"),
        ('{"type": "tx"\0}', "NUL"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path, line, says):
    first = json.dumps({"type": "tx", "ref": TXID, "label": "a"})
    with pytest.raises(InputRefused, match=f"line 2 of .*({says})"):
        list(read_bip329(written(tmp_path, f"{first}\n{line}\n")).tags)


def test_a_private_key_is_never_repeated(tmp_path):
    key = XPUB.replace("xpub", "xprv")
    pack = read_bip329(written(tmp_path, json.dumps({"type": "xpub", "ref": key, "label": "a"})))
    assert key not in repr((list(pack.tags), pack.skipped))


def test_what_nobody_sees_is_spelled_out(tmp_path):
    (tag,) = read_bip329(
        written(tmp_path, json.dumps({"type": "tx", "ref": TXID, "label": "a\u202eb\u200dc\u00e9"}))
    ).tags
    assert tag.statement.label == "a\\u202eb\\u200dc\u00e9"


LABELS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
SUBJECTS = st.one_of(
    st.binary(min_size=32, max_size=32).map(lambda raw: Subject(SubjectKind.TRANSACTION, raw.hex())),
    st.binary(min_size=32, max_size=32).map(lambda raw: Subject(SubjectKind.OUTPUT, raw.hex() + ":7")),
    st.text("1abcXYZ", min_size=26, max_size=40).map(lambda text: Subject(SubjectKind.ADDRESS, text)),
)


@given(st.lists(st.tuples(SUBJECTS, LABELS), max_size=8))
def test_what_is_written_is_read_again(tmp_path_factory, made):
    tags = [
        Tag(subject, Statement(label, "a source", "unknown", extra=(("spendable", "true"),))) for subject, label in made
    ]
    file = io.StringIO()
    assert write_bip329(tags, file) == {}
    records = [json.loads(line) for line in file.getvalue().splitlines()]
    assert all(set(record) == {"type", "ref", "label"} for record in records)
    again = read_bip329(written(tmp_path_factory.mktemp("labels"), file.getvalue())).tags
    assert [(tag.subject, tag.statement.label) for tag in again] == made


def test_only_three_kinds_are_written_and_no_wallets_own_words(tmp_path):
    own = list(read_bip329(written(tmp_path, EXAMPLE)).tags)
    analyst = [Tag(tag.subject, Statement("note", "case", "unknown")) for tag in own]
    file = io.StringIO()
    assert write_bip329([*own, *analyst], file) == {"a wallet's own words": 6, "subject pubkey": 1, "subject xpub": 1}
    assert [json.loads(line)["type"] for line in file.getvalue().splitlines()] == ["tx", "addr", "output", "tx"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_json_is_json_with_names_in_order(value):
    text = canonical(value)
    assert json.loads(text) == value
    assert text == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
