"""Criterion 1 of the acceptance scenario: the market's cluster from one test payment, its wrong merge put right.

Each test purchase is followed by itself. The cluster of what it paid is asked for at level L1 with its merges in the
order of doubt; known are the services' tags and that the script paid is the market's. The first merge in that order
that alone joins the part with the payment to a part with a tag is excluded by an overlay, and the cluster is asked for
again. Reads the investigator's inputs and the ledger, nothing else (SCENARIO.md 5; METHODS.md 2.6).
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.hashes import parse_hash, script_hash
from cointrail.cluster.overlay.entries import Kind
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service import clusters, overlays
from cointrail.service.acceptance.purchases import Purchase, read_purchases
from cointrail.service.answers import SuspicionAnswer
from cointrail.service.clustering.cluster import Cluster
from cointrail.service.clustering.levels import Level
from cointrail.service.names import find_script
from cointrail.service.results import write_csv
from cointrail.service.tag_files import TagFile, read_tags

I64 = npt.NDArray[np.int64]

RANKED = 100
"""Merges of each ranking that are looked at, the most doubtful first."""

SURE = "service_data"
"""Confidence of tags whose makers dealt with the services themselves; no other decides anything here."""

_LEVELS: tuple[Level, ...] = ("L1", "L2")
_MARKET = "test purchase"
_AUTHOR = "acceptance scenario"


@dataclass(frozen=True, slots=True)
class Followed:
    """A test purchase, the merges of its cluster in the order of doubt, and which of them is taken for wrong."""

    purchase: Purchase
    ranking: tuple[SuspicionAnswer, ...]
    wrong: SuspicionAnswer | None


def packs(inputs: Path) -> TagFile:
    """The tags of all packs of a case, as one file.

    Raises:
        InputRefused: there is no pack, one is malformed, or two sure tags give one address to two actors.
    """
    paths = sorted((inputs / "tags").glob("*.yaml"))
    if not paths:
        raise InputRefused(
            f"there is no tag pack in {inputs / 'tags'}", hint="give a complete world, made by `cointrail simulate`"
        )
    files = [read_tags(path) for path in paths]
    digest = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
    return TagFile(" + ".join(file.name for file in files), digest, tuple(tag for file in files for tag in file.tags))


def tagged_by(tags: TagFile) -> dict[str, str]:
    """The actor of each address with a sure tag."""
    found: dict[str, str] = {}
    for tag in tags.tags:
        if tag.confidence == SURE and found.setdefault(tag.address, tag.actor) != tag.actor:
            raise InputRefused(f"{tags.name} gives {tag.address} a second actor", hint="decide which one holds")
    return found


def follow_purchases(reader: Reader, inputs: Path, tags: TagFile) -> tuple[Followed, ...]:
    """Look at the cluster of each test purchase.

    Args:
        reader: the ledger at a snapshot.
        inputs: what the investigator got: `undercover.csv` is read.
        tags: of the services.

    Raises:
        InputRefused: an input is missing, malformed, or contradicts the chain.
        Unavailable: the ledger has no clusters up to the snapshot.
    """
    tagged, found = tagged_by(tags), []
    for purchase in read_purchases(reader, inputs / "undercover.csv"):
        ranking = _ranking(reader, purchase, tagged)
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
