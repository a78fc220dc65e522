"""Are collaborative transactions kept from joining scripts, and ordinary ones left alone?

Recall is weighed by pairs: one missed round of many inputs joins many strangers (METHODS.md 3.3).
"""

from cointrail.simulation.score.rows import Row, rate
from cointrail.simulation.score.tables import Tables

PROTOCOLS = ("wasabi1", "wasabi2", "whirlpool", "joinmarket")

_IN_TRUTH = {"wasabi2": "wabisabi"}

_INPUT_SCRIPTS = """
    SELECT DISTINCT i.txid, o.script_hash, o.entity_id
    FROM truth_inputs i JOIN truth_outputs o ON o.txid = i.previous_txid AND o.vout = i.previous_vout
"""


def coinjoin_rows(tables: Tables) -> list[Row]:
    """Recall of each protocol and false suppression of ordinary transactions."""
    rows = [_recall(tables, protocol) for protocol in PROTOCOLS]
    asked, wrong = tables.numbers(
        f"""
        SELECT count(*), count(*) FILTER (WHERE r.class <> 'none')
        FROM (SELECT txid FROM ({_INPUT_SCRIPTS}) GROUP BY txid
              HAVING count(*) > 1 AND count(DISTINCT entity_id) = 1) several
        JOIN truth_transactions t USING (txid)
        JOIN result_coinjoins r USING (txid)
        WHERE t.kind <> 'coinjoin'
        """
    )
    rows.append(
        rate("coinjoin.false_suppression", "ordinary transactions of several scripts that are not suppressed", asked,
             wrong, at_least=0.98)
    )  # fmt: skip
    return rows


def _recall(tables: Tables, protocol: str) -> Row:
    """Pairs of different owners that a protocol's transactions would join, and how many are not suppressed."""
    name = _IN_TRUTH.get(protocol, protocol)
    pairs, missed = tables.numbers(
        f"""
        WITH owners AS (SELECT txid, entity_id, count(*) AS n FROM ({_INPUT_SCRIPTS}) GROUP BY ALL),
            pairs AS (SELECT txid, (sum(n) * sum(n) - sum(n * n)) // 2 AS n FROM owners GROUP BY txid)
        SELECT sum(p.n)::BIGINT, sum(p.n) FILTER (WHERE coalesce(r.class, 'none') = 'none')::BIGINT
        FROM pairs p JOIN truth_transactions t USING (txid) LEFT JOIN result_coinjoins r USING (txid)
        WHERE t.kind = 'coinjoin' AND t.protocol = '{name}'
        """
    )
    return rate(
        f"coinjoin.{protocol}.recall_pairs", f"pairs of strangers in {protocol} rounds that are kept apart", pairs,
        missed, at_least=1.0,
    )  # fmt: skip
