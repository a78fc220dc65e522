"""Criterion 1: is the market's cluster found from each test payment, whole and pure, once its wrong merge is excluded?

`criterion.1` counts test payments and passes if every one of them passes; the rows below it say what was measured, for
the worst of them where they differ (SCENARIO.md 5). The market's scripts are those of its controller; a script that
the truth does not know is a stranger's.
"""

from dataclasses import dataclass

from cointrail.simulation.score.rows import Row, exact, rate
from cointrail.simulation.score.tables import Tables

LEAST_RECALL = 0.99
MOST_RANK = 3

_STARTS = """
    SELECT replace(label, 'undercover-', '')::BIGINT AS purchase FROM truth_transactions WHERE label LIKE 'undercover-%'
"""
_WANTED = """
    SELECT s.script_hash FROM truth_scripts s JOIN truth_entities e USING (entity_id)
    WHERE e.kind = 'market' AND s.used AND s.swept
"""
_HELD = """
    SELECT s.script_hash FROM truth_scripts s JOIN truth_entities e USING (entity_id)
    WHERE e.controller_id IN (SELECT controller_id FROM truth_entities WHERE kind = 'market')
"""
# One cluster a test payment: if there are several, the largest.
_MEMBERS = """
    SELECT DISTINCT purchase_no::BIGINT AS purchase, script_hash FROM result_cluster
    WHERE level = 'L1'
    QUALIFY cluster_id = mode(cluster_id) OVER (PARTITION BY purchase_no)
"""
_PAYJOIN = "SELECT txid FROM truth_transactions WHERE label = 'payjoin-merchant'"


@dataclass(frozen=True, slots=True)
class _Start:
    """What one test payment led to."""

    wanted: int
    missed: int
    members: int
    strangers: int
    ranked: bool
    excluded: bool

    @property
    def recall(self) -> float:
        return 1 - self.missed / max(self.wanted, 1)

    @property
    def precision(self) -> float:
        return 1 - self.strangers / self.members if self.members else 0.0

    @property
    def passes(self) -> bool:
        pure = self.members > 0 and self.strangers == 0
        return pure and self.recall >= LEAST_RECALL and self.ranked and self.excluded


def market_rows(tables: Tables) -> list[Row]:
    """The criterion and what was measured for it."""
    starts = _starts(tables)
    merged, apart = _double(tables)
    least = min(starts, key=lambda each: each.recall, default=_Start(0, 0, 0, 0, ranked=False, excluded=False))
    dirtiest = min(starts, key=lambda each: each.precision, default=least)
    failed = sum(not each.passes for each in starts) if merged == 0 < apart else len(starts)
    n = len(starts)
    return [
        exact("criterion.1", "test payments that lead to the market's cluster, its wrong merge found and excluded", n,
              failed),
        rate("criterion.1.recall", "used and swept scripts of the market in the cluster", least.wanted, least.missed,
             at_least=LEAST_RECALL),
        exact("criterion.1.precision", "scripts in the cluster that are the market's", dirtiest.members,
              dirtiest.strangers),
        exact("criterion.1.ranked", f"rankings with the wrong merge among the first {MOST_RANK}", n,
              sum(not each.ranked for each in starts)),
        exact("criterion.1.excluded", "test payments for which that merge was excluded, and no other", n,
              sum(not each.excluded for each in starts)),
        exact("criterion.1.double", "scripts of the market's double that stay apart from others at L1 and L2",
              merged + apart, merged),
    ]  # fmt: skip


def _starts(tables: Tables) -> list[_Start]:
    rows = tables.rows(
        f"""
        WITH starts AS ({_STARTS}), wanted AS ({_WANTED}), held AS ({_HELD}), members AS ({_MEMBERS}),
            merges AS (SELECT purchase_no::BIGINT AS purchase, "rank"::BIGINT AS place, excluded::BOOLEAN AS excluded,
                txid IN ({_PAYJOIN}) AS wrong FROM result_merges)
        SELECT (SELECT count(*) FROM wanted),
            (SELECT count(*) FROM wanted w WHERE w.script_hash NOT IN (
                SELECT m.script_hash FROM members m WHERE m.purchase = s.purchase)),
            (SELECT count(*) FROM members m WHERE m.purchase = s.purchase),
            (SELECT count(*) FROM members m WHERE m.purchase = s.purchase
                AND m.script_hash NOT IN (SELECT h.script_hash FROM held h)),
            (SELECT count(*) FROM merges g WHERE g.purchase = s.purchase AND g.wrong AND g.place <= {MOST_RANK}),
            (SELECT count(*) FROM merges g WHERE g.purchase = s.purchase AND g.excluded AND g.wrong),
            (SELECT count(*) FROM merges g WHERE g.purchase = s.purchase AND g.excluded)
        FROM starts s ORDER BY s.purchase
        """
    )
    return [
        _Start(wanted, missed, members, strangers, ranked=ranked > 0, excluded=right == excluded == 1)
        for wanted, missed, members, strangers, ranked, right, excluded in rows
    ]


def _double(tables: Tables) -> tuple[int, int]:
    """Scripts of the double, at L1 and L2 each: (those with somebody else's, the others)."""
    merged, apart = 0, 0
    for level, table in (("L1", "result_partition"), ("L2", "result_partition_l2")):
        wrong, right = tables.numbers(
            f"""
            WITH owners AS (
                    SELECT p.script_hash, p.cluster_id, coalesce(e.name = 'LuckyDice', false) AS double
                    FROM {table} p LEFT JOIN truth_scripts s USING (script_hash) LEFT JOIN truth_entities e
                        USING (entity_id)),
                mixed AS (SELECT cluster_id FROM owners GROUP BY cluster_id HAVING count(DISTINCT double) > 1),
                found AS (SELECT cluster_id IN (SELECT cluster_id FROM mixed) OR script_hash IN (
                    SELECT script_hash FROM result_cluster WHERE level = '{level}') AS wrong FROM owners WHERE double)
            SELECT count(*) FILTER (WHERE wrong), count(*) FILTER (WHERE NOT wrong) FROM found
            """
        )
        merged, apart = merged + wrong, apart + right
    return merged, apart
