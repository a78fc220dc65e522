"""TagPacks are read as GraphSense reads them: headers hold for tags, defaults are said, every tag knows its line."""

import hashlib
from pathlib import Path

import pytest
import yaml
from vectors import shared_data

from cointrail.attribution.formats.tagpack import NO_CONFIDENCE, read_tagpack
from cointrail.attribution.tag import Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused, Unavailable

PACK = """\
title: Known services
creator: somebody
category: exchange
confidence: service_data
is_cluster_definer: true
currency: BTC
source: https://example.invalid/list
lastmod: 2024-01-15
tags:
- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT
  label: Boat
  actor: boat
- label: Raft
  category: mixing_service
  concepts: [mixing_service, coinjoin]
  confidence: web_crawl
  is_cluster_definer: false
  context: '{"note": "seen"}'
  valid_from: 2020-01-01
  valid_to: 2021-06-30 12:00:00
  author: somebody else
  network: BTC
  abuse: scam
  tag_type: mention
  tx_hash: f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16
  colour: {shade: 3, seen: 2022-02-02}
"""
HEADER = "title: t\ncreator: c\n"
TAG = HEADER + "tags:\n- address: 1abc\n  label: l\n  source: s\n"


def pack_of(folder: Path, text: str | bytes):
    path = folder / "pack.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_tagpack(path)


def test_the_header_holds_for_every_tag_that_does_not_say_otherwise(tmp_path):
    pack = pack_of(tmp_path, PACK)
    assert (pack.name, pack.sha256) == ("pack.yaml", hashlib.sha256(PACK.encode()).hexdigest())
    assert (pack.format, pack.header["lastmod"], pack.header["is_cluster_definer"]) == ("tagpack", "2024-01-15", True)
    boat, raft = pack.tags
    assert boat == Tag(
        Subject(SubjectKind.ADDRESS, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        Statement(
            label="Boat",
            source="https://example.invalid/list",
            confidence="service_data",
            actor="boat",
            category="exchange",
            is_cluster_definer=True,
            lastmod="2024-01-15",
            currency="BTC",
        ),
        line=10,
    )
    assert raft.line == 13
    assert raft.subject.kind is SubjectKind.TRANSACTION
    assert raft.statement.extra == (
        ("colour", '{"seen":{"!time":"2022-02-02"},"shade":3}'),
        ("valid_to", '{"!time":"2021-06-30T12:00:00"}'),
    )
    stated = raft.statement
    assert (stated.category, stated.concepts, stated.abuse) == (
        "mixing_service",
        ("mixing_service", "coinjoin"),
        "scam",
    )
    assert (stated.valid_from, stated.valid_to, stated.author) == (
        "2020-01-01",
        "2021-06-30T12:00:00Z",
        "somebody else",
    )
    assert (stated.is_cluster_definer, stated.confidence, stated.network) == (False, "web_crawl", "BTC")
    assert (stated.context, stated.tag_type) == ('{"note": "seen"}', "mention")
    assert pack.skipped == {}


def test_tags_that_say_the_same_share_one_statement(tmp_path):
    tags = "".join(f"- address: 1x{number}\n  label: l\n" for number in range(50))
    found = list(pack_of(tmp_path, f"{HEADER}source: s\nconfidence: forensic\ntags:\n{tags}").tags)
    assert len(found) == 50
    assert len({id(tag.statement) for tag in found}) == 1


def test_what_graphsense_fills_in_may_be_missing_and_is_said(tmp_path):
    pack = pack_of(tmp_path, TAG + "- address: 1b\n  label: m\n  source: s\n  confidence: unknown\n")
    without, given = pack.tags
    assert (without.statement.confidence, without.statement.network) == ("unknown", "")
    assert pack.skipped == {NO_CONFIDENCE: 1}
    assert without.statement.extra != given.statement.extra


def test_fields_of_the_header_may_stand_behind_the_tags_or_in_a_mapping(tmp_path):
    pack = pack_of(tmp_path, "header:\n  title: t\n  creator: c\n  label: l\ntags:\n- address: 1a\nsource: s\n")
    (tag,) = pack.tags
    assert (tag.statement.label, tag.statement.source, tag.line) == ("l", "s", 6)
    assert pack.header == {"title": "t", "creator": "c", "label": "l", "source": "s"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024-01-15", "2024-01-15"),
        ("'2024-1-5'", "2024-01-05"),
        ("'2024-01-15'", "2024-01-15"),
        ("2024-01-15 23:30:00 -2", "2024-01-16T01:30:00Z"),
        ("'2024-01-15T10:00:00+02:00'", "2024-01-15T08:00:00Z"),
        ("2024-01-15T10:00:00Z", "2024-01-15T10:00:00Z"),
        ("'20240115'", "2024-01-15"),
        ("2024-01-15T10:00:00.75Z", "2024-01-15T10:00:00Z"),
    ],
)
def test_dates_become_days_or_times_in_utc(tmp_path, written, kept):
    (tag,) = pack_of(tmp_path, f"{TAG}  lastmod: {written}\n").tags
    assert tag.statement.lastmod == kept


def test_hexadecimal_texts_are_no_numbers(tmp_path):
    (tag,) = pack_of(tmp_path, HEADER + "label: l\nsource: s\ntags:\n- address: 0x742d35Cc6634C0532925\n").tags
    assert tag.subject.text == "0x742d35Cc6634C0532925"


def test_html_in_labels_is_plain_text(tmp_path):
    (tag,) = pack_of(tmp_path, TAG.replace("label: l", "label: <script>alert(1)</script>")).tags
    assert tag.statement.label == "<script>alert(1)</script>"


def test_a_context_may_have_lines_and_may_be_a_mapping(tmp_path):
    (lines,) = pack_of(tmp_path, TAG + "  context: |\n    one\n    two\n").tags
    assert lines.statement.context == "one\ntwo\n"
    (mapping,) = pack_of(tmp_path, TAG + "  context: {b: 1, a: 2020-02-03}\n").tags
    assert mapping.statement.context == '{"a":"2020-02-03","b":1}'


WRONG_TAGS = [
    ("  confidence: sure\n", "unknown confidence 'sure'"),
    ("  confidence: [forensic]\n", "confidence is a list, not text"),
    ("  is_cluster_definer: 'true'\n", "is_cluster_definer is text, not true or false"),
    ("  is_cluster_definer: 1\n", "is_cluster_definer is a number, not true or false"),
    ("  actor: 17\n", "actor is a number, not text"),
    ("  actor:\n", "actor is empty, not text"),
    ("  actor: ''\n", "actor is empty"),
    ("  category: [a]\n", "category is a list, not text"),
    ("  concepts: exchange\n", "concepts is text, not a list"),
    ("  concepts: [1]\n", "an entry of concepts is a number, not text"),
    ("  lastmod: yesterday\n", "lastmod is no date that can be read"),
    ("  lastmod: 2024-13-45\n", "month must be in"),
    ("  valid_from: '0001-01-01T00:00:00+14:00'\n", "valid_from is no date that can be read"),
    ("  valid_from: 0001-01-01T00:00:00+14:00\n", "no date|out of range"),
    ("  lastmod: 7\n", "lastmod is a number, not a date"),
    ("  context: [a]\n", "context is a list"),
    ("  tx_hash: aa\n", "both an address and a tx_hash"),
    ("  currency: true\n", "currency is true or false, not text"),
]


@pytest.mark.parametrize(("field", "says"), WRONG_TAGS)
def test_a_tag_with_a_wrong_field_is_refused_with_its_line(tmp_path, field, says):
    text = TAG + "- address: 1b\n  label: m\n  source: s\n" + field
    with pytest.raises(InputRefused, match=r"pack\.yaml, line ([7-9]|10): .*" + says) as refusal:
        list(pack_of(tmp_path, text).tags)
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (TAG.replace("  label: l\n", ""), 4, "a tag has no label"),
        (TAG.replace("  source: s\n", ""), 4, "a tag has no source"),
        (TAG.replace("address: 1abc", "colour: red"), 4, "neither an address nor a tx_hash"),
        (TAG.replace("address: 1abc", "address: 12345"), 4, "address is a number"),
        (TAG.replace("title: t\n", ""), 1, "the header has no title"),
        (TAG.replace("creator: c", "creator: 5"), 2, "creator is a number"),
        (HEADER + "confidence: sure\ntags: []\n", 3, "unknown confidence"),
        (HEADER + "label: [x]\ntags: []\n", 3, "label is a list"),
        (HEADER + "tags: {a: 1}\n", 3, "`tags` is no list"),
        (HEADER + "tags:\n", 3, "`tags` is no list"),
        (HEADER + "tags: [1, 2]\n", 3, "an entry of `tags` is no mapping"),
        (HEADER, 1, "it has no list `tags`"),
        (HEADER + "actors: []\n", 1, "it has a list `actors`"),
        (HEADER + "title: again\ntags: []\n", 3, "the field 'title' stands twice"),
        (TAG + "  label: again\n", 7, "the field 'label' stands twice"),
        ("- a\n- b\n", 1, "it is no mapping"),
        ("", 1, "it is empty"),
    ],
)
def test_what_is_no_pack_is_refused_with_the_line(tmp_path, text, line, says):
    with pytest.raises(InputRefused, match=f"line {line}: .*{says}"):
        list(pack_of(tmp_path, text).tags)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="no regular file"):
        read_tagpack(tmp_path)
    with pytest.raises(Unavailable, match="cannot read"):
        read_tagpack(tmp_path / "absent.yaml")


def test_real_packs_are_read_whole():
    """Every tag of every pack, with what PyYAML's own loader says of it."""
    packs = sorted((shared_data() / "tags").glob("*.yaml"))
    assert len(packs) == 10
    for path in packs:
        plain = yaml.safe_load(path.read_text("utf-8"))
        lines = path.read_text("utf-8").splitlines()
        tags = list(read_tagpack(path).tags)
        assert [tag.subject.text for tag in tags] == [each["address"] for each in plain["tags"]]
        for tag, each in zip(tags, plain["tags"], strict=True):
            whole = {**plain, **each}
            stated = tag.statement
            assert lines[tag.line - 1].startswith("- ")
            assert (stated.label, stated.source, stated.currency) == (
                whole["label"],
                whole["source"],
                whole["currency"],
            )
            assert (stated.confidence, stated.actor) == (whole.get("confidence", "unknown"), whole.get("actor", ""))
            assert stated.is_cluster_definer == whole.get("is_cluster_definer")
            assert stated.lastmod == str(whole.get("lastmod", ""))
            assert (stated.category, stated.abuse) == (whole.get("category", ""), whole.get("abuse", ""))
