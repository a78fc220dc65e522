"""Criterion 1 in the score: from results without any error, each thing that one of the three cases lacks shows."""

import pytest
from result_files import by_id, failed, read

from cointrail.simulation.score.scorer import score


def test_recall_and_precision_are_those_of_another_computation(bazaar, tables):
    """The market's scripts by its name, the clusters as they lie in the file."""
    (market,) = (row["entity_id"] for row in tables.truth["entities"] if row["name"] == "Bazaar")
    owner = {row["script_hash"]: row["entity_id"] for row in tables.truth["scripts"]}
    wanted = {row["script_hash"] for row in tables.truth["scripts"]
              if row["entity_id"] == market and row["used"] == row["swept"] == "true"}  # fmt: skip
    found = [{row["script_hash"] for row in tables.results["cluster"]
              if (row["purchase_no"], row["level"]) == (number, "L1")} for number in "123"]  # fmt: skip
    rows = by_id(score(bazaar.results, bazaar.world))
    recall, precision = rows["criterion.1.recall"], rows["criterion.1.precision"]
    assert (recall.n, recall.errors) == (len(wanted), max(len(wanted - each) for each in found))
    assert recall.n > 400
    assert precision.n == min(map(len, found))
    assert precision.errors == max(sum(owner[script] != market for script in each) for each in found) == 0


def of_purchase(number, column, value):
    return lambda table: [row | {column: value} if row["purchase_no"] == number else row for row in table]


def thinner(step, level="L1"):
    """Every so many members of purchase 2 left out."""

    def change(table):
        gone = [row for row in table if row["purchase_no"] == "2" and row["level"] == level][::step]
        return [row for row in table if row not in gone]

    return change


def one_more_member(script, level="L1"):
    return lambda table: [*table, table[0] | {"script_hash": script, "level": level}]


def halved(table):
    return [row | {"cluster_id": number % 2} for number, row in enumerate(table)]


def of_decoy(tables):
    (double,) = (row["entity_id"] for row in tables.truth["entities"] if row["name"] == "LuckyDice")
    return next(row["script_hash"] for row in tables.truth["scripts"] if row["entity_id"] == double)


MARKET_DAMAGES = {
    "a stranger's script": ("cluster", one_more_member("ff" * 32), {"precision"}),
    "many scripts not found": ("cluster", thinner(50), {"recall"}),
    "few scripts not found": ("cluster", thinner(200), set()),
    "scripts not found at L2": ("cluster", thinner(2, "L2"), set()),
    "two halves instead of one cluster": ("cluster", halved, {"recall"}),
    "no cluster of one purchase": (
        "cluster", lambda table: [row for row in table if row["purchase_no"] != "3"], {"recall", "precision"},
    ),
    "no cluster at all": ("cluster", lambda table: [table[0] | {"level": "L3"}], {"recall", "precision"}),
    "the merge is third": ("merges", of_purchase("2", "rank", 3), set()),
    "the merge is fourth": ("merges", of_purchase("2", "rank", 4), {"ranked"}),
    "the merge is not excluded": ("merges", of_purchase("1", "excluded", "false"), {"excluded"}),
    "another is excluded": ("merges", of_purchase("1", "txid", "ff" * 32), {"ranked", "excluded"}),
    "another is excluded too": ("merges", lambda table: [*table, table[0] | {"txid": "f" * 64}], {"excluded"}),
    "no ranking of one purchase": ("merges", lambda table: table[:2], {"ranked", "excluded"}),
}  # fmt: skip


@pytest.mark.parametrize("damage", MARKET_DAMAGES)
def test_damage_to_the_market_case(copy, damage):
    name, change, expected = MARKET_DAMAGES[damage]
    copy.result(name, change)
    parts = {f"criterion.1.{part}" for part in expected}
    assert failed(score(copy.results, copy.world)) == (parts | {"criterion.1"} if parts else set())


def test_the_double_in_the_market_cluster_at_l2(copy, tables):
    copy.result("cluster", one_more_member(of_decoy(tables), "L2"))
    found = score(copy.results, copy.world)
    assert failed(found) == {"criterion.1", "criterion.1.double"}
    assert by_id(found)["criterion.1.double"].errors == 1


def test_a_stranger_with_the_double_at_l2(copy, tables):
    paid = {row["script_hash"]: row["cluster_id"] for row in tables.results["partition"]}
    scripts = {row["script_hash"] for row in tables.truth["scripts"]} & set(paid)
    decoy = of_decoy(tables)
    cluster = next(row["cluster_id"] for row in read(copy.results / "partition_l2.csv") if row["script_hash"] == decoy)

    def change(table):
        row = next(row for row in table if row["script_hash"] in scripts and row["cluster_id"] != cluster)
        row["cluster_id"] = cluster
        return table

    copy.result("partition_l2", change)
    found = score(copy.results, copy.world)
    assert failed(found) == {"criterion.1", "criterion.1.double"}
    assert by_id(found)["criterion.1.double"].value == 0.5
