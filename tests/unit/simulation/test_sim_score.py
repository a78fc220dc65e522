"""The scorer: its figures are recomputed here in plain Python, and every error that is planted makes a row fail."""

import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import asdict
from itertools import combinations

import pytest
from result_files import by_id, failed, link

from cointrail.simulation.score import cluster_rows, coinjoin_rows, rows
from cointrail.simulation.score.change_rows import change_rows
from cointrail.simulation.score.criteria import CRITERIA
from cointrail.simulation.score.rows import exact, figure, not_built, rate
from cointrail.simulation.score.scorer import score
from cointrail.simulation.score.tables import Tables

LEDGER = [f"ledger.{name}" for name in ("blocks", "transactions", "fees", "outputs", "spenders")]
CLUSTER = [
    f"cluster.{name}"
    for name in (
        "pair_precision", "pair_recall", "bcubed_precision", "bcubed_recall", "bcubed_f1", "largest_wrong_merge",
    )
]  # fmt: skip
CHANGE = ["change.precision", "change.recall"]
PROTOCOLS = {"wasabi1": "wasabi1", "wasabi2": "wabisabi", "whirlpool": "whirlpool", "joinmarket": "joinmarket"}
COINJOIN = [*(f"coinjoin.{name}.recall_pairs" for name in PROTOCOLS), "coinjoin.false_suppression"]
MARKET = [f"criterion.1{part}" for part in ("", ".recall", ".precision", ".ranked", ".excluded", ".double")]
PARTS = {
    3: ("recall", "wrong", "fields", "fiat", "recall_all", "request"),
    4: ("one_hop", "peel", "mixer", "none", "withdrawal", "reason", "unhosted", "reached"),
    5: (
        "alpha1", "alpha2", "beta", "wrong", "outputs", "basis", "gamma", "probabilities", "brier", "uniform",
        "gamma_recall",
    ),
    8: ("poison", "haircut", "fifo", "lifo", "tiho", "bounds", "conserved", "within", "reach"),
}  # fmt: skip
OTHERS = [f"criterion.{number}{part}" for number in range(2, 15)
          for part in ("", *(f".{name}" for name in PARTS.get(number, ())))]  # fmt: skip
ANSWERED = (3, 4, 5)
ATTRIBUTION = [f"attribution.{name}" for name in ("named", "decoy", "recall")]
IDS = [*LEDGER, *CLUSTER, *CHANGE, *COINJOIN, *ATTRIBUTION, *MARKET, *OTHERS]


@pytest.fixture(scope="module")
def scored(bazaar):
    return score(bazaar.results, bazaar.world)


# What the product gets today.


def test_the_ledger_agrees_with_the_truth(scored, tables):
    found = by_id(scored)
    for name in LEDGER:
        assert (found[name].status, found[name].value, found[name].errors) == ("pass", 1.0, 0), name
        assert found[name].low95 == 0 < found[name].high95 < 0.01
    assert found["ledger.transactions"].n == len(tables.truth["transactions"]) > 18_000
    assert found["ledger.outputs"].n == found["ledger.spenders"].n == len(tables.truth["outputs"])


def test_there_is_a_row_for_every_id(scored):
    assert [row.id for row in scored.rows] == IDS
    assert sorted({*CRITERIA, *PARTS}) == list(range(2, 15))
    for row in scored.rows:
        if row.id.startswith("criterion.") and row.id not in MARKET and int(row.id.split(".")[1]) not in ANSWERED:
            assert (row.status, row.value, row.n, row.errors, row.low95, row.high95) == ("not_built", None, 0, 0, 0, 1)
        else:
            assert row.status in ("pass", "fail")
            assert row.n > 0
        assert 0 <= row.low95 <= row.errors / max(row.n, 1) <= row.high95 <= 1


def test_criterion_1_passes(scored):
    found = by_id(scored)
    assert {found[name].status for name in MARKET} == {"pass"}
    assert found["criterion.1"].n == found["criterion.1.ranked"].n == found["criterion.1.excluded"].n == 3


def test_the_module_writes_it_as_json(bazaar, scored, tmp_path):
    folder = link(bazaar.results, tmp_path)
    command = [sys.executable, "-m", "cointrail.simulation.score"]
    done = subprocess.run([*command, str(folder), str(bazaar.world)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5 if failed(scored) else 0, f"{folder}/score.json\n"), done.stderr
    document = json.loads((folder / "score.json").read_text())
    assert list(document) == ["snapshot", "manifest_digest", "rows"]
    assert document["rows"] == [asdict(row) for row in scored.rows]
    assert set(document["rows"][0]) == {"id", "what", "status", "value", "n", "errors", "low95", "high95"}
    for arguments, code in (([str(folder)], 2), ([str(folder), str(folder)], 4), ([str(tmp_path / "no")] * 2, 4)):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert "Traceback" not in done.stderr


# The same figures, computed in another way.


def plain_clusters(tables):
    """Pairwise and B-cubed figures by their definitions."""
    controllers = {row["entity_id"]: row["controller_id"] for row in tables.truth["entities"]}
    holder = {row["script_hash"]: controllers[row["entity_id"]] for row in tables.truth["scripts"]
              if row["entity_id"] in controllers}  # fmt: skip
    pairs = [(row["cluster_id"], holder[row["script_hash"]]) for row in tables.results["partition"]
             if row["script_hash"] in holder]  # fmt: skip
    cluster, control, cell = Counter(a for a, _ in pairs), Counter(b for _, b in pairs), Counter(pairs)
    members = defaultdict(set)
    for a, b in pairs:
        members[a].add(b)
    return {
        "scripts": len(pairs),
        "predicted": sum(math.comb(n, 2) for n in cluster.values()),
        "true": sum(math.comb(n, 2) for n in control.values()),
        "both": sum(math.comb(n, 2) for n in cell.values()),
        "largest": max((n for a, n in cluster.items() if len(members[a]) > 1), default=0),
        "precision": math.fsum(cell[pair] / cluster[pair[0]] for pair in pairs) / len(pairs),
        "recall": math.fsum(cell[pair] / control[pair[1]] for pair in pairs) / len(pairs),
    }


def plain_coinjoins(tables):
    """Per protocol (pairs of strangers, pairs that are not kept apart), pair by pair; and false suppression."""
    paid = {(row["txid"], row["vout"]): (row["script_hash"], row["entity_id"]) for row in tables.truth["outputs"]}
    spent = defaultdict(set)
    for row in tables.truth["inputs"]:
        spent[row["txid"]].add(paid[row["previous_txid"], row["previous_vout"]])
    verdict = {row["txid"]: row["class"] for row in tables.results["coinjoins"]}
    found, ordinary = {name: [0, 0] for name in PROTOCOLS.values()}, [0, 0]
    for row in tables.truth["transactions"]:
        scripts, suppressed = spent[row["txid"]], verdict.get(row["txid"], "none") != "none"
        if row["kind"] == "coinjoin":
            strangers = sum(a[1] != b[1] for a, b in combinations(sorted(scripts), 2))
            found[row["protocol"]][0] += strangers
            found[row["protocol"]][1] += 0 if suppressed else strangers
        elif len(scripts) > 1 and len({entity for _, entity in scripts}) == 1:
            ordinary[0] += 1
            ordinary[1] += suppressed
    return found, ordinary


def plain_changes(tables):
    """(outputs named, of them no change; change beside other outputs, of them not named)."""
    beside = Counter(row["txid"] for row in tables.truth["outputs"])
    change = {(row["txid"], row["vout"]) for row in tables.truth["outputs"] if row["is_change"] == "true"}
    named = {(row["txid"], row["vout"]) for row in tables.results["changes"]}
    wanted = {each for each in change if beside[each[0]] > 1}
    return len(named), len(named - change), len(wanted), len(wanted - named)


def test_another_computation_gives_the_same_changes(loaded, tables):
    named, wrong, change, missed = plain_changes(tables)
    precision, recall = change_rows(loaded)
    assert (precision.n, precision.errors, recall.n, recall.errors) == (named, wrong, change, missed)
    assert named > 5_000
    assert 0 < wrong < named / 100


@pytest.fixture(scope="module")
def plain(tables):
    """What is computed here."""
    return plain_clusters(tables), *plain_coinjoins(tables)


@pytest.fixture(scope="module")
def loaded(bazaar):
    """The scorer's tables."""
    with Tables(bazaar.results, bazaar.world) as opened:
        yield opened


def differences(loaded, plain):
    """Rows of the scorer that do not have the figures computed here."""
    found = {row.id: row for row in (*cluster_rows.cluster_rows(loaded), *coinjoin_rows.coinjoin_rows(loaded))}
    (clusters, rounds, ordinary), wrong = plain, []
    both = clusters["both"]
    f1 = 2 * clusters["precision"] * clusters["recall"] / (clusters["precision"] + clusters["recall"])
    counted = {
        "cluster.pair_precision": (clusters["predicted"], clusters["predicted"] - both),
        "cluster.pair_recall": (clusters["true"], clusters["true"] - both),
        "coinjoin.false_suppression": tuple(ordinary),
        **{f"coinjoin.{name}.recall_pairs": tuple(rounds[kind]) for name, kind in PROTOCOLS.items()},
    }
    measured = {
        "cluster.bcubed_precision": clusters["precision"],
        "cluster.bcubed_recall": clusters["recall"],
        "cluster.bcubed_f1": f1,
        "cluster.largest_wrong_merge": clusters["largest"],
    }
    for name, (n, errors) in counted.items():
        row = found[name]
        if (row.n, row.errors) != (n, errors) or not math.isclose(row.value, 1 - errors / n, abs_tol=2e-9):
            wrong.append(name)
        if not bounds_are_exact(row):
            wrong.append(f"{name} bounds")
    for name, value in measured.items():
        if found[name].n != clusters["scripts"] or not math.isclose(found[name].value, value, abs_tol=2e-9):
            wrong.append(name)
    return wrong


def tail(n, low, high, p):
    """The chance that a binomial variable lies in [low, high]."""
    if not 0 < p < 1:
        return float(low <= n * p <= high)
    first = math.lgamma(n + 1) + n * math.log1p(-p)
    odds = math.log(p) - math.log1p(-p)
    return math.fsum(
        math.exp(first - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * odds) for k in range(low, high + 1)
    )


def bounds_are_exact(row):
    """Each bound leaves 2.5 % beyond the errors that were seen; checked where the sums are short enough."""
    if row.n > 50_000 or row.errors > 5_000:
        return row.low95 <= row.errors / row.n <= row.high95
    low = row.low95 == 0 if row.errors == 0 else math.isclose(
        1 - tail(row.n, 0, row.errors - 1, row.low95), 0.025, rel_tol=1e-3
    )  # fmt: skip
    high = row.high95 == 1 if row.errors == row.n else math.isclose(
        tail(row.n, 0, row.errors, row.high95), 0.025, rel_tol=1e-3
    )  # fmt: skip
    return low and high


def test_another_computation_gives_the_same_figures(loaded, plain, scored):
    assert differences(loaded, plain) == []
    assert set(cluster_rows.cluster_rows(loaded)) | set(coinjoin_rows.coinjoin_rows(loaded)) < set(scored.rows)


# Breaking a rule of the scorer shows.


@pytest.mark.parametrize(
    ("module", "name", "old", "new", "shows"),
    [
        (cluster_rows, "_CELLS", "e.controller_id AS", "e.entity_id AS", "cluster.pair_recall"),
        (cluster_rows, "_CELLS", "GROUP BY ALL", "WHERE s.swept GROUP BY ALL", "cluster.bcubed_recall"),
        (coinjoin_rows, "_INPUT_SCRIPTS", "DISTINCT i.txid", "i.txid", "coinjoin.false_suppression"),
    ],
)
def test_a_broken_query_differs(loaded, plain, monkeypatch, module, name, old, new, shows):
    assert old in getattr(module, name)
    monkeypatch.setattr(module, name, getattr(module, name).replace(old, new))
    assert shows in differences(loaded, plain)


@pytest.mark.parametrize(
    ("old", "new", "shows"),
    [
        ("(sum(n) * sum(n) - sum(n * n)) // 2", "sum(n)", "coinjoin.wasabi1.recall_pairs"),
        ("coalesce(r.class, 'none') = 'none'", "r.class <> 'none'", "coinjoin.joinmarket.recall_pairs"),
        ("count(DISTINCT entity_id) = 1", "true", "coinjoin.false_suppression"),
        ("n * (n - 1) // 2", "n", "cluster.pair_precision"),
        ("n * n / clusters.size", "n / clusters.size", "cluster.bcubed_precision"),
        ("coalesce(max(n), 0)", "coalesce(min(n), 0)", "cluster.largest_wrong_merge"),
    ],
)  # fmt: skip
def test_a_broken_weight_differs(loaded, plain, monkeypatch, old, new, shows):
    ask, seen = Tables.rows, []

    def broken(self, query):
        seen.append(old in query)
        return ask(self, query.replace(old, new))

    monkeypatch.setattr(Tables, "rows", broken)
    assert shows in differences(loaded, plain)
    assert any(seen)


def test_broken_bounds_differ(loaded, plain, monkeypatch):
    def normal(errors, checks):
        spread = 1.96 * math.sqrt(errors * (checks - errors) / checks**3)
        return max(errors / checks - spread, 0.0), errors / checks + spread

    monkeypatch.setattr(rows, "clopper_pearson", normal)
    assert "coinjoin.whirlpool.recall_pairs bounds" in differences(loaded, plain)


# Breaking the results or the truth makes rows fail: from results without any error, exactly these.


def test_results_without_an_error_pass(ideal, bazaar):
    found = score(ideal, bazaar.world)
    assert failed(found) == set()
    assert {row.value for row in found.rows if row.id in (*CLUSTER[:5], *CHANGE, *COINJOIN, *MARKET)} == {1.0}


def test_swapping_two_entities_in_the_truth(copy, tables):
    market, exchange = (
        next(row["entity_id"] for row in tables.truth["entities"] if row["kind"] == kind)
        for kind in ("market", "exchange")
    )
    swapped = f"CASE entity_id WHEN {market} THEN {exchange} WHEN {exchange} THEN {market} ELSE entity_id END"
    copy.truth("scripts", f"SELECT * REPLACE ({swapped} AS entity_id) FROM {{table}}")
    assert failed(score(copy.results, copy.world)) == {
        "cluster.pair_precision", "cluster.largest_wrong_merge",
        "criterion.1", "criterion.1.recall", "criterion.1.precision", "attribution.named",
    }  # fmt: skip


def test_swapping_two_scripts_in_the_truth(copy, tables):
    first, *_, last = (row for row in tables.truth["scripts"] if row["used"] == "true" and row["role"] == "deposit")
    assert first["entity_id"] != last["entity_id"]
    swapped = (
        f"CASE lower(hex(script_hash)) WHEN '{first['script_hash']}' THEN {last['entity_id']} "
        f"WHEN '{last['script_hash']}' THEN {first['entity_id']} ELSE entity_id END"
    )
    copy.truth("scripts", f"SELECT * REPLACE ({swapped} AS entity_id) FROM {{table}}")
    found = score(copy.results, copy.world)
    assert failed(found) == {"cluster.largest_wrong_merge", "attribution.named"}
    assert by_id(found)["cluster.pair_precision"].errors > 0


def edit(column, how, where=lambda row: row["height"] == "700"):
    """A change of one row: the first for which `where` holds."""

    def change(table):
        row = next(row for row in table if where(row))
        row[column] = how(row[column])
        return table

    return change


def without(where):
    def change(table):
        table.remove(next(row for row in table if where(row)))
        return table

    return change


def one_more(text):
    return str(int(text) + 1)


def at_700(row):
    return row["height"] == "700"


DAMAGES = {
    "a transaction dropped": ("transactions", without(at_700), {"ledger.transactions", "ledger.fees"}),
    "a transaction at another height": ("transactions", edit("height", one_more), {"ledger.transactions"}),
    "a transaction at another place": ("transactions", edit("position", one_more), {"ledger.transactions"}),
    "a fee wrong by a satoshi": ("transactions", edit("fee_sat", one_more), {"ledger.fees"}),
    "an output dropped": ("outputs", without(at_700), {"ledger.outputs", "ledger.spenders"}),
    "a value wrong by a satoshi": ("outputs", edit("value_sat", one_more), {"ledger.outputs"}),
    "another script": ("outputs", edit("script_hash", lambda text: text[::-1]), {"ledger.outputs"}),
    "a spend not seen": (
        "outputs", edit("spender_txid", lambda _: "", lambda row: row["spender_txid"]), {"ledger.spenders"},
    ),
    "another input spends": (
        "outputs", edit("spender_vin", one_more, lambda row: row["spender_vin"]), {"ledger.spenders"},
    ),
    "a block missing at the end": ("ledger", edit("height", lambda text: str(int(text) - 1), bool), {"ledger.blocks"}),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_the_results(copy, damage):
    name, change, expected = DAMAGES[damage]
    copy.result(name, change)
    found = score(copy.results, copy.world)
    assert failed(found) == expected
    assert {row.errors for row in found.rows if row.id in expected} == {1}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_round_marked_as_ordinary(copy, tables, protocol):
    rounds = {row["txid"] for row in tables.truth["transactions"] if row["protocol"] == PROTOCOLS[protocol]}
    copy.result(
        "coinjoins", edit("class", lambda _: "none", lambda row: row["txid"] in rounds and row["class"] != "none")
    )
    assert failed(score(copy.results, copy.world)) == {f"coinjoin.{protocol}.recall_pairs"}


def test_ordinary_transactions_marked_as_rounds(copy):
    def change(table):
        for row in table[::20]:
            row["class"] = "coinjoin"
        return table

    copy.result("coinjoins", change)
    assert failed(score(copy.results, copy.world)) == {"coinjoin.false_suppression"}


def test_two_clusters_merged(copy):
    def change(table):
        sizes = Counter(row["cluster_id"] for row in table if row["cluster_id"] != "-1")
        (largest, _), (second, _) = sizes.most_common(2)
        return [row | {"cluster_id": largest} if row["cluster_id"] == second else row for row in table]

    copy.result("partition", change)
    found = score(copy.results, copy.world)
    assert failed(found) == {"cluster.pair_precision", "cluster.largest_wrong_merge"}
    assert by_id(found)["cluster.pair_recall"].value == 1


def test_a_cluster_split_costs_recall_and_fails_nothing(copy):
    def change(table):
        for number, row in enumerate(table[::2], 10**6):
            row["cluster_id"] = str(number)
        return table

    copy.result("partition", change)
    found = score(copy.results, copy.world)
    assert failed(found) == set()
    assert by_id(found)["cluster.pair_recall"].value < 0.5


def test_outputs_named_wrongly(copy, tables):
    payments = [row for row in tables.truth["outputs"] if row["is_change"] == "false"]

    def change(table):
        return table + [row | {"txid": one["txid"], "vout": one["vout"]}
                        for row, one in zip(table[::80], payments, strict=False)] * 2  # fmt: skip

    copy.result("changes", change)
    found = score(copy.results, copy.world)
    assert failed(found) == {"change.precision"}
    assert by_id(found)["change.precision"].errors == math.ceil(by_id(found)["change.recall"].n / 80)


def test_changes_not_named_cost_recall_and_fail_nothing(copy):
    copy.result("changes", lambda table: table[::2])
    found = score(copy.results, copy.world)
    assert failed(found) == set()
    assert by_id(found)["change.recall"].value == pytest.approx(0.5, abs=1e-3)


# Rows.


def test_rows_pass_and_fail_at_their_thresholds():
    assert rate("x", "y", 1000, 1, at_least=0.999).status == "pass"
    assert rate("x", "y", 1000, 2, at_least=0.999).status == "fail"
    assert exact("x", "y", 10**6, 1).status == "fail"
    assert figure("x", "y", 1.0, 5, at_most=0).status == "fail"
    assert figure("x", "y", 0.0, 5, at_most=0).status == "pass"
    assert not_built("x", "y").status == "not_built"
