"""Scores of a town worked out by hand, and re-screening: each cause alone, and all at once."""

import json
from dataclasses import asdict, replace

import pytest
from exposure_town import FEE, ExposureTown
from finder_cases import BTC

from cointrail.errors import InputRefused, UsageError
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import LIMITS
from cointrail.profile.risk.file import default_rules, parse_rules
from cointrail.service.exposures import rescreen as causes
from cointrail.service.exposures.rescreen import read_earlier
from cointrail.service.exposures.risk import risk

RULES = b"""format: cointrail-risk-rules
format_version: 1
name: test
revision: 1
rules:
- {id: from-evil, reason: why, side: received, categories: [sanction], fixed: 10, by_share: 90}
- {id: to-exchange, reason: why, side: sent, categories: [exchange], by_share: 30}
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return ExposureTown(tmp_path_factory.mktemp("risk"))


@pytest.fixture
def reader(town):
    with Reader(town.ledger) as opened:
        yield opened


def rules(content=RULES):
    return parse_rules(content, "rules.yaml")


def kept(answer, folder, change=lambda document: None):
    document = asdict(answer)
    change(document)
    path = folder / "earlier.json"
    path.write_text(json.dumps(document))
    return read_earlier(path)


def test_points_by_hand(town, reader):
    """4 of 9 BTC through others after the listing: 10 + 40 x 4/9; 1 of 2 BTC straight to it: 60 + 40 x 1/2."""
    answer = risk(reader, town.address["market"], services=town.tags())
    points = {each.rule: each.points for each in answer.components if each.points}
    assert points == {
        "received-indirectly-from-sanctioned-after-listing": 27,
        "sent-directly-to-sanctioned-after-listing": 80,
    }
    assert (answer.score, answer.arithmetic) == (107, "27 + 80 = 107")
    found = {each.rule: each for each in answer.components}
    assert len(found) == len(default_rules().rules)
    before = found["received-from-sanctioned-before-listing"]
    assert (before.informative, before.sat, before.points) == (True, 2 * BTC, 0)
    indirect = found["received-indirectly-from-sanctioned-after-listing"]
    assert indirect.arithmetic == f"10 + 40 x {4 * BTC:,} / {9 * BTC:,} rounded down (17) = 27"
    rows = {name: each for side in (answer.exposure.received, answer.exposure.sent) for category in side.categories
            for each in category.entities for name in (each.row_direct, each.row_indirect)}  # fmt: skip
    for each in answer.components:
        assert {one.row for one in each.inputs} <= {*rows}
    assert answer.warnings == ()
    assert "no finding about a person" in answer.statement


def test_an_unknown_date_counts_as_unknown(town, reader):
    answer = risk(reader, town.address["market"], services=town.tags("undated.csv", since=False))
    assert {each.rule: each.points for each in answer.components if each.points} == {
        "received-from-sanctioned-date-unknown": 10,
        "sent-to-sanctioned-date-unknown": 10,
    }


def test_no_score_without_tags(town, reader):
    answer = risk(reader, town.address["market"])
    assert answer.score is None
    assert "nothing to score" in answer.warnings[0]


def test_age_is_counted_from_the_snapshot(town, reader):
    one = RULES.replace(b"fixed: 10", b"within_days: 0, fixed: 10")
    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules(one))
    assert answer.components[0].sat == 6 * BTC, "the town is younger than a day"


def total(found):
    return sum(each.score_after - each.score_before for each in found.movements)


def test_nothing_moved(town, reader, tmp_path):
    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules())
    again = risk(reader, town.address["market"], services=town.tags(), rules=rules(), earlier=kept(answer, tmp_path))
    assert again.rescreen.movements == again.rescreen.notes == ()
    assert replace(again, rescreen=None) == answer


def test_each_cause_alone(town, reader, tmp_path):
    market, tags = town.address["market"], town.tags()
    with Reader(town.ledger, town.before) as before:
        early = risk(before, market, services=tags, rules=rules())
    assert early.score == 10 + 90 * 2 // 5
    now = risk(reader, market, services=tags, rules=rules(), earlier=kept(early, tmp_path))
    assert [each.cause for each in now.rescreen.movements] == [causes.MOVED]
    assert now.score == 10 + 90 * 6 // 9 + 30 * (1 * BTC - FEE) // (2 * BTC)

    without = risk(reader, market, services=town.tags("less.csv", evil=False), rules=rules())
    now = risk(reader, market, services=tags, rules=rules(), earlier=kept(without, tmp_path))
    (only,) = now.rescreen.movements
    assert only.cause == causes.TAGS
    new = [each.row for each in only.rows if each.before_sat is None]
    assert {"received/sanction/Evil/direct", "sent/sanction/Evil/direct"} <= {*new}
    retracted = risk(
        reader, market, services=town.tags("less.csv", evil=False), rules=rules(), earlier=kept(now, tmp_path)
    )
    assert "received/sanction/Evil/direct" in [
        each.row for each in retracted.rescreen.movements[0].rows if each.after_sat is None
    ]

    other = rules(RULES.replace(b"fixed: 10", b"fixed: 11").replace(b"to-exchange", b"renamed"))
    now = risk(reader, market, services=tags, rules=other, earlier=kept(now, tmp_path))
    (only,) = now.rescreen.movements
    assert (only.cause, only.score_after - only.score_before, only.rows) == (causes.RULES, 1, ())
    assert [(each.rule, each.before, each.after) for each in only.rules] == [
        ("from-evil", 70, 71), ("renamed", None, 14), ("to-exchange", 14, None),
    ]  # fmt: skip

    near = replace(LIMITS, hops=1)
    now = risk(reader, market, services=tags, rules=other, limits=near, earlier=kept(now, tmp_path))
    assert [each.cause for each in now.rescreen.movements] == [causes.LIMITS_CHANGED]


def test_all_causes_at_once_sum_to_the_difference(town, reader, tmp_path):
    market = town.address["market"]
    with Reader(town.ledger, town.before) as before:
        early = risk(before, market, services=town.tags("less.csv", evil=False), rules=rules())
    other = rules(RULES.replace(b"fixed: 10", b"fixed: 25"))
    near = replace(LIMITS, hops=1)
    found = risk(reader, market, services=town.tags(), rules=other, limits=near, earlier=kept(early, tmp_path)).rescreen
    assert [each.cause for each in found.movements] == [
        causes.TAGS, causes.MOVED, causes.LIMITS_CHANGED, causes.RULES,
    ]  # fmt: skip
    assert total(found) == found.score_after - found.score_before
    assert (found.score_before, found.score_after) == (early.score, 25 + 90 * 2 // 9)
    for one, other in zip(found.movements, found.movements[1:], strict=False):
        assert one.score_after == other.score_before


def test_a_snapshot_that_is_gone_is_told(town, reader, tmp_path):
    def elsewhere(document):
        document["snapshot"]["block_hash"] = "0" * 64

    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules())
    earlier = kept(answer, tmp_path, elsewhere)
    found = risk(
        reader, town.address["market"], services=town.tags("less.csv", evil=False), rules=rules(), earlier=earlier
    )
    assert [each.cause for each in found.rescreen.movements] == [causes.TAGS_OR_MOVED]
    assert any("not in this chain" in note for note in found.rescreen.notes)


def test_an_answer_that_was_altered_is_not_explained_by_the_chain(town, reader, tmp_path):
    def altered(document):
        document["components"][0]["points"] += 5

    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules())
    found = risk(
        reader, town.address["market"], services=town.tags(), rules=rules(), earlier=kept(answer, tmp_path, altered)
    ).rescreen
    assert [(each.cause, each.score_after - each.score_before) for each in found.movements] == [(causes.PROGRAM, -5)]


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("wallet"),
        lambda document: document.update(kind="other"),
        lambda document: document.update(tags=[]),
        lambda document: document["snapshot"].update(height="1"),
        lambda document: document["snapshot"].update(height=True),
        lambda document: document["exposure"].update(sent=None),
        lambda document: document["exposure"]["limits"].update(hops="x"),
        lambda document: document["rule_set"].update(text="[" * 10_000),
        lambda document: document["components"][0].update(points=1.5),
    ],
)
def test_what_is_no_earlier_answer(town, reader, tmp_path, change):
    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules())
    with pytest.raises(InputRefused):
        kept(answer, tmp_path, change)


def test_files_that_are_none(town, reader, tmp_path):
    with pytest.raises(InputRefused, match="there is no file"):
        read_earlier(tmp_path / "none")
    with pytest.raises(InputRefused, match="no regular file"):
        read_earlier(tmp_path)
    for content in (b"", b"\xff", b"[1]", b"[" * 100_000, b"null"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(InputRefused):
            read_earlier(tmp_path / "x.json")
    answer = risk(reader, town.address["market"], services=town.tags(), rules=rules())
    with pytest.raises(UsageError, match="earlier answer is about"):
        risk(reader, town.address["shop"], services=town.tags(), rules=rules(), earlier=kept(answer, tmp_path))
