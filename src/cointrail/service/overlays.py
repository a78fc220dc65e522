"""Overlays: the corrections of a case as a file, and what they change in a ledger's clusters."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cointrail.bitcoin.network import network_named
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.overlay import file
from cointrail.cluster.overlay.compare import Clusters, Differences, Part, differences
from cointrail.cluster.overlay.document import checked_text, make_entry, spelled
from cointrail.cluster.overlay.effect import check_network
from cointrail.cluster.overlay.entries import Kind, MadeAt, Overlay
from cointrail.cluster.overlay.view import OverlayView
from cointrail.errors import Unavailable, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, ListUsed, Rule, SnapshotName
from cointrail.service.names import find_script, snapshot_name, utc

ASSERTION: Literal["assertion"] = "assertion"
ClusterBasis = Literal["inference", "assertion"]

SHOWN_CLUSTERS = 100
"""Clusters and parts of one group that an answer names, the largest first."""


@dataclass(frozen=True, slots=True)
class OverlayName:
    """Which corrections an answer rests on: the digest names what they say."""

    name: str
    digest: str
    entries: int


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """One correction: its kind, what it is about, who says so, why and when."""

    number: int
    kind: str
    subjects: tuple[str, ...]
    author: str
    reason: str
    at_utc: str


@dataclass(frozen=True, slots=True)
class MadeAtAnswer:
    """The snapshot that the author of an overlay looked at. It informs and decides nothing."""

    height: int
    block_hash: str
    digest: str


@dataclass(frozen=True, slots=True)
class OverlayAnswer:
    """An overlay file. Everything in it is somebody's statement."""

    file: str
    name: str
    digest: str
    network: str
    author: str
    created_utc: str
    made_at: MadeAtAnswer | None
    entries: tuple[EntryAnswer, ...]
    basis: Literal["assertion"] = ASSERTION


@dataclass(frozen=True, slots=True)
class ClusterSize:
    """A cluster by its id, and how many scripts it has. `basis` is `assertion` if a merge by hand is inside."""

    cluster_id: str
    size: int
    basis: ClusterBasis


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """Scripts that go together both before and after: how many, one of them, and the cluster each time."""

    size: int
    script: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DifferenceAnswer:
    """Clusters that were cut differently, no more of them than hang together.

    `clusters_before`, `clusters_after` and `parts_total` count all; `before`, `after` and `parts` name the largest.
    """

    scripts: int
    clusters_before: int
    clusters_after: int
    parts_total: int
    before: tuple[ClusterSize, ...]
    after: tuple[ClusterSize, ...]
    parts: tuple[PartAnswer, ...]


@dataclass(frozen=True, slots=True)
class AddressChange:
    """The cluster of one address before and after, how many scripts stay in it, leave it and come to it."""

    address: str
    before: ClusterSize
    after: ClusterSize
    stay: int
    leave: int
    come: int


@dataclass(frozen=True, slots=True)
class OverlayEffect:
    """What an overlay changes in the clusters of level L1.

    `touched` counts the scripts that were clustered anew, `scripts` those whose cluster differs, `total` the groups
    they make, of which `differences` may be a page. `absent` names what the snapshot does not hold, by entry. `lists`
    are those in force when the ledger's clusters were built.
    """

    overlay: OverlayName
    level: str
    touched: int
    scripts: int
    clusters_before: int
    clusters_after: int
    total: int
    differences: tuple[DifferenceAnswer, ...]
    address: AddressChange | None
    absent: tuple[str, ...]
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Literal["assertion"] = ASSERTION
    lists: tuple[ListUsed, ...] = ()


@dataclass(frozen=True, slots=True)
class OverlayComparison:
    """Where two overlays disagree about clusters of level L1: `before` is as the first has it, `after` as the second.

    `scripts` counts those whose cluster differs, `total` the groups they make, of which `differences` may be a page.
    `lists` are those in force when the ledger's clusters were built.
    """

    first: OverlayName
    second: OverlayName
    level: str
    scripts: int
    clusters_first: int
    clusters_second: int
    total: int
    differences: tuple[DifferenceAnswer, ...]
    absent_first: tuple[str, ...]
    absent_second: tuple[str, ...]
    rules_first: tuple[Rule, ...]
    rules_second: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Literal["assertion"] = ASSERTION
    lists: tuple[ListUsed, ...] = ()


# Files.


def new(
    path: Path, *, name: str, author: str, network: str | None = None, reader: Reader | None = None
) -> OverlayAnswer:
    """Make an overlay file without entries.

    Args:
        path: of the file; must not exist.
        name: what people call it.
        author: who begins it.
        network: the network of the ledgers it is for; that of the reader if not given.
        reader: the snapshot its author looks at, noted in the file.

    Raises:
        UsageError: the file exists, or there is no network or no such network.
        InputRefused: a text is empty, too long or not printable, or the ledger is of another network.
        Unavailable: there is no such folder, or the disk refuses.
    """
    if network is None and reader is None:
        raise UsageError("no network was named", hint="give --network, or --ledger to take the ledger's")
    stated = network_named(network).name if network is not None else ""
    made_at = None
    if reader is not None:
        stated = stated or reader.snapshot.network
        check_network(reader, stated, name)
        made_at = MadeAt(reader.height, reader.snapshot.block_hash, reader.snapshot.digest)
    overlay = Overlay(checked_text(name, "name"), stated, checked_text(author, "author"), _now(), made_at)
    _check_folder(path)
    file.create(path, overlay)
    return _shown(path, overlay)


def add(path: Path, kind: Kind, subjects: Sequence[str], *, author: str, reason: str) -> OverlayAnswer:
    """Add an entry to an overlay file.

    Args:
        path: of the file.
        kind: what the entry does.
        subjects: a txid; a rule; scripts; or two scripts. A script is an address, a public key in hex or `script:HEX`.
        author: who says so.
        reason: why.

    Raises:
        InputRefused: the file is no overlay, or the entry is not one.
        UsageError: somebody else changed the file meanwhile.
        Unavailable: the disk refuses; the file is as it was.
    """

    def with_more(overlay: Overlay) -> Overlay:
        entry = make_entry(kind, subjects, overlay.network, author=author, reason=reason, at_utc=_now())
        return overlay.with_entry(entry)

    return _shown(path, file.update(path, with_more))


def show(path: Path) -> OverlayAnswer:
    """What an overlay file says.

    Raises:
        InputRefused: it is no overlay.
    """
    return _shown(path, file.read(path))


# On a ledger.


def open_view(reader: Reader, path: Path) -> OverlayView:
    """The clusters of a snapshot under an overlay file.

    Args:
        reader: the ledger at a snapshot.
        path: of the overlay file.

    Raises:
        InputRefused: it is no overlay, or one of another network.
        Unavailable: the ledger has no clusters up to the snapshot, or is damaged.
    """
    return OverlayView(Forest(reader), file.read(path))


def apply(
    reader: Reader, path: Path, text: str | None = None, *, first: int = 0, limit: int | None = None
) -> OverlayEffect:
    """What an overlay changes, with a page of the groups of clusters that it cuts differently.

    Args:
        reader: the ledger at a snapshot.
        path: of the overlay file.
        text: an address whose cluster is asked for besides, a public key in hex, or `script:HEX`.
        first: number of the first group shown; large ones come first.
        limit: most groups shown, None for all.

    Raises:
        AddressError, NotFound: as for an address.
        InputRefused, Unavailable: as `open_view`.
    """
    view = open_view(reader, path)
    found = differences(view.touched, view.forest, view)
    return OverlayEffect(
        overlay=overlay_name(view.overlay),
        level=view.level,
        touched=len(view.touched),
        scripts=found.scripts,
        clusters_before=found.clusters[0],
        clusters_after=found.clusters[1],
        total=found.groups,
        differences=_page(found, view.forest, view, first, limit),
        address=None if text is None else _address(view, text),
        absent=_absent(view),
        rules=_rules(view),
        snapshot=snapshot_name(reader),
        lists=_lists(view),
    )


def compare(reader: Reader, path: Path, other: Path, *, first: int = 0, limit: int | None = None) -> OverlayComparison:
    """Where two overlays disagree, with a page of the groups of clusters.

    Args:
        reader: the ledger at a snapshot.
        path: of one overlay file.
        other: of the other.
        first: number of the first group shown; large ones come first.
        limit: most groups shown, None for all.

    Raises:
        InputRefused, Unavailable: as `open_view`.
    """
    one, two = open_view(reader, path), open_view(reader, other)
    found = differences(np.union1d(one.touched, two.touched), one, two)
    return OverlayComparison(
        first=overlay_name(one.overlay),
        second=overlay_name(two.overlay),
        level=one.level,
        scripts=found.scripts,
        clusters_first=found.clusters[0],
        clusters_second=found.clusters[1],
        total=found.groups,
        differences=_page(found, one, two, first, limit),
        absent_first=_absent(one),
        absent_second=_absent(two),
        rules_first=_rules(one),
        rules_second=_rules(two),
        snapshot=snapshot_name(reader),
        lists=_lists(one),
    )


def overlay_name(overlay: Overlay) -> OverlayName:
    """An overlay as answers name it."""
    return OverlayName(overlay.name, overlay.digest, len(overlay.entries))


def _check_folder(path: Path) -> None:
    with suppress(OSError, ValueError):  # what cannot be looked at is left to the disk's own words
        if not path.parent.is_dir():
            raise Unavailable(
                f"cannot write {path}: there is no folder {path.parent}",
                hint="make the folder first, or name a file in one that exists",
            )


def _now() -> str:
    return utc(int(time.time()))


def _shown(path: Path, overlay: Overlay) -> OverlayAnswer:
    return OverlayAnswer(
        file=str(path),
        name=overlay.name,
        digest=overlay.digest,
        network=overlay.network,
        author=overlay.author,
        created_utc=overlay.created_utc,
        made_at=MadeAtAnswer(**asdict(overlay.made_at)) if overlay.made_at else None,
        entries=tuple(
            EntryAnswer(number, str(each.kind), each.subjects, each.author, each.reason, each.at_utc)
            for number, each in enumerate(overlay.entries)
        ),
    )


def _rules(view: OverlayView) -> tuple[Rule, ...]:
    return tuple(Rule(rule, version) for rule, version in view.rules)


def _lists(view: OverlayView) -> tuple[ListUsed, ...]:
    return tuple(ListUsed(each.name, each.sha256) for each in view.lists)


def _absent(view: OverlayView) -> tuple[str, ...]:
    return tuple(f"entry {number}: {subject}" for number, subject in view.effect.absent)


def _name(reader: Reader, script_id: int) -> str:
    return spelled(reader.script_pubkey(script_id), reader.snapshot.network)


def _basis(clusters: Clusters, script_id: int) -> ClusterBasis:
    return clusters.basis(script_id) if isinstance(clusters, OverlayView) else INFERENCE


def _address(view: OverlayView, text: str) -> AddressChange:
    script_id = find_script(view.reader, text)
    before, after = (np.sort(each.members(script_id)[0]) for each in (view.forest, view))
    stay = len(np.intersect1d(before, after, assume_unique=True))
    return AddressChange(
        address=_name(view.reader, script_id),
        before=ClusterSize(_name(view.reader, int(before[0])), len(before), INFERENCE),
        after=ClusterSize(_name(view.reader, int(after[0])), len(after), view.basis(script_id)),
        stay=stay,
        leave=len(before) - stay,
        come=len(after) - stay,
    )


def _page(
    found: Differences, one: Clusters, other: OverlayView, first: int, limit: int | None
) -> tuple[DifferenceAnswer, ...]:
    end = found.groups if limit is None else min(found.groups, first + limit)
    return tuple(_difference(found.parts(group), one, other) for group in range(first, end))


def _difference(parts: tuple[Part, ...], one: Clusters, other: OverlayView) -> DifferenceAnswer:
    reader = other.reader
    before, after = Counter[int](), Counter[int]()
    for part in parts:
        before[part.before] += part.size
        after[part.after] += part.size

    def largest(sizes: Counter[int], clusters: Clusters) -> tuple[ClusterSize, ...]:
        ordered = sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN_CLUSTERS]
        return tuple(ClusterSize(_name(reader, each), size, _basis(clusters, each)) for each, size in ordered)

    return DifferenceAnswer(
        scripts=sum(part.size for part in parts),
        clusters_before=len(before),
        clusters_after=len(after),
        parts_total=len(parts),
        before=largest(before, one),
        after=largest(after, other),
        parts=tuple(
            PartAnswer(part.size, *(_name(reader, each) for each in (part.smallest, part.before, part.after)))
            for part in parts[:SHOWN_CLUSTERS]
        ),
    )
