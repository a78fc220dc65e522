"""Criterion 3: is every payment that came straight from an exchange found, with its exchange, and priced?

The product knows the market's addresses from its cluster, so payments to members of it are asked for; recall over all
payments is what an import of the seized database could reach. An exchange's name counts in any spelling of case. A
payment is worth value_sat * close_minor / 10^8 minor units of the close of its block's UTC day, rounded half to even;
on a day without a price it has none, and `price_source` says so in words that are no source's name. The requests to
the exchanges are a row of their own: tables are compared with the payments, a PDF is not judged here (SCENARIO.md 5).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cointrail.simulation.score.parts import criterion, unanswered
from cointrail.simulation.score.rows import Row, exact, not_built, rate
from cointrail.simulation.score.tables import Tables

_WHAT = {
    "criterion.3": "demands on direct payments that are met; requests to exchanges are not among them",
    "criterion.3.recall": "direct payments to members of the cluster that are reported from their exchange",
    "criterion.3.wrong": "reported payments that are direct, from that exchange, and reported once",
    "criterion.3.fields": "reported payments with every field right or, for the price of a gap day, said to be missing",
    "criterion.3.fiat": "values in money that are right to the minor unit, rounded half to even",
    "criterion.3.recall_all": "direct payments to any address of the market that are reported (reported only)",
}
_REQUEST = "criterion.3.request", "reported payments that stand in their exchange's one request, once and unchanged"
_COIN = 10**8

_WANTED = """
    SELECT p.txid, p.vout::VARCHAR, lower(s.exchange), o.script_hash IN (
        SELECT script_hash FROM result_cluster WHERE level = 'L1')
    FROM truth_payments p JOIN truth_payment_sources s USING (payment_id) JOIN truth_outputs o USING (txid, vout)
    WHERE p.route = 'direct'
"""
_REPORTED = """
    WITH priced AS (SELECT DISTINCT currency FROM input_prices)
    SELECT r.payment_txid, r.vout, lower(r.exchange), [r.height, r.time_utc, r.value_sat],
        [p.height::VARCHAR, p.time_utc, p.value_sat::VARCHAR], p.value_sat, r.currency IN (FROM priced), r.fiat_minor,
        r.price_source, d.close_minor::BIGINT, d.source
    FROM result_sources r LEFT JOIN truth_payments p ON p.txid = r.payment_txid AND p.vout::VARCHAR = r.vout
    LEFT JOIN input_prices d ON d.date = p.time_utc[:10] AND d.currency = r.currency
"""

Key = tuple[str, str]
"""A txid and an output number."""


@dataclass(frozen=True, slots=True)
class _Reported:
    """A row of `sources.csv` beside what is true of its payment; `facts` are height, time and value.

    `true_value_sat` is None for what is no payment; `close_minor` and `source` are None on a day without a price.
    """

    txid: str
    vout: str
    exchange: str | None
    facts: list[str | None]
    true_facts: list[str | None]
    true_value_sat: int | None
    currency_known: bool | None
    fiat_minor: str | None
    price_source: str | None
    close_minor: int | None
    source: str | None

    @property
    def key(self) -> Key:
        return self.txid, self.vout

    def complete(self, sources: set[str]) -> bool:
        """Whether height, time and value are right, and the price's origin or its absence is told."""
        if self.facts != self.true_facts or not self.exchange or not self.currency_known or not self.price_source:
            return False
        if self.source is None:
            return self.price_source not in sources
        return self.fiat_minor is not None and self.source in self.price_source

    @property
    def priced_right(self) -> bool:
        """Whether the value in money is the one of its day; any is wrong on a day without a price."""
        if self.close_minor is None or self.true_value_sat is None:
            return False
        return self.fiat_minor == str(round(Fraction(self.true_value_sat * self.close_minor, _COIN)))


def source_rows(tables: Tables) -> list[Row]:
    """The criterion, what was measured for it, and the requests."""
    if not tables.has("sources"):
        return [*unanswered(_WHAT), not_built(*_REQUEST)]
    wanted = {(txid, vout): (exchange, member) for txid, vout, exchange, member in tables.rows(_WANTED)}
    reported = [_Reported(*row) for row in tables.rows(_REPORTED)]
    right = {row.key for row in reported if row.key in wanted and row.exchange == wanted[row.key][0]}
    repeated = len(reported) - len({row.key for row in reported})
    wrong = len({row.key for row in reported}) - len(right) + repeated
    members = {key for key, (_, member) in wanted.items() if member}
    known = [row for row in reported if row.true_value_sat is not None]
    sources = {source for (source,) in tables.rows("SELECT DISTINCT source FROM input_prices")}
    valued = [row for row in known if row.fiat_minor is not None]
    counted = {
        "recall": (len(members), len(members - right)),
        "wrong": (len(reported), wrong),
        "fields": (len(known), sum(not row.complete(sources) for row in known)),
        "fiat": (len(valued), sum(not row.priced_right for row in valued)),
    }
    parts = [_exact(f"criterion.3.{name}", n, errors) for name, (n, errors) in counted.items()]
    everything = "criterion.3.recall_all"
    return [
        *criterion("criterion.3", _WHAT["criterion.3"], parts),
        rate(everything, _WHAT[everything], len(wanted), len(wanted.keys() - right), at_least=0.0),
        _request(tables),
    ]


def _exact(row_id: str, n: int, errors: int) -> Row:
    return exact(row_id, _WHAT[row_id], n, errors)


def _request(tables: Tables) -> Row:
    """Whether the requests together hold the reported payments, those of each exchange in one file of its own."""
    if not tables.requests:
        return not_built(*_REQUEST)
    columns = "lower(exchange), {txid}, vout, height, time_utc, value_sat"
    due = set(tables.rows(f"SELECT {columns.format(txid='payment_txid')} FROM result_sources"))
    asked: Counter[tuple[Any, ...]] = Counter()
    files: defaultdict[str, set[str]] = defaultdict(set)
    for file in tables.requests:
        rows = tables.rows(f"SELECT {columns.format(txid='txid')} FROM {file}")
        asked.update(rows)
        for exchange, *_ in rows:
            files[exchange].add(file)
    shared = Counter(file for held in files.values() for file in held)
    apart = {exchange for exchange, held in files.items() if len(held) == 1 and all(shared[file] == 1 for file in held)}
    everything = due | asked.keys()
    right = sum(row in due and asked[row] == 1 and row[0] in apart for row in everything)
    return exact(*_REQUEST, len(everything), len(everything) - right)
