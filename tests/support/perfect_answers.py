"""Result files of criteria 3, 4, 5 and 8 as a product without a mistake would write them, from a world's truth tables.

Prices are worked out with `decimal`. Candidates of the Gamma branch are the true deposits and three of other people.
"""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

from result_files import read, write

NAMES = ("sources", "backward", "cashouts", "taint")
GAP = "no price is known for this day"
SET = "behind coinjoin-gamma"
STRANGERS = 3


def write_answers(world, cluster, folder):
    """Write all of them, and the requests."""
    truth = {path.stem: read(path) for path in (world / "truth").glob("*.csv") if path.stem != "artefacts"}
    prices = read(world / "inputs" / "prices.csv")
    members = {row["script_hash"] for row in read(cluster) if row["level"] == "L1"}
    script = {(row["txid"], row["vout"]): row["script_hash"] for row in truth["outputs"]}
    origins = defaultdict(list)
    for row in truth["payment_sources"]:
        origins[row["payment_id"]].append(row)
    paid = [row for row in truth["payments"] if script[row["txid"], row["vout"]] in members]
    sources = [direct(row, origins[row["payment_id"]], prices) for row in paid if row["route"] == "direct"]
    write(folder / "sources.csv", sources)
    (folder / "requests").mkdir()
    for exchange in sorted({row["exchange"] for row in sources}):
        write(folder / "requests" / f"{exchange}.csv", [asked(row) for row in sources if row["exchange"] == exchange])
    write(folder / "backward.csv", [line for row in paid if row["route"] != "direct"
                                    for line in traced(row, origins[row["payment_id"]])])  # fmt: skip
    write(folder / "cashouts.csv", cashed_out(truth))
    write(folder / "taint.csv", truth["taint"])


def direct(row, origins, prices, currency="USD"):
    (origin,) = origins
    found = [each for each in prices if (each["date"], each["currency"]) == (row["time_utc"][:10], currency)]
    fiat, told = "", GAP
    if found:
        exact = Decimal(row["value_sat"]) * Decimal(found[0]["close_minor"]) / Decimal(10**8)
        fiat, told = str(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), found[0]["source"]
    return {
        "payment_txid": row["txid"], "vout": row["vout"], "height": row["height"], "time_utc": row["time_utc"],
        "value_sat": row["value_sat"], "fiat_minor": fiat, "currency": currency, "price_source": told,
        "exchange": origin["exchange"],
    }  # fmt: skip


def asked(row):
    columns = ("vout", "height", "time_utc", "value_sat")
    return {"exchange": row["exchange"], "txid": row["payment_txid"], **{name: row[name] for name in columns}}


def traced(row, origins):
    head = {"payment_txid": row["txid"], "vout": row["vout"], "verdict": row["verdict"]}
    if not origins:
        return [head | {"exchange": "", "stop_txid": row["stop_txid"], "stop_reason": row["stop_reason"]}]
    return [
        head | {"exchange": each["exchange"], "stop_txid": each["withdrawal_txid"], "stop_reason": row["stop_reason"]}
        for each in origins
    ]


def cashed_out(truth):
    exchange = {row["account_id"]: row["exchange"] for row in truth["accounts"]}
    true = [row for row in truth["cashouts"] if row["leg"] == "gamma"]
    rows = [
        {
            "exchange": exchange[row["account_id"]], "txid": row["txid"], "vout": row["vout"],
            "value_sat": row["value_sat"], "basis": "inference" if row["leg"] in ("beta", "gamma") else "fact",
            "candidate_set": SET if row in true else "",
            "probability": str(1 / len(true)) if row in true else "",
        }
        for row in truth["cashouts"]
    ]  # fmt: skip
    exchanges = {row["entity_id"]: row["name"] for row in truth["entities"] if row["kind"] == "exchange"}
    deposits = {row["txid"] for row in truth["transactions"] if row["kind"] == "deposit" and not row["label"]}
    others = [row for row in truth["outputs"] if row["txid"] in deposits and row["entity_id"] in exchanges]
    return rows + [
        {
            "exchange": exchanges[row["entity_id"]], "txid": row["txid"], "vout": row["vout"],
            "value_sat": row["value_sat"], "basis": "inference", "candidate_set": SET, "probability": "0",
        }
        for row in others[:STRANGERS]
    ]  # fmt: skip
