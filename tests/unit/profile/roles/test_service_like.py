"""Features beside plain loops; the score is the sum of what is shown, and errs on the side of saying nothing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_roles import plain_behaviour, quarter_octaves

from cointrail.profile.roles.behaviour import (
    NAMES,
    WORDS,
    Behaviour,
    behaviour,
    clusters_behaviour,
    scripts_behaviour,
    step_of,
)
from cointrail.profile.roles.service_like import (
    LEAST_PAYEES,
    LEAST_TRANSACTIONS,
    LIKE_PPM,
    UNKNOWN,
    UNLIKE_PPM,
    Likeness,
    from_document,
    is_enough,
    judge,
    shipped,
)
from roles_truth import SERVICE_KINDS


@pytest.fixture(scope="module")
def whole(economy):
    """Every cluster of the world, and the controller's kind of most scripts of each."""
    everything = np.arange(economy.reader.counts.script, dtype=np.int64)
    found = behaviour(economy.reader, everything, economy.forest.roots)
    kinds = [Counter() for _ in found.units]
    for place, kind in zip(
        np.searchsorted(found.units, economy.forest.roots(everything)).tolist(),
        economy.roles.kind.tolist(),
        strict=True,
    ):
        kinds[place][kind] += 1
    return found, np.array([each.most_common(1)[0][0] for each in kinds])


@given(st.integers(0, 2**62))
def test_steps_are_quarter_octaves_exactly(count):
    assert step_of(count) == quarter_octaves(count)


def test_every_feature_has_words():
    assert set(WORDS) == set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_clusters_are_described_as_plain_loops_describe_them(economy, whole):
    found, _ = whole
    busy = np.argsort(-found.transactions)[:12].tolist() + list(range(0, len(found), 1_999))
    for at in busy:
        scripts = economy.forest.members(int(found.units[at]))[0].tolist()
        plain = plain_behaviour(economy.plain, scripts, lambda each: economy.forest.root(each))
        values = dict(zip(NAMES, found.values[at].tolist(), strict=True))
        assert values == plain


def test_some_clusters_are_described_as_among_all(economy, whole):
    found, _ = whole
    places = np.sort(np.argsort(-found.transactions)[:40])
    alone = clusters_behaviour(economy.reader, economy.forest, found.units[places])
    assert np.array_equal(alone.units, found.units[places])
    assert np.array_equal(alone.values, found.values[places])
    assert np.array_equal(alone.transactions, found.transactions[places])


def test_a_script_is_described_as_plain_loops_describe_it(economy):
    asked = list(range(5, economy.reader.counts.script, 1_499))
    found = scripts_behaviour(economy.reader, economy.forest, asked)
    for at, each in enumerate(asked):
        plain = plain_behaviour(
            economy.plain, [each],
            lambda other: ("script", other) if other in asked else economy.forest.root(other),
        )  # fmt: skip
        values = dict(zip(NAMES, found.values[at].tolist(), strict=True))
        assert values == plain


def test_the_score_is_the_sum_of_what_is_shown(whole):
    said, model = judge(whole[0]), shipped()
    assert np.array_equal(said.score, model.bias + said.contributions.sum(axis=1))
    assert said.score.dtype == said.probability_ppm.dtype == np.int64
    order = np.argsort(said.score)
    known = said.probability_ppm[order][is_enough(whole[0])[order]]
    assert (np.diff(known) >= 0).all()
    assert ((known > 0) & (known < 1_000_000)).all()


def test_units_that_did_too_little_are_not_judged(whole):
    found, _ = whole
    said = judge(found)
    few = (found.transactions < LEAST_TRANSACTIONS) | (
        found.values[:, NAMES.index("payees")] < quarter_octaves(LEAST_PAYEES)
    )
    assert (said.probability_ppm[few] == UNKNOWN).all()
    assert {said.likeness_of(at) for at in np.flatnonzero(few)[:50]} == {Likeness.ABSTAIN}
    assert (said.probability_ppm[~few] != UNKNOWN).all()


def test_thresholds_part_the_three_answers(whole):
    said = judge(whole[0])
    for at in np.flatnonzero(said.probability_ppm != UNKNOWN).tolist():
        chance = int(said.probability_ppm[at])
        expected = (
            Likeness.LIKE if chance >= LIKE_PPM else Likeness.UNLIKE if chance <= UNLIKE_PPM else Likeness.ABSTAIN
        )
        assert said.likeness_of(at) is expected


def test_nobody_but_services_is_taken_for_one(whole):
    """On worlds the weights never saw; the market and the merchant are no services."""
    found, kinds = whole
    said = judge(found)
    like = np.array([said.likeness_of(at) is Likeness.LIKE for at in range(len(found))])
    assert like.any()
    assert set(kinds[like].tolist()) <= SERVICE_KINDS
    unlike = np.array([said.likeness_of(at) is Likeness.UNLIKE for at in range(len(found))])
    assert np.isin(kinds[unlike], sorted(SERVICE_KINDS)).sum() <= 1
    assert unlike.sum() > 20


def test_services_have_the_greatest_scores(whole):
    """Mutation: with weights turned round they have the least."""
    found, kinds = whole
    enough = is_enough(found)
    service = np.isin(kinds, sorted(SERVICE_KINDS))[enough]
    kept = Behaviour(found.units[enough], found.transactions[enough], found.values[enough])

    def area(model):
        score = judge(kept, model).score
        return (score[service][:, None] > score[~service][None, :]).mean()

    model = shipped()
    assert area(model) > 0.97
    assert area(replace(model, weights=-model.weights)) < 0.1


def test_a_model_of_other_features_is_refused():
    document = {"format": 1, "features": 99, "names": list(NAMES)}
    with pytest.raises(ValueError, match="make accuracy"):
        from_document(document)
