"""Deposit addresses of services that tags name: one script, or all of them."""

from itertools import islice

import numpy as np

from cointrail.cluster import accuracy
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.search import DepositTable, deposits_of
from cointrail.service.answers import Rule
from cointrail.service.names import address_or_none, snapshot_name
from cointrail.service.roles.answers import DepositRow, DepositsAnswer, MeasuredRate
from cointrail.trace.finders import deposits
from cointrail.trace.finders.deposits import Deposit, Deposits, Standing
from cointrail.trace.services import Services

_RULE = Rule(deposits.RULE, deposits.VERSION)
_TWICE = "two sweeps or more"
_ONCE = {Standing.DEPOSIT: "one sweep, surely", Standing.LIKELY: "one sweep, likely"}
_MILLION = 1_000_000


def deposit_of(reader: Reader, forest: Forest, services: Services, script: int) -> DepositRow | None:
    """What is known of one script as a deposit address; None if it is none of these services'."""
    found = Deposits(reader, forest, services).of(script)
    return None if found is None else _row(reader, services, script, found)


def find_deposits(
    reader: Reader, services: Services, *, first: int = 0, limit: int | None = None, sure: bool = False
) -> DepositsAnswer:
    """All deposit addresses of services, each an inference apart from ownership.

    Args:
        reader: the ledger at a snapshot.
        services: whose.
        first: number of the first row.
        limit: most rows, None for all.
        sure: leave likely ones out.

    Raises:
        Unavailable: the ledger's clusters do not reach the snapshot, or it is damaged.
    """
    forest = Forest(reader)
    tables = [deposits_of(reader, forest, services, number) for number in range(len(services.names))]
    places = [(table, place) for table in tables for place in np.flatnonzero(table.sure | (not sure)).tolist()]
    page = islice(places, first, None if limit is None else first + limit)
    answer = DepositsAnswer(
        total=len(places),
        sure=sum(int(table.sure.sum()) for table in tables),
        by_service={
            services.names[table.service]: int((table.sure | (not sure)).sum()) for table in tables if len(table)
        },
        rows=tuple(_row(reader, services, int(table.scripts[at]), _deposit(table, at)) for table, at in page),
        tag_set_digest=services.digest,
        rules=(_RULE,),
        snapshot=snapshot_name(reader),
    )
    reader.check_current()
    return answer


def _deposit(table: DepositTable, at: int) -> Deposit:
    names = ("sweeps", "funders", "siblings", "payers", "dwell_seconds", "swept_ppm", "score_ppm")
    standing = Standing.DEPOSIT if table.sure[at] else Standing.LIKELY
    return Deposit(table.service, standing, **{name: int(getattr(table, name)[at]) for name in names})


def _row(reader: Reader, services: Services, script: int, found: Deposit) -> DepositRow:
    pubkey = reader.script_pubkey(script)
    name = services.names[found.service]
    by = f" by {services.said[found.service]}" if services.said else ""
    return DepositRow(
        address=address_or_none(reader, pubkey),
        script_pubkey=pubkey.hex(),
        service=name,
        category=services.kinds[found.service],
        statement=f"{found.standing} of a service attributed to {name}{by}",
        standing=str(found.standing),
        sweeps=found.sweeps,
        funders=found.funders,
        siblings=found.siblings,
        payers=found.payers,
        dwell_seconds=found.dwell_seconds,
        swept_ppm=found.swept_ppm,
        score_ppm=found.score_ppm,
        measured=_measured(found),
        rule=_RULE,
    )


def _measured(found: Deposit) -> MeasuredRate | None:
    stratum = _TWICE if found.sweeps >= deposits.LIMITS.min_sweeps else _ONCE[found.standing]
    row = accuracy.measured(deposits.RULE, deposits.VERSION, stratum)
    if row is None:
        return None
    return MeasuredRate(
        row.stratum, row.n, row.errors, None if row.upper_fdr is None else round(row.upper_fdr * _MILLION)
    )
