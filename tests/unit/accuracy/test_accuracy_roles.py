"""Roles: the packaged table, the page and the shipped score are of one run; `--only roles` keeps the rest."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cointrail.cluster import accuracy
from cointrail.profile.roles import segments, service_like, stores
from cointrail.profile.roles.service_like import shipped
from cointrail.trace.finders import deposits
from roles_learning import _fit, _platt
from roles_page import BEGIN, END, put_roles

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
RULES = tuple((each.RULE, each.VERSION) for each in (deposits, segments, stores, service_like))


@pytest.mark.parametrize("models", ["training", "holdout"])
@pytest.mark.parametrize(("rule", "version"), RULES)
def test_rules_have_rows_of_the_version_they_have_now(rule, version, models):
    row = accuracy.measured(rule, version, models=models)
    assert row is not None, "run `make accuracy`"
    assert {each.version for each in accuracy.rows() if each.rule == rule} == {version}


def test_deposit_addresses_reach_their_target():
    """Precision at least 99 % at two sweeps or more on wallets nobody tuned for; strata add up."""
    row = accuracy.measured(deposits.RULE, deposits.VERSION, "two sweeps or more")
    assert row.n > 100
    assert row.precision >= 0.99
    once = accuracy.measured(deposits.RULE, deposits.VERSION, "one sweep, surely")
    whole = accuracy.measured(deposits.RULE, deposits.VERSION)
    assert (row.n + once.n, row.errors + once.errors) == (whole.n, whole.errors)


def test_the_page_shows_the_rows():
    part = PAGE.partition(BEGIN)[2].partition(END)[0]
    for rule, version in RULES:
        for stratum in {each.stratum for each in accuracy.rows() if each.rule == rule}:
            row = accuracy.measured(rule, version, stratum)
            assert f"| {stratum} | holdout | {row.n:,} | {row.errors:,} |" in part
    assert "--only roles" in part


def test_the_score_is_of_the_worlds_on_the_page():
    for world in shipped().about["trained_on"]:
        name, digest = re.fullmatch(r"(.+) \((\w{64})\)", world).groups()
        assert "holdout" not in name
        assert f"{name} (`{digest[:16]}`)" in PAGE


def test_the_matrix_holds_every_unit_once():
    """The matrix of likeness and the rows count the same units."""
    cells = Counter()
    for line in PAGE.partition(BEGIN)[2].splitlines():
        if match := re.fullmatch(r"\| ([a-z_' ]+) \| holdout \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", line):
            kind, *numbers = match.groups()
            if kind in ("exchange", "gambling", "market", "merchant", "miner", "payment_processor", "person", "mixer"):
                counts = (int(each.replace(",", "")) for each in numbers)
                cells.update(dict(zip(("like", "unlike", "abstain"), counts, strict=True)))
    assert cells["like"] == accuracy.measured(service_like.RULE, service_like.VERSION).n > 0
    assert cells["unlike"] == accuracy.measured(service_like.RULE, service_like.VERSION, "does not").n


def test_a_page_keeps_what_is_not_about_roles():
    assert put_roles("a\n", f"{BEGIN}b{END}") == f"a\n\n{BEGIN}b{END}\n"
    assert put_roles(f"a {BEGIN}x{END} c", f"{BEGIN}b{END}") == f"a {BEGIN}b{END} c"


def test_weights_find_what_tells_apart_and_no_sign_they_must_not_have():
    """Rows that only payees tell apart, and mining the wrong way round."""
    from cointrail.profile.roles.behaviour import NAMES

    random = np.random.default_rng(3)
    labels = random.random(600) < 0.2
    rows = random.integers(0, 10, (600, len(NAMES))).astype(float)
    rows[:, NAMES.index("payees")] += 12 * labels
    rows[:, NAMES.index("coinbase_share")] += 3 * labels
    weights, _ = _fit(rows, labels)
    assert np.abs(weights).argmax() == NAMES.index("payees")
    assert weights[NAMES.index("payees")] > 0
    assert weights[NAMES.index("coinbase_share")] <= 0
    assert weights[NAMES.index("inputs_most")] == 0


def test_calibration_gives_the_shares_that_are_there():
    random = np.random.default_rng(4)
    scores = random.normal(0, 3, 20_000)
    labels = random.random(20_000) < 1 / (1 + np.exp(-(0.7 * scores - 1)))
    slope, offset = _platt(scores, labels)
    assert slope == pytest.approx(0.7, abs=0.05)
    assert offset == pytest.approx(-1, abs=0.1)


@pytest.mark.slow
def test_only_roles_leaves_the_rest_alone(tmp_path):
    """On one small seed, beside the table and page of the repository."""
    out = tmp_path / "out"
    for name in ("docs/accuracy.md", "src/cointrail/cluster/accuracy.json"):
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    command = [sys.executable, str(ROOT / "accuracy" / "run.py"), "--quick", "--seeds", "1", "--only", "roles"]
    done = subprocess.run(
        [*command, "--work", str(tmp_path / "work"), "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = {rule for rule, _ in RULES}
    before, after = (
        json.loads((folder / "src/cointrail/cluster/accuracy.json").read_text("utf-8")) for folder in (ROOT, out)
    )
    assert [row for row in before["rows"] if row["rule"] not in names] == [
        row for row in after["rows"] if row["rule"] not in names
    ]
    assert {key: value for key, value in before.items() if key != "rows"} == {
        key: value for key, value in after.items() if key != "rows"
    }
    page = (out / "docs" / "accuracy.md").read_text("utf-8")
    assert page.partition(BEGIN)[0] == PAGE.partition(BEGIN)[0]
    assert page.partition(BEGIN)[2] != PAGE.partition(BEGIN)[2]
    written = json.loads((out / "src/cointrail/profile/roles/model.json").read_text("utf-8"))
    assert written["about"]["trained_on"][0].startswith("small, seed 1")
    assert written["about"]["services"] >= 5
