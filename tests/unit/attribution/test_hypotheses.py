"""Who may be behind a wallet: no name on one weak sign, none by repetition, and no winner among those who disagree."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution import hypotheses as module
from cointrail.attribution.claims import Claim, Reach, Stated
from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.homoglyphs import skeleton
from cointrail.attribution.hypotheses import Hypothesis, Observation, Standing, hypotheses
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


@pytest.mark.parametrize(("category", "fits", "misfits"), [("exchange", 1, 0), ("person", 0, 1), ("market", 0, 0)])
def test_behaviour_fits_a_category_and_never_a_name(category, fits, misfits):
    """Every exchange behaves like one: that an address does says nothing of which one it is."""
    for names in (["alpha"], ["alpha", "beta"]):
        for name, found in zip(
            names,
            hypotheses([claim(each, "service_data", "x", category=category) for each in names], [SERVICE]),
            strict=True,
        ):
            assert (found.name, found.standing, found.bases) == (name, Standing.LEAD, ("x",))
            assert (found.fits, found.misfits) == ((SERVICE,) * fits, (SERVICE,) * misfits)


def test_two_names_that_could_both_be_used_are_disputed_and_show_each_other():
    sure = [claim("alpha", "authority_data", "court"), claim("beta", "authority_data", "agency")]
    weak = claim("gamma", "web_crawl", "forum")
    found = {each.name: each for each in hypotheses([*sure, weak])}
    assert {name: each.standing for name, each in found.items()} == {
        "alpha": Standing.DISPUTED,
        "beta": Standing.DISPUTED,
        "gamma": Standing.LEAD,
    }
    assert {each.stated.name for each in found["alpha"].against_claims} == {"beta", "gamma"}
    assert standing([sure[0], weak]) == {"alpha": Standing.ATTRIBUTED, "gamma": Standing.LEAD}


def test_a_tag_of_another_address_that_speaks_for_it_alone_is_shown_and_founds_nothing():
    (found,) = hypotheses([claim("alpha", "ownership", "x", reach=Reach.OTHER)])
    assert (found.standing, found.level, found.supports) == (Standing.LEAD, 0, 1)


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
    assert sum(each.supports for each in found) == len(claims)
    assert all(each.supports + each.contradicts == len(claims) for each in found)
    for order in itertools.islice(itertools.permutations(claims), 6):
        assert hypotheses(order) == found
    assert sum(each.standing is Standing.ATTRIBUTED for each in found) <= 1


@given(CLAIMS, st.integers(1, 3))
def test_repeating_what_was_said_changes_no_standing(claims, times):
    assert standing(claims * times) == standing(claims)


def plainly(claims, observations):
    """The definition, name by name: every claim is looked at again for each of them."""

    def strongest(some):
        return tuple(sorted(some, key=lambda each: (-each.stated.level, repr(each)))[:25])

    def frequent(texts):
        counts = Counter(text for text in texts if text)
        return tuple(sorted(counts, key=lambda text: (-counts[text], text)))

    found = []
    for name in {each.stated.name for each in claims}:
        ours = [each for each in claims if each.stated.name == name]
        others = [each for each in claims if each.stated.name != name]
        founding = [each.stated for each in ours if each.reach is not Reach.OTHER]
        level = max((each.level for each in founding), default=0)
        bases = sorted({each.basis for each in founding if each.level >= CONFIDENCE["web_crawl"]})
        categories = frequent(each.stated.statement.category for each in ours)
        said = {*categories, *(concept for each in ours for concept in each.stated.statement.concepts)}
        sure = level >= CONFIDENCE["authority_data"] or len(bases) >= 2
        found.append(
            Hypothesis(
                name=name,
                labels=frequent(each.stated.statement.label for each in ours),
                aliases=tuple(sorted({each.stated.aliased for each in ours} - {""})),
                categories=categories,
                level=level,
                bases=tuple(bases),
                supports=len(ours),
                contradicts=len(others),
                for_claims=strongest(ours),
                against_claims=strongest(others),
                fits=tuple(each for each in observations if each.fits & said),
                misfits=tuple(each for each in observations if each.against & said and not each.fits & said),
                looks_like=tuple(
                    sorted({each.stated.name for each in others if skeleton(each.stated.name) == skeleton(name)})
                )[:25],
                standing=Standing.ATTRIBUTED if sure else Standing.LEAD,
            )
        )
    sure = {each.name for each in found if each.standing is Standing.ATTRIBUTED}
    for each in found:
        if len(sure) > 1 and each.name in sure:
            object.__setattr__(each, "standing", Standing.DISPUTED)
    return tuple(sorted(found, key=lambda each: (each.standing is Standing.LEAD, -each.level, each.name)))


NAMES = [f"{first}{rest}" for first in "a\u0430b" for rest in ("lpha", "eta", "1", "2", "3", "4", "5", "6", "7", "8")]


@given(st.integers(0, 120), st.randoms(use_true_random=False))
def test_what_is_found_is_what_the_definition_says(count, random):
    def some():
        concepts = tuple(random.sample(["exchange", "person", "market"], random.randrange(3)))
        said = Statement(
            label=random.choice(NAMES),
            source=random.choice(["https://a.invalid/1", "https://a.invalid/2", "b", "c"]),
            confidence=random.choice(sorted(CONFIDENCE)),
            actor=random.choice(["", *NAMES[:2]]),
            category=random.choice(["", "exchange", "person"]),
            concepts=concepts,
        )
        alias = ("x", "actors.yaml") if not said.actor and random.random() < 0.2 else ("", "")
        return Claim(Stated(said, "p", alias_of=alias[0], alias_by=alias[1]), random.choice(list(Reach)))

    claims = [some() for _ in range(count)]
    assert hypotheses(claims, [SERVICE]) == plainly(claims, [SERVICE])


def test_many_names_of_one_address_are_looked_at_once_each(monkeypatch):
    """Anybody may report an address of a public donation under a name of his own, all of which look alike."""
    cyrillic = "\u0430\u0441\u0435\u0445\u043e\u0440\u0412\u0422"
    mixed = ["".join(letters) for letters in itertools.product(*zip("acexopBT", cyrillic, strict=True))]
    claims = [claim(name, "web_crawl", f"s{number}") for number, name in enumerate(mixed)]
    claims += [claim(f"donation {number}", "web_crawl", f"s{number}") for number in range(10_000)]
    looked_at = []
    monkeypatch.setattr(module, "skeleton", lambda name: looked_at.append(name) or skeleton(name))
    found = hypotheses(claims)
    assert sorted(looked_at) == sorted(each.stated.name for each in claims)
    assert len(found) == len(claims)
    alike = {each.name: each.looks_like for each in found}[mixed[0]]
    assert len(alike) == 25
    assert set(alike) < set(mixed)
