"""Does the ledger hold the chain as it was written?"""

from cointrail.simulation.score.rows import Row, exact
from cointrail.simulation.score.tables import Tables


def ledger_rows(tables: Tables) -> list[Row]:
    """Counts and contents of the ledger against the truth."""
    transactions = tables.numbers(
        """
        SELECT count(*), count(*) FILTER (WHERE t.txid IS NULL OR r.txid IS NULL OR t.height <> r.height
            OR t.position <> r.position), count(*) FILTER (WHERE t.fee_sat IS DISTINCT FROM r.fee_sat)
        FROM truth_transactions t FULL JOIN result_transactions r ON t.txid = r.txid
        WHERE r.height IS NULL OR r.height > 0
        """
    )
    outputs = tables.numbers(
        """
        SELECT count(*), count(*) FILTER (WHERE t.txid IS NULL OR r.txid IS NULL OR t.value_sat <> r.value_sat
            OR t.script_hash <> r.script_hash)
        FROM truth_outputs t FULL JOIN result_outputs r ON t.txid = r.txid AND t.vout = r.vout
        WHERE r.height IS NULL OR r.height > 0
        """
    )
    spends = tables.numbers(
        """
        SELECT count(*), count(*) FILTER (WHERE i.txid IS DISTINCT FROM r.spender_txid
            OR i.input_position IS DISTINCT FROM r.spender_vin)
        FROM result_outputs r FULL JOIN truth_inputs i ON i.previous_txid = r.txid AND i.previous_vout = r.vout
        WHERE r.height IS NULL OR r.height > 0
        """
    )
    blocks = tables.numbers(
        """
        SELECT (SELECT max(height) FROM truth_transactions),
            abs((SELECT max(height) FROM truth_transactions) - (SELECT height FROM result_ledger))
        """
    )
    return [
        exact("ledger.blocks", "blocks of the best chain", blocks[0], blocks[1]),
        exact("ledger.transactions", "transactions, at their height and position", transactions[0], transactions[1]),
        exact("ledger.fees", "fees of transactions, in satoshi", transactions[0], transactions[2]),
        exact("ledger.outputs", "outputs with their value and script", outputs[0], outputs[1]),
        exact("ledger.spenders", "outputs with the input that spends them", spends[0], spends[1]),
    ]
