"""Who may be behind a wallet: no name on one weak sign, none by repetition, and no winner among those who disagree."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution.claims import Claim, Reach, Stated
from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.hypotheses import Observation, Standing, hypotheses
from cointrail.attribution.tag import Statement

SERVICE = Observation("service_like", 1, "behaves like a service", frozenset({"exchange"}), frozenset({"person"}))


def claim(name, confidence, source, *, category="", reach=Reach.DIRECT, collection="pack.yaml"):
    return Claim(Stated(Statement(name, source, confidence, actor=name, category=category), collection), reach)


def standing(claims, *observations):
    return {each.name: each.standing for each in hypotheses(claims, observations)}


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        ("ownership", Standing.ATTRIBUTED),
        ("manual_transaction", Standing.ATTRIBUTED),
        ("authority_data", Standing.ATTRIBUTED),
        ("service_data", Standing.LEAD),
        ("web_crawl", Standing.LEAD),
        ("unknown", Standing.LEAD),
    ],
)
def test_one_assertion_names_somebody_only_if_an_authority_makes_it(confidence, expected):
    assert standing([claim("alpha", confidence, "https://a.invalid/1")]) == {"alpha": expected}


def test_one_source_told_many_times_is_one_basis():
    told = [
        claim("alpha", "service_data", f"https://www.a.invalid/{number}", collection=f"{number}.yaml")
        for number in range(9)
    ]
    (found,) = hypotheses(told)
    assert (found.standing, found.bases) == (Standing.LEAD, ("a.invalid",))
    assert standing([*told, claim("alpha", "forensic", "a paper")]) == {"alpha": Standing.ATTRIBUTED}


def test_what_behaves_as_a_tag_says_is_a_second_basis_and_alone_none():
    tag = claim("alpha", "service_data", "https://a.invalid/1", category="exchange")
    assert standing([tag], SERVICE) == {"alpha": Standing.ATTRIBUTED}
    assert standing([claim("alpha", "heuristic", "x", category="exchange")], SERVICE) == {"alpha": Standing.LEAD}
    (against,) = hypotheses([claim("ann", "service_data", "x", category="person")], [SERVICE])
    assert (against.standing, against.misfits, against.fits) == (Standing.LEAD, (SERVICE,), ())


def test_two_names_that_could_both_be_used_are_disputed_and_show_each_other():
    sure = [claim("alpha", "authority_data", "court"), claim("beta", "authority_data", "agency")]
    weak = claim("gamma", "web_crawl", "forum")
    found = {each.name: each for each in hypotheses([*sure, weak])}
    assert {name: each.standing for name, each in found.items()} == {
        "alpha": Standing.DISPUTED,
        "beta": Standing.DISPUTED,
        "gamma": Standing.LEAD,
    }
    assert {each.stated.name for each in found["alpha"].contradicts} == {"beta", "gamma"}
    assert standing([sure[0], weak]) == {"alpha": Standing.ATTRIBUTED, "gamma": Standing.LEAD}


def test_a_tag_of_another_address_that_speaks_for_it_alone_is_shown_and_founds_nothing():
    (found,) = hypotheses([claim("alpha", "ownership", "x", reach=Reach.OTHER)])
    assert (found.standing, found.level, len(found.supports)) == (Standing.LEAD, 0, 1)


def test_names_that_can_be_mistaken_for_each_other_are_shown_and_never_joined():
    latin, cyrillic = "Binance", "\u0412inance"
    found = {
        each.name: each.looks_like
        for each in hypotheses([claim(latin, "forensic", "a"), claim(cyrillic, "forensic", "b")])
    }
    assert found == {latin: (cyrillic,), cyrillic: (latin,)}


CLAIMS = st.lists(
    st.builds(
        claim,
        st.sampled_from(["alpha", "beta", "gamma"]),
        st.sampled_from(sorted(CONFIDENCE)),
        st.sampled_from(["https://a.invalid/1", "https://a.invalid/2", "b", "c"]),
        category=st.sampled_from(["", "exchange", "market"]),
        reach=st.sampled_from(list(Reach)),
    ),
    max_size=6,
)


@given(CLAIMS)
def test_the_order_of_claims_decides_nothing_and_none_is_lost(claims):
    found = hypotheses(claims)
    assert sum(len(each.supports) for each in found) == len(claims)
    assert all(len(each.supports) + len(each.contradicts) == len(claims) for each in found)
    for order in itertools.islice(itertools.permutations(claims), 6):
        assert hypotheses(order) == found
    assert sum(each.standing is Standing.ATTRIBUTED for each in found) <= 1


@given(CLAIMS, st.integers(1, 3))
def test_repeating_what_was_said_changes_no_standing(claims, times):
    assert standing(claims * times) == standing(claims)
