"""The scorer on criteria 5 and 8: perfect answers pass, and each planted error makes the right rows fail."""

from math import fsum

import pytest
from perfect_answers import SET, STRANGERS
from result_files import read

from cointrail.simulation.score.cashout_rows import cashout_rows
from cointrail.simulation.score.taint_rows import taint_rows


def failing(rows, criterion):
    """Names of the parts that fail."""
    found = {row.id: row.status for row in rows}
    assert "not_built" not in found.values()
    return {name.removeprefix(f"criterion.{criterion}.") for name, status in found.items() if status == "fail"}


def named(rows):
    return {row.id: row for row in rows}


# Criterion 5.


@pytest.fixture(scope="module")
def legs(bazaar):
    """The leg of each true deposit."""
    return {(row["txid"], row["vout"]): row["leg"] for row in read(bazaar.world / "truth" / "cashouts.csv")}


def of_leg(leg, cells, *, everything=False):
    """Change one deposit of a leg, or all; `strangers` are the candidates of other people."""

    def change(table, legs):
        rows = [row for row in table if legs.get((row["txid"], row["vout"]), "strangers") == leg]
        for row in rows if everything else rows[:1]:
            row.update(cells(row) if callable(cells) else cells)
        return table

    return change


def without(leg, *, everything=False):
    def change(table, legs):
        gone = [row for row in table if legs.get((row["txid"], row["vout"]), "strangers") == leg]
        return [row for row in table if row not in (gone if everything else gone[:1])]

    return change


def one_more(row):
    return {"value_sat": str(int(row["value_sat"]) + 1)}


def claimed(table, _):
    """A stranger's deposit as one without alternatives."""
    return [*table, table[-1] | {"candidate_set": "", "probability": ""}]


def again(table, _):
    return [*table, table[0]]


def in_a_set_of_its_own(row):
    return {"candidate_set": row["txid"], "probability": "1"}


CERTAIN = {"candidate_set": "", "probability": "", "basis": "fact"}
CASHOUT_DAMAGES = {
    "a deposit to the first account missing": (without("alpha1"), {"alpha1"}),
    "a deposit to the second account missing": (without("alpha2"), {"alpha2"}),
    "a deposit at the end of the peel chain missing": (without("beta"), {"beta"}),
    "another exchange": (of_leg("beta", {"exchange": "Alpha"}), {"beta", "outputs"}),
    "an exchange in another spelling": (of_leg("beta", {"exchange": "BETA"}), set()),
    "a value wrong by a satoshi": (of_leg("alpha1", one_more), {"alpha1", "outputs"}),
    "no such output": (of_leg("alpha2", {"vout": "99"}), {"alpha2", "outputs", "wrong"}),
    "a basis that is none": (of_leg("alpha1", {"basis": "sure"}), {"basis"}),
    "a sure deposit as a candidate": (
        of_leg("alpha1", {"candidate_set": SET, "basis": "inference", "probability": "0"}), {"alpha1"},
    ),
    "a stranger's deposit as the operator's": (claimed, {"wrong"}),
    "reported twice": (again, {"outputs"}),
    "the branch not found": (without("gamma", everything=True), {"gamma", "probabilities"}),
    "no candidates": (
        lambda table, _: [row for row in table if not row["candidate_set"]], {"gamma", "probabilities", "brier"},
    ),
    "one of the branch not found": (
        lambda table, legs: [row | {"probability": row["probability"] and "0.25"} if row["probability"] != "0" else row
                             for row in without("gamma")(table, legs)], set(),
    ),
    "the branch without alternatives": (of_leg("gamma", CERTAIN), {"wrong", "gamma", "probabilities"}),
    "the branch as a fact": (of_leg("gamma", {"basis": "fact"}), {"gamma", "basis"}),
    "each alone in a set": (of_leg("gamma", in_a_set_of_its_own, everything=True), {"gamma", "probabilities"}),
    "too much probability": (of_leg("strangers", {"probability": "0.1"}), {"probabilities"}),
    "too little": (of_leg("gamma", {"probability": "0"}), {"probabilities"}),
    "below nothing": (of_leg("strangers", {"probability": "-0.1"}), {"probabilities"}),
    "no probability": (of_leg("strangers", {"probability": ""}), {"probabilities"}),
    "no number": (of_leg("strangers", {"probability": "nan"}), {"probabilities"}),
    "a word": (of_leg("strangers", {"probability": "likely"}), {"probabilities"}),
    "a candidate wrong by a satoshi": (of_leg("strangers", one_more), {"outputs"}),
    "a candidate at another exchange": (of_leg("strangers", {"exchange": "Delta"}), {"outputs"}),
}  # fmt: skip


@pytest.mark.parametrize("damage", CASHOUT_DAMAGES)
def test_damage_to_the_cash_outs(altered, legs, damage):
    change, expected = CASHOUT_DAMAGES[damage]
    with altered("cashouts", lambda table: change(table, legs)) as tables:
        rows = cashout_rows(tables)
    assert failing(rows, 5) == expected | ({"criterion.5"} if expected else set())
    assert rows[0].errors == len(expected)


def brier(probabilities, true):
    """Brier 1950 for one draw among the true categories, averaged over which of them it is."""
    distances = [fsum((p - (place == drawn)) ** 2 for place, p in enumerate(probabilities)) for drawn in true]
    return fsum(distances) / len(distances)


@pytest.mark.parametrize(
    ("of_true", "of_strangers", "passes"),
    [
        ("even", "even", True),
        ("all", "none", True),
        ("none", "all", False),
        ("first", "none", False),
        ("none", "first", False),
    ],
)
def test_brier_score_by_its_definition(altered, legs, of_true, of_strangers, passes):
    """Everybody alike; only the true ones; only the others; one alone, which is too sure even if it is a true one."""
    given, hits = [], []

    def weight(how, place, count, total):
        return {"even": 1 / total, "all": 1 / count, "none": 0.0, "first": float(place == 0)}[how]

    def change(table):
        candidates = [row for row in table if row["candidate_set"]]
        true = [row for row in candidates if legs.get((row["txid"], row["vout"])) == "gamma"]
        others = [row for row in candidates if row not in true]
        assert len(others) == STRANGERS
        for how, rows in ((of_true, true), (of_strangers, others)):
            for place, row in enumerate(rows):
                given.append(weight(how, place, len(rows), len(candidates)))
                row["probability"] = str(given[-1])
        hits.extend(range(len(true)))
        return table

    with altered("cashouts", change) as tables:
        rows = named(cashout_rows(tables))
    n = len(given)
    assert rows["criterion.5.brier"].value == pytest.approx(brier(given, hits), abs=1e-8)
    assert rows["criterion.5.uniform"].value == pytest.approx(brier([1 / n] * n, hits), abs=1e-8)
    assert (rows["criterion.5.brier"].status == "pass") == passes
    assert rows["criterion.5.probabilities"].status == "pass"


def test_a_set_without_a_true_candidate_is_wrong_whatever_it_says(altered, legs):
    """A second set of two strangers: a guess about them costs more than an even one, and an even one costs too."""

    def strangers(first, second):
        def change(table):
            others = [row for row in table if row["candidate_set"] and (row["txid"], row["vout"]) not in legs]
            return table + [row | {"candidate_set": "another", "probability": str(p)}
                            for row, p in zip(others, (first, second), strict=False)]  # fmt: skip

        with altered("cashouts", change) as tables:
            return named(cashout_rows(tables))

    even, bold = strangers(0.5, 0.5), strangers(1, 0)
    gamma = list(legs.values()).count("gamma")
    best = 1 - 1 / gamma
    assert even["criterion.5.brier"].value == pytest.approx((best + 1.5) / 2, abs=1e-8)
    assert bold["criterion.5.brier"].value == pytest.approx((best + 2) / 2, abs=1e-8)
    assert even["criterion.5.brier"].n == 2


def test_the_true_candidates_follow_from_the_mixes(altered, bazaar, legs):
    """Whoever mixed with the operator is a stranger: the scorer finds the Gamma deposits without the table of them."""
    exchanges = {row["entity_id"]: row["name"] for row in read(bazaar.world / "truth" / "entities.csv")
                 if row["kind"] == "exchange"}  # fmt: skip
    deposits = [row for row in read(bazaar.world / "truth" / "outputs.csv") if row["entity_id"] in exchanges]
    share = 1 / len(deposits)

    def change(table):
        rest = [row for row in table if not row["candidate_set"]]
        return rest + [
            {"exchange": exchanges[row["entity_id"]], "txid": row["txid"], "vout": row["vout"],
             "value_sat": row["value_sat"], "basis": "inference", "candidate_set": "all", "probability": share}
            for row in deposits
        ]  # fmt: skip

    with altered("cashouts", change) as tables:
        rows = named(cashout_rows(tables))
    assert rows["criterion.5.brier"].status == "pass"
    assert rows["criterion.5.brier"].value == pytest.approx(1 - share)
    assert len(deposits) > 1_000

    gamma = [place for place, row in enumerate(deposits) if legs.get((row["txid"], row["vout"])) == "gamma"]

    def surely(table):
        table = change(table)
        for row in table:
            if row["candidate_set"]:
                row["probability"] = 1 / len(gamma) if legs.get((row["txid"], row["vout"])) == "gamma" else 0
        return table

    with altered("cashouts", surely) as tables:
        assert named(cashout_rows(tables))["criterion.5.brier"].value == pytest.approx(1 - 1 / len(gamma))


# Criterion 8.

RULES = ("poison", "haircut", "fifo", "lifo", "tiho")


def cell(rule, column, by):
    """Add to a number of the first row of a rule."""

    def change(table):
        row = next(row for row in table if row["rule"] == rule)
        row[column] = str(int(row[column]) + by)
        return table

    return change


def dropped(rule):
    def change(table):
        table.remove(next(row for row in table if row["rule"] == rule))
        return table

    return change


def renamed(column, text):
    return lambda table: [row | {column: text} if place == 1 else row for place, row in enumerate(table)]


def moved(table):
    """From untraced to traced, as far as the bound and beyond: the sum stays right."""
    row = next(row for row in table if row["rule"] == "haircut")
    by = int(row["upper_sat"]) - int(row["traced_sat"]) + 1
    return cell("haircut", "untraced_sat", -by)(cell("haircut", "traced_sat", by)(table))


def poisoned_less(table):
    return cell("poison", "traced_sat", -int(table[0]["traced_sat"]))(table)


TAINT_DAMAGES = {
    **{f"a {rule} answer missing": (dropped(rule), {rule, "bounds"}) for rule in RULES if rule != "poison"},
    "a poison answer missing": (dropped("poison"), {"poison", "bounds", "reach"}),
    **{f"fee under {rule} wrong by a satoshi": (cell(rule, "fee_sat", 1), {rule, "conserved"}) for rule in RULES[1:]},
    "total wrong by a satoshi": (cell("fifo", "total_sat", -1), {"fifo", "conserved"}),
    "untraced wrong by a satoshi": (cell("tiho", "untraced_sat", 1), {"tiho", "conserved"}),
    "poison's fee wrong by a satoshi": (cell("poison", "fee_sat", 1), {"poison"}),
    "poison reaches nothing": (poisoned_less, {"poison", "reach"}),
    "a lower bound wrong by a satoshi": (cell("lifo", "lower_sat", -1), {"bounds"}),
    "a lower bound above what is traced": (cell("lifo", "lower_sat", 10**14), {"bounds", "within"}),
    "an upper bound wrong by a satoshi": (cell("lifo", "upper_sat", 1), {"bounds"}),
    "an upper bound below what is traced": (cell("lifo", "upper_sat", -(10**14)), {"bounds", "within"}),
    "more traced than can be": (moved, {"haircut", "within", "reach"}),
    "an answer given twice": (lambda table: [*table, table[1]], {"haircut", "bounds"}),
    "an answer about another source set": (renamed("source_set", "theft"), {"haircut", "bounds", "reach"}),
    "an answer about another target": (renamed("target_id", "A999999"), {"haircut", "bounds", "reach"}),
    "an answer under another rule": (renamed("rule", "purity"), {"haircut", "bounds"}),
    "a number with a fraction": (
        lambda table: [row | {"traced_sat": f"{row['traced_sat']}.0"} if place == 2 else row
                       for place, row in enumerate(table)], {"fifo"},
    ),
    "no number": (renamed("fee_sat", "few"), {"haircut", "conserved"}),
    "one more question, sound": (
        lambda table: [*table, *(row | {"target_id": "A999999"} for row in table[:5])], set(),
    ),
    "one more question, unsound": (
        lambda table: [*table, *(row | {"target_id": "A999999", "total_sat": "1"} for row in table[:5])],
        {"conserved"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", TAINT_DAMAGES)
def test_damage_to_the_taint(altered, damage):
    change, expected = TAINT_DAMAGES[damage]
    with altered("taint", change) as tables:
        rows = taint_rows(tables)
    assert failing(rows, 8) == expected | ({"criterion.8"} if expected else set())
    assert rows[0].errors == len(expected)


def test_taint_is_asked_of_every_target_under_every_rule(altered):
    with altered("taint", lambda table: table) as tables:
        rows = named(taint_rows(tables))
    assert {rows[f"criterion.8.{rule}"].n for rule in RULES} == {24}
    assert rows["criterion.8.bounds"].n == 24 * 5
    assert {rows[f"criterion.8.{part}"].n for part in ("conserved", "within", "reach")} == {24 * 4}
