"""Sanctioned addresses in texts: every one with its line, and nothing is said about whose they are."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import shared_data

from cointrail.attribution.formats.ofac_text import LABEL, read_ofac_text
from cointrail.attribution.subject import locate
from cointrail.errors import InputRefused

ONE, TWO = "1" + "a" * 33, "bc1q" + "b" * 38


def written(folder, text, name="list.txt"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def found(path):
    return [(tag.subject.text, tag.line) for tag in read_ofac_text(path).tags]


def test_the_real_list_is_read_whole():
    path = shared_data() / "tags" / "ofac-sanctioned-XBT.txt"
    lines = path.read_text().split()
    tags = list(read_ofac_text(path).tags)
    assert [(tag.subject.text, tag.line) for tag in tags] == [(text, number) for number, text in enumerate(lines, 1)]
    assert {(tag.statement.label, tag.statement.actor) for tag in tags} == {(LABEL, "")}
    assert {(tag.statement.confidence, tag.statement.category) for tag in tags} == {("authority_data", "sanction")}
    # OFAC lists a few addresses under the wrong currency: one of Tron stands among those of Bitcoin
    assert all(locate(tag.subject).networks == 1 for tag in tags if not tag.subject.text.startswith("T"))
    assert sum(tag.subject.text.startswith("T") for tag in tags) < 5


def test_remarks_with_alternatives_and_broken_lines(tmp_path):
    text = (
        "NEMO, Nobody; DOB 1980; Digital Currency Address\n- XBT\n"
        f"{ONE}; alt. Digital Currency Address - XBT {TWO};\n"
        f"alt. Digital Currency Address - ETH 0x{'c' * 40}; (individual)\n"
        "[CYBER2]. Digital Currency Address - XBT; Digital Currency Address - XBT.\n"
    )
    pack = read_ofac_text(written(tmp_path, text))
    assert [(tag.subject.text, tag.line) for tag in pack.tags] == [(ONE, 1), (TWO, 3)]
    assert pack.skipped == {"address in ETH": 1, "remark without an address": 2}


def test_an_array_and_lines_say_the_same(tmp_path):
    assert found(written(tmp_path, json.dumps([ONE, TWO], indent=1), "a.json")) == [(ONE, 2), (TWO, 3)]
    assert found(written(tmp_path, f"\ufeff{ONE}\r\n\r\n# comment\r\n{TWO}\r\n{ONE}")) == [(ONE, 1), (TWO, 4)]


WORDS = st.lists(st.text("1abcXYZ", min_size=20, max_size=40), max_size=8, unique=True)


@given(WORDS, st.sampled_from([" ", "\n", "\r\n ", "  \n"]))
def test_remarks_give_what_was_put_in(tmp_path_factory, addresses, gap):
    text = f"Digital{gap}Currency{gap}Address - ETH{gap}0x1;\n" + "; alt.".join(
        f"Digital{gap}Currency{gap}Address{gap}-{gap}XBT{gap}{each}" for each in addresses
    )
    path = written(tmp_path_factory.mktemp("text"), text)
    assert [address for address, _ in found(path)] == addresses


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{ONE}\nnot an address\n", r"line 2 of .*'not an address' is no address"),
        (f"{ONE}\0", r"line 1 of .*NUL"),
        ('["x"]', "entry 1 is no address"),
        ("[" * 100_000, "no array of addresses|no JSON"),
        (f'["{ONE}",\n 5]', "entry 2 is no address: 5"),
        (f'["{ONE}",\n', r"line 2 of .*no JSON"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, text, says):
    with pytest.raises(InputRefused, match=says):
        found(written(tmp_path, text))


def test_a_long_hostile_text_takes_no_time(tmp_path):
    """Many beginnings of a remark that never come to an end: linear, or this test hangs."""
    text = ("Digital " + " " * 50) * 40_000 + "Digital Currency Address - XBT " + "a" * 1_000_000
    pack = read_ofac_text(written(tmp_path, text))
    assert Counter(tag.subject.kind for tag in pack.tags) == {}
    assert pack.skipped == {"remark without an address": 1}
