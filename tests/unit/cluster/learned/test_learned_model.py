"""A model in plain arrays says what scikit-learn says, and a file that is not one of ours is refused."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from change_examples import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cointrail.cluster.learned.features import NAMES
from cointrail.cluster.learned.model import Model, load, named_from
from cointrail.cluster.learned.train import FALSE_DISCOVERIES, NEVER, Examples, Shape, fit, threshold, train
from cointrail.errors import InputRefused, Unavailable, UsageError
from cointrail.simulation.score.intervals import upper_bound

SHAPE = Shape(trees=15, depth=6, leaf=5, seed=3)


@pytest.fixture(scope="module")
def model() -> Model:
    return train(examples(1_500, 1), examples(1_500, 2), SHAPE, {"of": "a test"})


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    return model.save(tmp_path)


def test_it_says_what_scikit_learn_says(model):
    grow, calibrate, asked = examples(1_500, 1), examples(1_500, 2), examples(4_000, 9, noise=0.9)
    grown, _, isotonic = fit(grow, calibrate, SHAPE)
    scores = grown.predict_proba(asked.rows)[:, 1]
    assert np.abs(model.scores(asked.rows) - scores).max() < 1e-9
    assert np.abs(model.predict(asked.rows) - isotonic.predict(scores)).max() < 1e-9
    assert len(np.unique(scores)) > 100


def test_it_says_so_at_the_edges_of_a_split(model):
    """Rows that lie on a threshold, one float above and one below."""
    grown, *_ = fit(examples(1_500, 1), examples(1_500, 2), SHAPE)
    inner = np.flatnonzero(model.left != np.arange(len(model.left)))
    rows = np.zeros((3 * len(inner), len(NAMES)), np.float32)
    for place, node in enumerate(inner):
        limit = np.float32(model.threshold[node])
        near = [np.nextafter(limit, np.float32(-np.inf)), limit, np.nextafter(limit, np.float32(np.inf))]
        rows[3 * place : 3 * place + 3, model.split[node]] = near
    assert np.abs(model.scores(rows) - grown.predict_proba(rows)[:, 1]).max() < 1e-9


def test_a_file_is_named_by_its_digest_and_read_back(model, saved):
    assert saved.stem == hashlib.sha256(saved.read_bytes()).hexdigest()
    read = load(saved)
    asked = examples(500, 5).rows
    assert np.array_equal(read.predict(asked), model.predict(asked))
    assert (read.tau, read.about, read.digest) == (model.tau, {"of": "a test"}, saved.stem)


def test_equal_rows_and_seed_give_equal_bytes(model, saved, tmp_path):
    again = train(examples(1_500, 1), examples(1_500, 2), SHAPE, {"of": "a test"})
    assert again.save(tmp_path / "again").name == saved.name
    other = train(examples(1_500, 1), examples(1_500, 2), replace(SHAPE, seed=4), {"of": "a test"})
    assert other.save(tmp_path / "other").name != saved.name


def test_another_model_under_its_name_is_refused(saved, tmp_path):
    wrong = tmp_path / f"{'0' * 64}.npz"
    wrong.write_bytes(saved.read_bytes())
    with pytest.raises(InputRefused, match="not that of its name"):
        load(wrong)


def test_a_pickled_object_is_refused(tmp_path):
    memory = io.BytesIO()
    np.savez(memory, head=np.array([{"format": 1}], object))
    path = tmp_path / "bad.npz"
    path.write_bytes(memory.getvalue())
    with pytest.raises(InputRefused, match="no change model"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match="no change model"):
        load(path)


def test_no_file_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="cannot be read"):
        load(tmp_path / "nothing.npz")


@pytest.mark.parametrize("name", ["left", "right", "roots", "split"])
def test_trees_that_lead_astray_are_refused(model, tmp_path, name):
    """Back to a node, or out of the arrays: predicting would never end, or read elsewhere."""
    damaged = getattr(model, name).copy()
    damaged[-1] = len(model.split) if name != "split" else len(NAMES)
    with pytest.raises(InputRefused, match="damaged"):
        load(replace(model, **{name: damaged}).save(tmp_path))
    if name in ("left", "right"):
        damaged[-1], damaged[0] = len(damaged) - 1, 0
        with pytest.raises(InputRefused, match="damaged"):
            load(replace(model, **{name: damaged}).save(tmp_path))


def test_a_model_of_other_features_is_refused(model, tmp_path, monkeypatch):
    from cointrail.cluster.learned import features

    path = model.save(tmp_path)
    monkeypatch.setattr(features, "VERSION", features.VERSION + 1)
    with pytest.raises(InputRefused, match="other features"):
        load(path)


def test_one_class_teaches_nothing():
    rows = examples(50, 1)
    with pytest.raises(UsageError, match="one class only"):
        train(Examples(rows.rows, np.ones_like(rows.change)), rows, SHAPE)


# Names and the threshold.


@given(
    arrays.arrays(np.float64, st.integers(0, 30).map(lambda n: 2 * n), elements=st.sampled_from([0.0, 0.2, 0.5, 1.0]))
)
def test_at_most_one_output_of_a_transaction_is_named(probability):
    named = named_from(probability).reshape(-1, 2)
    for (one, two), (first, second) in zip(probability.reshape(-1, 2).tolist(), named.tolist(), strict=True):
        assert (first, second) == ((one if one > two else 0.0), (two if two > one else 0.0))


@pytest.mark.parametrize(("right", "proven"), [(2_994, False), (2_995, True)])
def test_one_in_a_thousand_takes_2995_right_answers(right, proven):
    """The table of METHODS.md 10.5."""
    probability = np.tile([0.9, 0.1], right)
    change = np.tile([True, False], right)
    assert threshold(probability, change) == (0.9 if proven else NEVER)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.3]))
def test_the_threshold_is_the_least_that_is_proven(seed, error):
    random = np.random.default_rng(seed)
    n, most = 400, 0.05
    sure = random.choice([0.6, 0.7, 0.8, 0.9, 0.95], n)
    wrong = random.random(n) < error * (1.2 - sure) * 3
    probability = np.stack([sure, 1 - sure], axis=1).reshape(-1)
    change = np.stack([~wrong, wrong], axis=1).reshape(-1)
    proven = [
        level
        for level in np.unique(sure).tolist()
        if upper_bound(int(wrong[sure >= level].sum()), int((sure >= level).sum())) <= most
    ]
    assert threshold(probability, change, most) == min(proven, default=NEVER)


def test_the_rate_is_the_registered_one():
    assert FALSE_DISCOVERIES == 0.001
