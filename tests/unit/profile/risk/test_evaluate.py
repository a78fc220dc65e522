"""Rules on exposures made of columns, against a plain loop over their rows."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cointrail.profile.exposure.exposure import LIMITS, Exposure, Side
from cointrail.profile.exposure.figures import median_by_value
from cointrail.profile.exposure.ways import in_proportion
from cointrail.profile.risk.evaluate import Seen, evaluate
from cointrail.profile.risk.rescreen import Scored, moved
from cointrail.profile.risk.rules import Listed, Reach, Rule
from cointrail.trace.reason import Reason
from cointrail.trace.services import Sanction, Services

NAMES, KINDS = ("a", "b", "c", "d"), ("sanction", "exchange", "", "exchange")
CATEGORIES = (("sanction",), ("exchange", "mixer"), (), ("exchange", "sanction"))
LISTED = ((1_000, None), None, None, (None, None)), ((1_000, 950_000), None, None, (500, 4_000))
NOW = 1_000_000
arrival = st.tuples(
    st.integers(0, 3), st.integers(1, 50), st.integers(1, 4), st.integers(0, 8_000) | st.integers(900_000, 1_100_000)
)
rule = st.builds(
    Rule,
    id=st.just("r"),
    line=st.just(1),
    reason=st.just("why"),
    side=st.sampled_from(Side),
    reach=st.sampled_from(Reach),
    categories=st.sampled_from([("sanction",), ("exchange", "Sanctions"), ("mixer",), ("*",), ("of no category",), ()]),
    entities=st.sampled_from([(), ("a",), ("a", "c")]),
    listed=st.sampled_from(Listed),
    max_hops=st.none() | st.integers(0, 4),
    within_days=st.none() | st.integers(0, 12),
    min_sat=st.integers(0, 60),
    min_share_ppm=st.sampled_from([0, 100_000, 500_000]),
    fixed=st.integers(0, 9),
    by_share=st.integers(0, 99),
    most=st.none() | st.integers(0, 50),
)


def exposure_of(side, rows, rest, listed=LISTED[0]):
    service, sat, hops, _ = (np.array([row[place] for row in rows], np.int64) for place in range(4))
    sanctions = tuple(each and Sanction(*each, "somebody") for each in listed)
    services = Services(names=NAMES, kinds=KINDS, categories=CATEGORIES, sanctions=sanctions)
    none = np.empty(0, np.int64)
    gross = int(sat.sum()) + sum(rest.values())
    return Exposure(side, None, LIMITS, services, none, service, sat, hops, none, gross, none, none, rest)


def seen_of(side, rows, rest, listed=LISTED[0]):
    return Seen.of(exposure_of(side, rows, rest, listed), np.array([row[3] for row in rows], np.int64), NOW)


@given(st.lists(arrival, max_size=8), st.lists(arrival, max_size=8), rule, st.integers(0, 40), st.sampled_from(LISTED))
def test_points_are_what_a_plain_loop_counts(received, sent, asked, unspent, listed):
    rest = {Reason.UNSPENT: unspent} if unspent else {}
    rows = {Side.RECEIVED: received, Side.SENT: sent}
    (found,) = evaluate([asked], {side: seen_of(side, rows[side], rest, listed) for side in Side}).components
    counted = 0
    for service, sat, hops, time in rows[asked.side]:
        since, until = listed[service] or (None, None)
        when = "unknown" if since is None else "before" if time < since else "after"
        if when == "after" and until is not None and time >= until:
            when = "ended"
        if asked.entities and NAMES[service] not in asked.entities:
            continue
        kinds = {each.replace("Sanctions", "sanction") for each in asked.categories}
        if kinds and "*" not in kinds and kinds.isdisjoint(CATEGORIES[service] or ("of no category",)):
            continue
        if asked.listed != "any" and asked.listed != when:
            continue
        if asked.reach != "any" and (asked.reach == "direct") != (hops == 1):
            continue
        if asked.max_hops is not None and hops > asked.max_hops:
            continue
        if asked.within_days is not None and (NOW - time) // 86_400 > asked.within_days:
            continue
        counted += sat
    gross = sum(row[1] for row in rows[asked.side]) + unspent
    assert (found.sat, found.gross_sat) == (counted, gross)
    assert sum(each.sat for each in found.inputs) == counted
    enough = counted >= max(asked.min_sat, 1) and counted * 1_000_000 // gross >= asked.min_share_ppm
    points = asked.fixed + asked.by_share * counted // gross if enough else 0
    assert found.points == (points if asked.most is None else min(points, asked.most))
    assert found.points <= asked.ceiling
    if found.points:
        assert found.arithmetic.endswith(f"= {found.points}")


def test_the_score_is_the_sum_and_privacy_alone_is_told():
    mixers = Rule("m", 1, "why", Side.SENT, stops=("coinjoin",), fixed=7)
    others = Rule("o", 2, "why", Side.SENT, categories=("sanction",), fixed=3, by_share=10)
    rest = {Reason.COINJOIN: 5}
    empty = seen_of(Side.RECEIVED, [], {})
    found = evaluate([mixers, others], {Side.RECEIVED: empty, Side.SENT: seen_of(Side.SENT, [], rest)})
    assert (found.score, found.privacy_alone, found.arithmetic, found.ceiling) == (7, True, "7 = 7", 20)
    assert [(each.row, each.sat) for each in found.components[0].inputs] == [("sent/rest/coinjoin", 5)]
    both = seen_of(Side.SENT, [(0, 5, 1, 2_000)], rest)
    found = evaluate([mixers, others], {Side.RECEIVED: empty, Side.SENT: both})
    assert (found.score, found.privacy_alone, found.arithmetic) == (15, False, "7 + 8 = 15")
    assert found.components[1].inputs[0].row == "sent/sanction/a/direct"


@given(st.integers(0, 200), st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_proportions_are_exact_and_take_no_more_than_there_is(total, weights):
    total = min(total, sum(weights))
    found = in_proportion(total, weights)
    assert sum(found) == total
    for part, weight in zip(found, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part * sum(weights) - total * weight) < max(sum(weights), 1)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 40)), min_size=1, max_size=8))
def test_half_of_the_value_came_by_the_median(rows):
    hops, sat = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    single = sorted(hop for hop, amount in rows for _ in range(amount))
    assert median_by_value(hops, sat) == single[(len(single) - 1) // 2]


def test_movements_name_what_differs():
    before = Scored(5, {"a": 5, "b": 0, "gone": 0}, {"x": 1, "y": 2})
    after = Scored(9, {"a": 5, "b": 4}, {"y": 3, "z": 1})
    found = moved("why", before, after)
    assert SimpleNamespace(score=(found.score_before, found.score_after)).score == (5, 9)
    assert [(each.rule, each.before, each.after) for each in found.rules] == [("b", 0, 4), ("gone", 0, None)]
    assert [(each.row, each.before_sat, each.after_sat) for each in found.rows] == [
        ("x", 1, None), ("y", 2, 3), ("z", None, 1),
    ]  # fmt: skip
    assert moved("why", before, before).rules == moved("why", before, before).rows == ()
