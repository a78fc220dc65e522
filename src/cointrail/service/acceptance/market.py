"""Criterion 1 of the acceptance scenario: the market's cluster from one test payment, its wrong merge put right.

Each test purchase is followed by itself. The cluster of what it paid is asked for at level L1 with its merges in the
order of doubt; known are the services' tags and that the script paid is the market's. The first merge in that order
that alone joins the part with the payment to a part with a tag is excluded by an overlay, and the cluster is asked for
again. Reads the investigator's inputs and the ledger, nothing else (SCENARIO.md 5; METHODS.md 2.6).
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.attribution.claims import Stated
from cointrail.attribution.tag import Statement
from cointrail.bitcoin.hashes import parse_hash, script_hash
from cointrail.cluster.overlay.entries import Kind
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service import clusters, overlays
from cointrail.service.acceptance.purchases import Purchase, read_purchases
from cointrail.service.answers import SuspicionAnswer
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.resolved import resolve
from cointrail.service.clustering.cluster import Cluster
from cointrail.service.clustering.levels import Level
from cointrail.service.names import find_script
from cointrail.service.results import write_csv

I64 = npt.NDArray[np.int64]

RANKED = 100
"""Merges of each ranking that are looked at, the most doubtful first."""

_LEVELS: tuple[Level, ...] = ("L1", "L2")
_MARKET = "test purchase"
_NAME = "Bazaar"
_PURCHASES = "undercover.csv"
_AUTHOR = "acceptance scenario"


@dataclass(frozen=True, slots=True)
class Followed:
    """A test purchase, the merges of its cluster in the order of doubt, and which of them is taken for wrong."""

    purchase: Purchase
    ranking: tuple[SuspicionAnswer, ...]
    wrong: SuspicionAnswer | None


def packs(reader: Reader, inputs: Path) -> Resolved:
    """The tags of all packs of a case.

    Raises:
        InputRefused: there is no pack, or one is malformed.
    """
    paths = sorted((inputs / "tags").glob("*.yaml"))
    found = resolve(reader, paths) if paths else None
    if found is None:
        raise InputRefused(
            f"there is no tag pack in {inputs / 'tags'}", hint="give a complete world, made by `cointrail simulate`"
        )
    return found


def with_receipts(reader: Reader, inputs: Path, tags: Resolved) -> Resolved:
    """The same tags, and what the buyer of the test purchases says: that the scripts paid are the market's.

    Args:
        reader: the ledger at a snapshot.
        inputs: what the investigator got: `undercover.csv` is read.
        tags: of the services.

    Raises:
        InputRefused: as `follow_purchases`.
    """
    bought = Stated(Statement(_NAME, _PURCHASES, "manual_transaction", category="market"), _PURCHASES)
    for purchase in read_purchases(reader, inputs / _PURCHASES):
        tags = tags.with_tag(find_script(reader, purchase.paid), bought)
    return tags


def follow_purchases(reader: Reader, inputs: Path, tags: Resolved) -> tuple[Followed, ...]:
    """Look at the cluster of each test purchase.

    Args:
        reader: the ledger at a snapshot.
        inputs: what the investigator got: `undercover.csv` is read.
        tags: of the services.

    Raises:
        InputRefused: an input is missing, malformed, or contradicts the chain.
        Unavailable: the ledger has no clusters up to the snapshot.
    """
    found = []
    for purchase in read_purchases(reader, inputs / _PURCHASES):
        ranking = _ranking(reader, purchase, tags)
        found.append(Followed(purchase, ranking, wrong_merge(ranking, _MARKET)))
    return tuple(found)


def write_market(reader: Reader, followed: Sequence[Followed], folder: Path) -> None:
    """Write `merges.csv`, each ranking before the exclusion, and `cluster.csv`, the clusters after it.

    Args:
        reader: the ledger at a snapshot.
        followed: the test purchases.
        folder: for the result files.
    """
    merges = [row for each in followed for row in _merges(each)]
    members = [row for each in followed for row in _corrected(reader, each)]
    write_csv(folder / "merges.csv", ("purchase_no", "txid", "rank", "reason", "excluded"), merges)
    write_csv(folder / "cluster.csv", ("purchase_no", "script_hash", "cluster_id", "level"), members)


def market_scripts(reader: Reader, followed: Iterable[Followed]) -> I64:
    """The scripts of all test purchases' clusters at level L1, the wrong merges excluded; int64, ascending."""
    found: set[int] = set()
    for each in followed:
        with _overlay(reader, each) as path:
            found.update(Cluster(reader, find_script(reader, each.purchase.paid), overlay=path).scripts.tolist())
    return np.array(sorted(found), np.int64)


def _ranking(reader: Reader, purchase: Purchase, tags: Resolved) -> tuple[SuspicionAnswer, ...]:
    paid = Statement(_MARKET, _PURCHASES, "manual_transaction")
    known = tags.with_tag(find_script(reader, purchase.paid), Stated(paid, _PURCHASES))
    answer = clusters.cluster(reader, purchase.paid, show=("suspicious",), limit=RANKED, tagged=known)
    return answer.suspicious or ()


def wrong_merge(ranking: Iterable[SuspicionAnswer], actor: str) -> SuspicionAnswer | None:
    """The most doubtful merge of a transaction that alone holds an actor's part together with another actor's.

    Args:
        ranking: in the order of doubt.
        actor: who must lie in one part, without others, while another part names somebody else.
    """
    for each in ranking:
        holding = [part for part in each.actors if actor in part]
        others = [part for part in each.actors if part and actor not in part]
        if each.txid is not None and holding == [(actor,)] and others:
            return each
    return None


def _merges(followed: Followed) -> Iterator[tuple[object, ...]]:
    for each in followed.ranking:
        if each.txid is not None:
            excluded = "true" if each is followed.wrong else "false"
            yield followed.purchase.number, parse_hash(each.txid).hex(), each.rank, each.reason, excluded


@contextmanager
def _overlay(reader: Reader, followed: Followed) -> Iterator[Path | None]:
    """A file that excludes the wrong merge; None if there is none."""
    wrong = followed.wrong
    with tempfile.TemporaryDirectory(prefix="cointrail-overlay-") as temporary:
        if wrong is None or wrong.txid is None:
            yield None
            return
        path = Path(temporary) / "overlay.json"
        overlays.new(path, name=f"test purchase {followed.purchase.number}", author=_AUTHOR, reader=reader)
        overlays.add(path, Kind.EXCLUDE_TRANSACTION, [wrong.txid], author=_AUTHOR, reason=wrong.reason)
        yield path


def _corrected(reader: Reader, followed: Followed) -> Iterator[tuple[object, ...]]:
    """The members at every level with the wrong merge excluded, if there is one."""
    purchase = followed.purchase
    with _overlay(reader, followed) as path:
        for level in _LEVELS:
            answer = clusters.cluster(reader, purchase.paid, level=level, show=("members",), overlay=path)
            cluster_id = find_script(reader, answer.cluster_id)
            for member in answer.members:
                script = reader.script_pubkey(find_script(reader, member))
                yield purchase.number, script_hash(script).hex(), cluster_id, level
