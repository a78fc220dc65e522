"""Are scripts that one controller holds together, and no others?

A script's controller is the truth's; the market and its operator share one. All scripts that were paid count.
"""

from cointrail.simulation.score.rows import Row, figure, rate
from cointrail.simulation.score.tables import Tables

_CELLS = """
    SELECT p.cluster_id AS cluster, e.controller_id AS controller, count(*) AS n
    FROM result_partition p
    JOIN truth_scripts s ON s.script_hash = p.script_hash
    JOIN truth_entities e ON e.entity_id = s.entity_id
    GROUP BY ALL
"""


def cluster_rows(tables: Tables) -> list[Row]:
    """Pairwise and B-cubed figures of the level L1 partition."""
    (both,) = tables.numbers(f"SELECT sum(n * (n - 1) // 2) FROM ({_CELLS})")
    (predicted,) = tables.numbers(
        f"SELECT sum(n * (n - 1) // 2) FROM (SELECT sum(n)::BIGINT AS n FROM ({_CELLS}) GROUP BY cluster)"
    )
    (true,) = tables.numbers(
        f"SELECT sum(n * (n - 1) // 2) FROM (SELECT sum(n)::BIGINT AS n FROM ({_CELLS}) GROUP BY controller)"
    )
    (scripts,) = tables.numbers(f"SELECT sum(n) FROM ({_CELLS})")
    (largest,) = tables.numbers(
        f"SELECT coalesce(max(n), 0) FROM (SELECT sum(n) AS n, count(*) AS owners FROM ({_CELLS}) GROUP BY cluster) "
        "WHERE owners > 1"
    )
    precision, recall = _b_cubed(tables)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return [
        rate("cluster.pair_precision", "pairs joined at L1 that have one controller", predicted, predicted - both,
             at_least=0.999),
        rate("cluster.pair_recall", "pairs of one controller that L1 joins (a lower bound, reported only)", true,
             true - both, at_least=0.0),
        figure("cluster.bcubed_precision", "B-cubed precision", precision, scripts),
        figure("cluster.bcubed_recall", "B-cubed recall", recall, scripts),
        figure("cluster.bcubed_f1", "B-cubed F1", f1, scripts),
        figure("cluster.largest_wrong_merge", "scripts in the largest cluster of several controllers", largest, scripts,
               at_most=0),
    ]  # fmt: skip


def _b_cubed(tables: Tables) -> tuple[float, float]:
    """Amigo et al. 2009: the mean, over scripts, of how pure its cluster and how whole its owner's scripts are."""
    row = tables.rows(
        f"""
        WITH cells AS ({_CELLS}),
            clusters AS (SELECT cluster, sum(n) AS size FROM cells GROUP BY cluster),
            controllers AS (SELECT controller, sum(n) AS size FROM cells GROUP BY controller)
        SELECT sum(n * n / clusters.size::DOUBLE) / sum(n), sum(n * n / controllers.size::DOUBLE) / sum(n)
        FROM cells JOIN clusters USING (cluster) JOIN controllers USING (controller)
        """
    )[0]
    return float(row[0] or 0), float(row[1] or 0)
