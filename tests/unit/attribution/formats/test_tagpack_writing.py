"""A TagPack that was read is written again as an equal pack; whatever is written reads back as it was."""

import io
from pathlib import Path

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from pack_strategies import TAG_FIELDS, laid_out, tags, words
from vectors import shared_data

from cointrail.attribution.formats.tagpack import NO_CURRENCY, read_tagpack, write_tagpack
from cointrail.attribution.formats.yaml_text.heads import MOST_NAMED
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused

PACK = """\
title: Every kind of field
creator: somebody
description: |
  two
  lines
owner: somebody else
is_public: false
colour: {shade: [1, 2.5, 1.0e+30, null, true, 2020-02-02], '!time': '!x', at: 2021-03-04T05:06:07.5+02:00}
lastmod: '2024-01-15'
label: of all
source: https://example.invalid/a?b=c#d
category: exchange
tags:
- address: 1plain
- {address: 'yes', label: '12', currency: 'null', actor: "a: b # c"}
- address: "0x12"
  confidence: unknown
  lastmod: 2024-01-16 10:11:12
- tx_hash: aa
  context: {when: 2020-02-02, what: [1, yes]}
  lastmod: 2024-01-17T10:11:12.25Z
  concepts: []
- address: b
  context: '{"when": "2020-02-02"}'
  concepts: [a, "b, c", 'yes']
  is_cluster_definer: no
  valid_from: 2020-01-01
  valid_to: '2020-1-2'
  unknown: [a, {b: c}, 2020-01-01, ~, 0x1f, 017, 1_000, 12:30, .5]
  empty:
- address: b
  context: "tab\\t line\\n nothing\\u200b seen \\U0001F600 \\u2028"
- address: 1plain
  category: exchange
"""


def again(path: Path, folder: Path, **options) -> tuple[Path, dict[str, int]]:
    pack = read_tagpack(path)  # holds all bytes: the file may be written over
    with (folder / "again.yaml").open("w", encoding="utf-8", newline="\n") as file:
        left_out = write_tagpack(pack, pack.tags, file, **options)
    return folder / "again.yaml", left_out


def assert_equal_pack(path: Path, other: Path):
    """By PyYAML's own loader, which shares nothing with ours but the parser and the rules for scalars."""
    assert laid_out(other, "tags", TAG_FIELDS) == laid_out(path, "tags", TAG_FIELDS)


def test_a_pack_with_every_kind_of_field_comes_back(tmp_path):
    path = tmp_path / "pack.yaml"
    path.write_text(PACK, encoding="utf-8")
    written, left_out = again(path, tmp_path)
    assert_equal_pack(path, written)
    assert left_out == {}
    assert kinds(written) == kinds(path)
    first, second = read_tagpack(path), read_tagpack(written)
    assert first.header == second.header
    assert [each.statement for each in first.tags] == [each.statement for each in second.tags]


def kinds(path: Path) -> list[list[type]]:
    """Types of all fields: to Python, 1, 1.0 and True are equal."""
    return [[type(value) for _, value in sorted(entry.items())] for entry in laid_out(path, "tags", TAG_FIELDS)[1]]


def test_real_packs_come_back_equal(tmp_path):
    packs = sorted((shared_data() / "tags").glob("*.yaml"))
    assert len(packs) == 10
    for path in packs:
        written, left_out = again(path, tmp_path)
        assert left_out == {}
        assert_equal_pack(path, written)
        first = written.read_bytes()
        again(written, tmp_path)
        assert written.read_bytes() == first


@given(
    st.lists(tags(), max_size=4), st.dictionaries(st.sampled_from(["title", "creator", "description", "a b"]), words())
)
def test_whatever_is_written_reads_back(tmp_path_factory, found, header):
    pack = Pack("list.csv", "00", "table", 1, header, found)
    path = tmp_path_factory.mktemp("written") / "pack.yaml"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        assert write_tagpack(pack, found, file) == {}
    read = read_tagpack(path)
    assert [(each.subject, each.statement) for each in read.tags] == [(each.subject, each.statement) for each in found]
    assert read.header == {
        "title": "list.csv",
        "creator": "made from a file in the format table",
        **header,
    }


@given(st.lists(tags(), min_size=1, max_size=3), st.data())
def test_what_the_header_says_is_not_said_again(tmp_path_factory, found, data):
    """Fields that all tags share may stand in the header or not: the tags are the same."""
    stated = found[0].statement
    tags_ = [Tag(each.subject, stated) for each in found]
    fields = {name: getattr(stated, name) for name in ("label", "source", "lastmod", "is_cluster_definer", "actor")}
    said = {name: value for name, value in fields.items() if value not in ("", None) and data.draw(st.booleans())}
    pack = Pack("pack.yaml", "00", "tagpack", 1, {"title": "t", "creator": "c", **said}, tags_)
    path = tmp_path_factory.mktemp("written") / "pack.yaml"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        write_tagpack(pack, tags_, file)
    assert [(each.subject, each.statement) for each in read_tagpack(path).tags] == [
        (each.subject, each.statement) for each in tags_
    ]
    plain = yaml.safe_load(path.read_text("utf-8"))
    assert all(not said.keys() & entry.keys() for entry in plain["tags"])


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, len(PACK)),
        st.integers(0, 4),
        st.sampled_from(
            [*"\n\t -:,#'\"[]{}&*!|>%@`?~\\=<.+0x1_eE:aZ\u0085\u2028\u200b\ufeff\0", "\n- ", ": ", "''", "---", "null"]
        )
        | st.text(max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@given(MUTATIONS)
def test_a_damaged_pack_is_refused_in_words_or_comes_back_equal(tmp_path_factory, mutations):
    text = PACK
    for position, removed, inserted in mutations:
        text = text[:position] + inserted + text[position + removed :]
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "pack.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        written, left_out = again(path, folder)
    except InputRefused as refusal:
        if "pack.yaml, line " not in str(refusal):
            raise
        event("refused")
        return
    event("comes back")
    assert left_out == {}
    assert_equal_pack(path, written)
    assert kinds(written) == kinds(path)


@given(st.binary(max_size=200))
def test_bytes_are_refused_in_words(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "pack.yaml"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=r"pack\.yaml, line \d+: "):
        list(read_tagpack(path).tags)


def stated(**fields) -> Statement:
    return Statement(**{"label": "l", "source": "s", "confidence": "forensic", **fields})


def test_a_header_that_does_not_hold_for_a_tag_is_refused():
    pack = Pack("p.yaml", "00", "tagpack", 1, {"title": "t", "creator": "c", "category": "exchange"}, ())
    tag = Tag(Subject(SubjectKind.ADDRESS, "1abc"), stated())
    with pytest.raises(InputRefused, match="says the category of every tag, and a tag about 1abc has none"):
        write_tagpack(pack, [tag], io.StringIO())


def test_what_a_tagpack_cannot_hold_is_left_out_and_said():
    pack = Pack("p.json", "00", "pools", 1, {"kind": "pools"}, ())
    subjects = [(SubjectKind.OUTPUT, "aa:0"), (SubjectKind.ADDRESS, "1abc"), (SubjectKind.OUTPUT, "bb:0")]
    statement = stated(valid_from="2020-01-01", extra=(("x", "1"),))
    file = io.StringIO()
    left_out = write_tagpack(pack, [Tag(Subject(*each), statement) for each in subjects], file, own_fields=False)
    assert left_out == {
        NO_CURRENCY: 1,
        "header's kind, which GraphSense does not know": 1,
        "tags' valid_from, which GraphSense does not know": 1,
        "tags' x, which GraphSense does not know": 1,
        "tags about an object of the kind output, which a TagPack cannot have": 2,
    }
    assert yaml.safe_load(file.getvalue()) == {
        "title": "p.json",
        "creator": "made from a file in the format pools",
        "tags": [{"address": "1abc", "label": "l", "source": "s", "confidence": "forensic"}],
    }


def test_a_tag_of_a_stranger_cannot_make_the_count_endless():
    pack = Pack("p.yaml", "00", "tagpack", 1, {"title": "t", "creator": "c"}, ())
    extra = tuple((f"x{number:03}", "1") for number in range(100))
    tags = [Tag(Subject(SubjectKind.ADDRESS, text), stated(extra=extra)) for text in ("1abc", "1abd")]
    left_out = write_tagpack(pack, tags, io.StringIO(), own_fields=False)
    assert len(left_out) == MOST_NAMED + 1
    assert set(left_out.values()) == {2}


def test_text_that_could_be_something_else_is_quoted():
    pack = Pack("p", "00", "table", 1, {"title": "t", "creator": "c"}, ())
    file = io.StringIO()
    write_tagpack(pack, [Tag(Subject(SubjectKind.ADDRESS, "0x12"), stated(label="NO", actor="1e5"))], file)
    assert '"0x12"' in file.getvalue()
    assert '"NO"' in file.getvalue()
    assert '"1e5"' in file.getvalue()  # a number to readers of YAML 1.2


def test_what_was_kept_as_written_holds_only_while_it_says_the_same(tmp_path):
    """A date in quotes is written in quotes again, unless the date was changed since."""
    path = tmp_path / "pack.yaml"
    path.write_text("title: t\ncreator: c\nlabel: l\nsource: s\ntags:\n- address: a\n  lastmod: '2024-1-5'\n")
    (tag,) = read_tagpack(path).tags
    changed = Tag(tag.subject, stated(lastmod="2025-02-02", extra=tag.statement.extra))
    file = io.StringIO()
    write_tagpack(Pack("p", "00", "tagpack", 1, {"title": "t", "creator": "c"}, ()), [tag, changed], file)
    assert [str(each["lastmod"]) for each in yaml.safe_load(file.getvalue())["tags"]] == ["2024-1-5", "2025-02-02"]
