"""What is this script, or its cluster, for? Segments, movements, deposit address, service-like behaviour."""

from itertools import islice

import numpy as np

from cointrail.cluster import accuracy
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles import behaviour, segments, service_like, stores
from cointrail.profile.roles.behaviour import Behaviour, clusters_behaviour, scripts_behaviour
from cointrail.profile.roles.segments import Kind, Movements, Segment, Segments, segments_of
from cointrail.profile.roles.service_like import UNKNOWN, Likeness, judge, shipped
from cointrail.profile.roles.stores import Stores, stores_of
from cointrail.service.answers import Rule
from cointrail.service.names import address_or_none, find_script, moment, snapshot_name, txid_of
from cointrail.service.roles.answers import (
    FeatureRow,
    MeasuredRate,
    MovementRow,
    RolesAnswer,
    SegmentRow,
    SegmentTotal,
    ServiceLikeAnswer,
    StoreRow,
)
from cointrail.service.roles.deposits import deposit_of
from cointrail.trace.finders import deposits
from cointrail.trace.services import NONE, Services

CLUSTER = "cluster:"
MILLION = 1_000_000


def roles_of(
    reader: Reader, text: str, services: Services = NONE, *, first: int = 0, limit: int | None = 25
) -> RolesAnswer:
    """The roles of an address, or with `cluster:` before it of its L1 cluster.

    Args:
        reader: the ledger at a snapshot.
        text: who is asked about.
        services: whose deposit address it may be.
        first: number of the first row of each list.
        limit: most rows of each list, None for all.

    Raises:
        AddressError: it is no address, or of another network.
        NotFound: not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot, or it is damaged.
    """
    forest = Forest(reader)
    script = find_script(reader, text.removeprefix(CLUSTER))
    whole = text.startswith(CLUSTER)
    scripts = np.sort(forest.members(script)[0]) if whole else np.array([script], np.int64)
    found, moved = segments_of(reader, scripts)
    how = clusters_behaviour(reader, forest, [script]) if whole else scripts_behaviour(reader, forest, [script])
    deposit = deposit_of(reader, forest, services, script)
    beside = stores_of(reader, scripts)
    rules = [Rule(each.RULE, each.VERSION) for each in (segments, stores, service_like, deposits)]
    answer = RolesAnswer(
        asked=text,
        scripts=len(scripts),
        totals=_totals(found),
        kinds={each.words: int((moved.kind == each).sum()) for each in Kind if (moved.kind == each).any()},
        segments=tuple(_segment(reader, found, place) for place in _page(len(found), first, limit)),
        movements=tuple(_movement(reader, moved, place) for place in _page(len(moved), first, limit)),
        stores=tuple(_store(reader, beside, place) for place in _page(len(beside), first, limit)),
        deposit=deposit,
        service_like=likeness_of(how),
        measured=measured(segments.RULE, segments.VERSION, None),
        rules=tuple(rules),
        snapshot=snapshot_name(reader),
    )
    reader.check_current()
    return answer


def likeness_of(found: Behaviour) -> ServiceLikeAnswer:
    """What the score says of one unit."""
    said = judge(found)
    probability = int(said.probability_ppm[0])
    known = probability != UNKNOWN
    likeness = said.likeness_of(0)
    columns = zip(behaviour.NAMES, found.values[0].tolist(), said.contributions[0].tolist(), strict=True)
    return ServiceLikeAnswer(
        likeness=str(likeness),
        statement=_statement(likeness, probability if known else None),
        probability_ppm=probability if known else None,
        score_micro=int(said.score[0]),
        start_micro=shipped().bias,
        transactions=int(found.transactions[0]),
        features=tuple(FeatureRow(name, behaviour.WORDS[name], value, adds) for name, value, adds in columns),
        measured=measured(service_like.RULE, service_like.VERSION, None),
        rule=Rule(service_like.RULE, service_like.VERSION),
    )


def measured(rule: str, version: int, stratum: str | None) -> MeasuredRate | None:
    """The rate that `make accuracy` measured on held-out wallets."""
    row = accuracy.measured(rule, version, stratum)
    if row is None:
        return None
    bound = None if row.upper_fdr is None else round(row.upper_fdr * MILLION)
    return MeasuredRate(row.stratum, row.n, row.errors, bound)


def _statement(likeness: Likeness, probability_ppm: int | None) -> str:
    if probability_ppm is None:
        return (
            f"abstain: fewer than {service_like.LEAST_TRANSACTIONS} transactions or {service_like.LEAST_PAYEES} payees"
        )
    return f"{likeness} ({service_like.probability_text(probability_ppm)}, measured on imitation economies)"


def _page(count: int, first: int, limit: int | None) -> list[int]:
    return list(islice(range(count), first, None if limit is None else first + limit))


def _totals(found: Segments) -> tuple[SegmentTotal, ...]:
    rows = []
    for each in Segment:
        inside = found.segment == each
        if inside.any():
            received, balance = int(found.received_sat[inside].sum()), int(found.balance_sat[inside].sum())
            rows.append(SegmentTotal(each.words, int(inside.sum()), received, balance))
    return tuple(rows)


def _segment(reader: Reader, found: Segments, place: int) -> SegmentRow:
    pubkey = reader.script_pubkey(int(found.scripts[place]))
    names = (
        "external", "gathered", "change", "gatherings", "payouts", "fan_out", "fan_out_most", "dwell_seconds",
        "received_sat", "balance_sat", "share_ppm", "idle_seconds",
    )  # fmt: skip
    numbers = {name: int(getattr(found, name)[place]) for name in names}
    segment = Segment(int(found.segment[place])).words
    return SegmentRow(address_or_none(reader, pubkey), pubkey.hex(), segment, **numbers)


def _store(reader: Reader, found: Stores, place: int) -> StoreRow:
    pubkey = reader.script_pubkey(int(found.scripts[place]))
    names = ("payments", "returns", "received_sat", "share_ppm", "idle_seconds")
    numbers = {name: int(getattr(found, name)[place]) for name in names}
    return StoreRow(address_or_none(reader, pubkey), pubkey.hex(), **numbers)


def _movement(reader: Reader, moved: Movements, place: int) -> MovementRow:
    tx_index = int(moved.tx_index[place])
    when = moment(reader, tx_index)
    return MovementRow(
        txid=txid_of(reader, tx_index),
        height=when.height,
        time_utc=when.time_utc,
        kind=Kind(int(moved.kind[place])).words,
        inputs=int(moved.inputs[place]),
        deposits=int(moved.deposits[place]),
        payees=int(moved.payees[place]),
    )
