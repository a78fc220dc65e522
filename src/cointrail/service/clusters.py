"""Which scripts are under common control with this one, what says so, and what speaks against it?"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.structure.suspicion import RULE as SUSPICION
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import ClusterAnswer, Rule
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.clustering import lists as views
from cointrail.service.clustering.cluster import SHOWN_MEMBERS, Cluster, rules_of
from cointrail.service.clustering.levels import GUARD, Level, lists_used, name_of_model, note_of
from cointrail.service.names import address_or_none, find_script, moment, snapshot_name

VIEWS = ("members", "transactions", "suppressed", "evolution", "bridges", "suspicious")
"""Lists that can be asked for; members are shown to some extent anyway."""


def cluster(
    reader: Reader,
    text: str,
    *,
    level: Level = "L1",
    show: Collection[str] = (),
    first: int = 0,
    limit: int | None = None,
    order: Literal["time", "size"] = "time",
    overlay: Path | None = None,
    tagged: TagSource | Resolved = None,
    model: Path | None = None,
) -> ClusterAnswer:
    """The cluster of an address.

    Args:
        reader: the ledger at a snapshot.
        text: an address, a public key in hex, or `script:HEX`.
        level: L1 (fact and co-spend), L2 (with voted change), L3 (with leads).
        show: lists to give, of `VIEWS`; without `members` the first 25 are named.
        first: number of the first row of each list.
        limit: most rows of each list, None for all.
        order: of the evolution.
        overlay: a file of corrections to apply.
        tagged: files of tags, the database, or actor by address: suspicious merges that part different actors come
            first, above L1 nothing joins scripts of different actors, and the answer says who is named inside.
        model: file of the change model that gives leads at L3; without one L3 shows what L2 shows.

    Raises:
        AddressError, NotFound: as for an address.
        UsageError: an unknown level or list, or one that this level or an overlay does not have; a model below L3, or
            an order that nothing asked for would use.
        InputRefused: the overlay, the model or a tagged address is refused.
        Unavailable: the ledger has no clusters up to the snapshot, or is damaged.
    """
    if unknown := sorted(set(show) - set(VIEWS)):
        raise UsageError(f"there is no list {unknown[0]} of a cluster", hint=f"choose among {', '.join(VIEWS)}")
    rules = _rules_of_tags(level, show)
    if order != "time" and "evolution" not in show:
        raise UsageError("an order by size is one of the evolution", hint="ask for the evolution, too")
    script_id = find_script(reader, text)
    found = Cluster(reader, script_id, level=level, overlay=overlay, model=model, tagged=tagged)
    page = views.Page(first, limit)
    brief = page if "members" in show or limit is not None else views.Page(first, SHOWN_MEMBERS)
    lists = views.lists_of(found, show, page, order=order)
    held, activity = found.evidence, found.activity
    first_tx, last_tx = found.first_and_last
    rule = held.rule
    by_hand = int(np.count_nonzero(rule == EdgeRule.BY_HAND))
    inferred = int(np.count_nonzero((rule > 0) & (rule < EdgeRule.BY_HAND)))
    return ClusterAnswer(
        address=address_or_none(reader, reader.script_pubkey(script_id)),
        cluster_id=found.name(int(found.scripts[0])),
        level=level,
        size=len(found.scripts),
        members=tuple(found.name(script) for script in brief.of(found.scripts).tolist()),
        first_seen=moment(reader, first_tx),
        last_seen=moment(reader, last_tx),
        received_sat=activity.received_sat,
        spent_sat=activity.spent_sat,
        balance_sat=activity.balance_sat,
        level_one_clusters=found.level_one_clusters,
        co_spends=len(held.co_spends),
        same_keys=int(np.count_nonzero(rule == 0)),
        inferences=inferred,
        assertions=by_hand,
        suppressed=len(held.suppressed),
        postmix_merges=len(held.postmix),
        forced_co_spends=len(held.forced),
        payjoin_suspects=len(held.suspects),
        evidence=views.shares(found),
        disputes=views.disputes(found),
        transactions=lists.transactions,
        suppressed_transactions=lists.suppressed,
        evolution=lists.evolution,
        aliases=lists.aliases,
        bridges=lists.bridges,
        suspicious=lists.suspicious,
        totals={"members": len(found.scripts)} | lists.totals,
        overlay=found.overlay_digest,
        model=name_of_model(found.model),
        guards=found.view.guards.parameters() if found.view else {},
        note="; ".join(_notes(found)),
        rules=tuple(Rule(*rule) for rule in rules_of(found)),
        snapshot=snapshot_name(reader),
        lists=lists_used(found.forest),
        basis="assertion" if by_hand else "inference",
        tagged=found.tags.used(rules, found.scripts) if found.tags else None,
    )


def _rules_of_tags(level: Level, show: Collection[str]) -> tuple[tuple[str, int], ...]:
    """The rules that read tagged addresses, of what is asked for."""
    return (*([SUSPICION] if "suspicious" in show else []), *([GUARD] if level != "L1" else []))


def _notes(found: Cluster) -> Iterator[str]:
    if lead := note_of(found.level, found.model):
        yield lead
    if found.is_conflicted:
        yield "scripts of one L1 cluster inside are attributed to different actors, so no inference extends it"
