"""Criterion 1 of the acceptance scenario: the market's cluster from one test payment, its wrong merge put right.

Each test purchase is followed by itself. The cluster of what it paid is asked for at level L1 with its merges in the
order of doubt; known are the services' tags and that the script paid is the market's. The first merge in that order
that alone joins the part with the payment to a part with a tag is excluded by an overlay, and the cluster is asked for
again. Reads the investigator's inputs and the ledger, nothing else (SCENARIO.md 5; METHODS.md 2.6).
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cointrail.bitcoin.hashes import parse_hash, script_hash
from cointrail.cluster.overlay.entries import Kind
from cointrail.ledger.reader import Reader
from cointrail.service import clusters, overlays
from cointrail.service.acceptance.packs import tagged_by
from cointrail.service.acceptance.purchases import Purchase, read_purchases
from cointrail.service.answers import SuspicionAnswer
from cointrail.service.clustering.levels import Level
from cointrail.service.names import find_script
from cointrail.service.results import write_csv

RANKED = 100
"""Merges of each ranking that are looked at, the most doubtful first."""

_LEVELS: tuple[Level, ...] = ("L1", "L2")
_MARKET = "test purchase"
_AUTHOR = "acceptance scenario"


def write_market(reader: Reader, inputs: Path, folder: Path) -> None:
    """Write `merges.csv`, each ranking before the exclusion, and `cluster.csv`, the clusters after it.

    Args:
        reader: the ledger at a snapshot.
        inputs: what the investigator got: `undercover.csv` and `tags/`.
        folder: for the result files.

    Raises:
        InputRefused: an input is missing, malformed, or contradicts the chain.
        Unavailable: the ledger has no clusters up to the snapshot.
    """
    tagged = tagged_by(inputs / "tags")
    merges: list[tuple[object, ...]] = []
    members: list[tuple[object, ...]] = []
    for purchase in read_purchases(reader, inputs / "undercover.csv"):
        ranking = _ranking(reader, purchase, tagged)
        wrong = wrong_merge(ranking, _MARKET)
        merges += _merges(purchase, ranking, wrong)
        members += _corrected(reader, purchase, wrong)
    write_csv(folder / "merges.csv", ("purchase_no", "txid", "rank", "reason", "excluded"), merges)
    write_csv(folder / "cluster.csv", ("purchase_no", "script_hash", "cluster_id", "level"), members)


def _ranking(reader: Reader, purchase: Purchase, tagged: Mapping[str, str]) -> tuple[SuspicionAnswer, ...]:
    known = {**tagged, purchase.paid: _MARKET}
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


def _merges(
    purchase: Purchase, ranking: Iterable[SuspicionAnswer], wrong: SuspicionAnswer | None
) -> Iterator[tuple[object, ...]]:
    for each in ranking:
        if each.txid is not None:
            excluded = "true" if each is wrong else "false"
            yield purchase.number, parse_hash(each.txid).hex(), each.rank, each.reason, excluded


def _corrected(reader: Reader, purchase: Purchase, wrong: SuspicionAnswer | None) -> Iterator[tuple[object, ...]]:
    """The members at every level with the wrong merge excluded, if there is one."""
    with tempfile.TemporaryDirectory(prefix="cointrail-overlay-") as temporary:
        path = None
        if wrong is not None and wrong.txid is not None:
            path = Path(temporary) / "overlay.json"
            overlays.new(path, name=f"test purchase {purchase.number}", author=_AUTHOR, reader=reader)
            overlays.add(path, Kind.EXCLUDE_TRANSACTION, [wrong.txid], author=_AUTHOR, reason=wrong.reason)
        for level in _LEVELS:
            answer = clusters.cluster(reader, purchase.paid, level=level, show=("members",), overlay=path)
            cluster_id = find_script(reader, answer.cluster_id)
            for member in answer.members:
                script = reader.script_pubkey(find_script(reader, member))
                yield purchase.number, script_hash(script).hex(), cluster_id, level
