"""Criterion 4: where did the payments come from that did not come straight from an exchange, and where must one stop?

As for criterion 3, payments to members of the cluster are asked for. A payment's rows in `backward.csv` are one answer:
an exchange is right if the rows name exactly the exchanges that funded it, all under the verdict `exchange`; a stop is
right if the one verdict is `not_traceable_beyond` the true transaction. One hop and peel must reach 95 % each, which is
stricter than both together. Nobody may name an exchange for a payment that was mixed or never came from one, nor for
what is no payment to the market; to say nothing about such a payment is an error too. Rows about direct payments are
criterion 3's business and are left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cointrail.simulation.score.parts import criterion, unanswered
from cointrail.simulation.score.rows import Row, rate
from cointrail.simulation.score.tables import Tables

LEAST_RIGHT = 0.95

_WHAT = {
    "criterion.4": "demands on payments of the other routes that are met",
    "criterion.4.one_hop": "payments over the buyer's wallet with the right exchange, or both",
    "criterion.4.peel": "payments out of a peel chain with the right exchange",
    "criterion.4.mixer": "mixed payments that are not traceable beyond the true transaction, and beyond no other",
    "criterion.4.none": "mixed, unhosted and other payments for which no exchange is named",
    "criterion.4.withdrawal": "named exchanges with the transaction of the withdrawal (reported only)",
    "criterion.4.reason": "true stops of mixed payments with the true reason (reported only)",
    "criterion.4.unhosted": "unhosted payments with the verdict that no exchange was found (reported only)",
    "criterion.4.reached": "payments of the other routes to any address of the market with an answer (reported only)",
}
EXCHANGE, NOT_TRACEABLE, NO_EXCHANGE = "exchange", "not_traceable_beyond", "no_exchange_found"

_PAYMENTS = """
    SELECT p.txid, p.vout::VARCHAR, p.route, p.stop_txid, p.stop_reason, o.script_hash IN (
        SELECT script_hash FROM result_cluster WHERE level = 'L1'),
        (SELECT coalesce(list((lower(s.exchange), s.withdrawal_txid)), [])
            FROM truth_payment_sources s WHERE s.payment_id = p.payment_id)
    FROM truth_payments p JOIN truth_outputs o USING (txid, vout)
"""
_ANSWERS = """
    SELECT payment_txid, vout, coalesce(verdict, ''), coalesce(lower(exchange), ''), coalesce(stop_txid, ''),
        coalesce(stop_reason, '')
    FROM result_backward
"""


@dataclass(frozen=True, slots=True)
class _Said:
    """A row of `backward.csv`."""

    verdict: str
    exchange: str
    stop_txid: str
    stop_reason: str

    @property
    def names_exchange(self) -> bool:
        return bool(self.exchange) or self.verdict == EXCHANGE


@dataclass(frozen=True, slots=True)
class _Payment:
    """What is true of a payment and what was said about it; `sources` are pairs of exchange and withdrawal."""

    route: str
    stop_txid: str
    stop_reason: str
    member: bool
    sources: frozenset[tuple[str, str]]
    said: frozenset[_Said]

    @property
    def right_exchange(self) -> bool:
        named = {(each.verdict, each.exchange) for each in self.said}
        return named == {(EXCHANGE, exchange) for exchange, _ in self.sources}

    @property
    def right_withdrawal(self) -> bool:
        return {(each.exchange, each.stop_txid) for each in self.said} == self.sources

    @property
    def right_stop(self) -> bool:
        return {(each.verdict, each.stop_txid) for each in self.said} == {(NOT_TRACEABLE, self.stop_txid)}

    @property
    def right_reason(self) -> bool:
        return {each.stop_reason for each in self.said} == {self.stop_reason}

    @property
    def right_verdict(self) -> bool:
        return {each.verdict for each in self.said} == {NO_EXCHANGE}

    @property
    def left_open(self) -> bool:
        """Whether something was said, and no exchange named."""
        return bool(self.said) and not any(each.names_exchange for each in self.said)


def backward_rows(tables: Tables) -> list[Row]:
    """The criterion and what was measured for it."""
    if not tables.has("backward"):
        return unanswered(_WHAT)
    everything, strange = _payments(tables)
    others = [each for each in everything if each.route != "direct"]
    members = [each for each in others if each.member]
    routes = {route: [each for each in members if each.route == route] for route in ("one_hop", "peel", "mixer")}
    none = [each for each in others if each.route in ("mixer", "unhosted") and (each.member or each.said)]
    parts = [
        _share("one_hop", routes["one_hop"], lambda each: each.right_exchange, LEAST_RIGHT),
        _share("peel", routes["peel"], lambda each: each.right_exchange, LEAST_RIGHT),
        _share("mixer", routes["mixer"], lambda each: each.right_stop, 1.0),
        _share("none", [*none, *strange], lambda each: each.left_open, 1.0),
    ]
    named = [each for each in (*routes["one_hop"], *routes["peel"]) if each.right_exchange]
    stopped = [each for each in routes["mixer"] if each.right_stop]
    unhosted = [each for each in members if each.route == "unhosted"]
    return [
        *criterion("criterion.4", _WHAT["criterion.4"], parts),
        _share("withdrawal", named, lambda each: each.right_withdrawal, 0.0),
        _share("reason", stopped, lambda each: each.right_reason, 0.0),
        _share("unhosted", unhosted, lambda each: each.right_verdict, 0.0),
        _share("reached", others, lambda each: bool(each.said), 0.0),
    ]


def _share(name: str, payments: Iterable[_Payment], right: Callable[[_Payment], bool], at_least: float) -> Row:
    answers = [right(each) for each in payments]
    row_id = f"criterion.4.{name}"
    return rate(row_id, _WHAT[row_id], len(answers), answers.count(False), at_least=at_least)


def _payments(tables: Tables) -> tuple[list[_Payment], list[_Payment]]:
    """(payments to the market with what was said about each, what was said about anything else)."""
    said: defaultdict[tuple[str, str], set[_Said]] = defaultdict(set)
    for txid, vout, *answer in tables.rows(_ANSWERS):
        said[txid, vout].add(_Said(*answer))
    payments = [
        _Payment(route, stop, reason, member, frozenset(sources), frozenset(said.pop((txid, vout), ())))
        for txid, vout, route, stop, reason, member, sources in tables.rows(_PAYMENTS)
    ]
    strange = [
        _Payment("", "", "", member=False, sources=frozenset(), said=frozenset(answers)) for answers in said.values()
    ]
    return payments, strange
