"""The packaged table: an answer can cite it, and it says what the page says."""

import re
from pathlib import Path

import pytest

from cointrail.cluster import accuracy
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.gate.kinds import RULES as GATE_RULES
from cointrail.simulation.score.intervals import upper_bound

ROOT = Path(__file__).resolve().parents[3]


def test_what_was_not_measured_is_none():
    assert accuracy.measured("no_such_rule", 1) is None
    assert accuracy.measured("change_vote", 99) is None
    assert accuracy.measured("change_vote", 1, "type no_such") is None


@pytest.mark.parametrize(
    "rule", ["change_vote", "cospend", "gate", "same_key", "change_model", "cluster.L1", "cluster.L2"]
)
@pytest.mark.parametrize("models", ["training", "holdout"])
def test_rules_behind_answers_have_a_row(rule, models):
    row = accuracy.measured(rule, 1, models=models)
    assert row is not None
    assert (row.rule, row.models, row.stratum) == (rule, models, "all")


def test_rows_are_of_rules_as_they_are_now():
    """A rule whose version was raised must be measured again."""
    versions = {rule.id: rule.version for rule in RULES} | dict(GATE_RULES)
    for row in accuracy.rows():
        if row.rule in versions:
            assert row.version == versions[row.rule], f"{row.rule}: run `make accuracy`"


def test_rates_follow_from_the_counts():
    for row in accuracy.rows():
        assert 0 <= row.errors <= row.n
        if row.n:
            assert row.precision == pytest.approx(1 - row.errors / row.n, abs=1e-6)
            assert row.upper_fdr == pytest.approx(upper_bound(row.errors, row.n), abs=1e-6)
            assert row.upper_fdr >= row.errors / row.n - 1e-6
        else:
            assert row.precision is None


def test_strata_do_not_exceed_the_whole():
    for row in accuracy.rows():
        if row.stratum.startswith(("type ", "shape ", "families ")):
            whole = accuracy.measured(row.rule, row.version, models=row.models)
            assert whole is not None
            assert row.n <= whole.n


def test_the_page_is_of_the_same_run():
    origin, page = accuracy.origin(), (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    assert origin.command in page
    for _, digest in (*origin.worlds, *origin.real, *origin.models):
        assert re.fullmatch(r"[0-9a-f]{64}", digest)
        assert digest[:16] in page


def test_the_models_of_the_run_are_there():
    files = {path.stem for path in (ROOT / "accuracy" / "models").glob("*.npz")}
    assert files == {digest for _, digest in accuracy.origin().models}
    for path in (ROOT / "accuracy" / "models").glob("*.npz"):
        assert path.stat().st_size < 1_000_000
