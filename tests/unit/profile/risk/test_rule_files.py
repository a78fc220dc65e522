"""Rule files: what is read is what stands there, and every fault is named with its line."""

import hashlib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.errors import InputRefused
from cointrail.profile.exposure.exposure import Side
from cointrail.profile.risk.file import MOST_BYTES, default_rules, parse_rules, read_rules
from cointrail.profile.risk.rules import Listed, Reach, Rule

HEAD = "format: cointrail-risk-rules\nformat_version: 1\nname: mine\nrevision: 3\nrules:\n"
RULE = "  - id: a\n    reason: why\n    side: sent\n    categories: [exchange]\n"


def parse(text):
    return parse_rules(text.encode(), "mine.yaml")


def test_all_fields_are_read():
    text = HEAD + (
        "  - id: one\n    reason: because\n    side: received\n    reach: indirect\n"
        "    categories: [sanction, market]\n"
        "    entities: [Evil]\n    listed: after\n    max_hops: 4\n    within_days: 30\n    min_sat: 10\n"
        "    min_share_ppm: 1000\n    fixed: 5\n    by_share: 20\n    most: 12\n"
        "  - id: two\n    reason: because\n    side: sent\n    stops: [coinjoin, unspent]\n"
    )
    found = parse(text)
    assert (found.name, found.revision, found.file, found.text) == ("mine", 3, "mine.yaml", text)
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert found.rules == (
        Rule(
            "one", 6, "because", Side.RECEIVED, Reach.INDIRECT, ("sanction", "market"), ("Evil",), (), Listed.AFTER,
            4, 30, 10, 1_000, 5, 20, 12,
        ),
        Rule("two", 20, "because", Side.SENT, stops=("coinjoin", "unspent")),
    )  # fmt: skip
    assert [rule.informative for rule in found.rules] == [False, True]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "it is empty"),
        ("- 1\n", 1, "give fields here"),
        (HEAD.replace("version: 1", "version: 2") + RULE, 1, "not of format"),
        (HEAD.replace("name: mine\n", "") + RULE, 1, "name is missing"),
        ("format: cointrail-risk-rules\n", 1, "no list `rules`"),
        (HEAD + "  []\n", 6, "list of 1 to"),
        (HEAD + RULE + "    colour: red\n", 10, "no field 'colour'"),
        (HEAD + RULE + "    side: received\n", 10, "a second time"),
        (HEAD + RULE + RULE, 10, "rule a is there already, at line 6"),
        (HEAD + RULE.replace("sent", "both"), 8, "choose among received, sent"),
        (HEAD + RULE.replace("    reason: why\n", ""), 6, "has no reason"),
        (HEAD + RULE + "    fixed: 1.5\n", 10, "whole number"),
        (HEAD + RULE + "    fixed: 010\n", 10, "whole number"),
        (HEAD + RULE + "    fixed: -1\n", 10, "whole number"),
        (HEAD + RULE + "    fixed: 1000001\n", 10, "whole number"),
        (HEAD + RULE + "    fixed: [1]\n", 10, "one value"),
        (HEAD + RULE + "    stops: [coinjoin]\n", 6, "or else stops"),
        (HEAD + RULE.replace("    categories: [exchange]\n", ""), 6, "needs categories or entities"),
        (HEAD + RULE.replace("[exchange]", "exchange"), 9, "give a list"),
        (HEAD + RULE.replace("[exchange]", "[]"), 9, "give a list"),
        (HEAD + RULE.replace("id: a", "id: A B"), 6, "small letters"),
        (HEAD + RULE.replace("why", "the owner is a criminal"), 7, "'criminal' is a verdict"),
        (HEAD + RULE.replace("why", '"a\\u202eb"'), 7, "on one line"),
        (HEAD + RULE.replace("[exchange]", "&x [exchange]"), 9, "anchors"),
        (HEAD + RULE.replace("why", "*x"), 7, "anchors"),
        (HEAD + RULE.replace("why", "!!python/object/apply:os.system [true]"), 7, "anchors"),
        (HEAD + RULE + "    entities: [[[[[x]]]]]\n", 10, "nested too deep"),
        (HEAD + RULE + "   x: [\n", 10, "no YAML"),
        (HEAD + "  - id: a\n    reason: why\n    side: sent\n    stops: [mixer]\n", 9, "choose among"),
        (HEAD + "  - id: a\n    reason: why\n    side: sent\n    stops: [coinjoin]\n    max_hops: 1\n", 6, "no reach"),
        (HEAD + "  - id: a\n    reason: why\n    side: sent\n    stops: [service]\n", 6, "no reach"),
    ],
)
def test_faults_are_named_with_their_line(text, line, says):
    with pytest.raises(InputRefused, match=rf"^mine\.yaml, line {line}: .*{says}"):
        parse(text)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputRefused, match="there is no file"):
        read_rules(tmp_path / "none")
    with pytest.raises(InputRefused, match="no regular file"):
        read_rules(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(InputRefused, match="no text in UTF-8"):
        read_rules(tmp_path / "latin")
    (tmp_path / "long").write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(InputRefused, match="bytes that are read"):
        read_rules(tmp_path / "long")


@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet="-[]{}:&*!?|>#'\"%@ \n\tax1,", max_size=200).map(str.encode))
)
def test_nothing_but_a_refusal_comes_of_rubbish(content):
    for whole in (content, (HEAD + RULE).encode() + content):
        try:
            parse_rules(whole, "x")
        except InputRefused:
            continue


def test_the_rules_that_come_with_the_program():
    found = default_rules()
    assert found.rules
    for rule in found.rules:
        if rule.on_privacy:
            assert rule.informative, "privacy tools add nothing"
        if "ransomware" in rule.categories and rule.side is Side.SENT:
            assert rule.informative, "who pays a ransom is its victim"
        if "sanction" in rule.categories and rule.listed is Listed.BEFORE:
            assert rule.informative
    assert any("coinjoin" in rule.stops for rule in found.rules)
    assert {rule.listed for rule in found.rules if "sanction" in rule.categories} >= {
        Listed.AFTER, Listed.BEFORE, Listed.UNKNOWN,
    }  # fmt: skip


def test_the_example_of_the_documentation_is_read():
    page = (Path(__file__).parents[4] / "docs" / "howto" / "write-risk-rules.md").read_text(encoding="utf-8")
    found = parse(page.split("```yaml\n")[1].split("```")[0])
    assert (found.name, [rule.ceiling for rule in found.rules]) == ("our desk", [20])
    for field in fields(Rule):
        assert field.name == "line" or f"`{field.name}`" in page
