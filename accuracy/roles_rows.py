"""How often roles are right: deposit addresses, segments of services, and what behaves like a service.

Services are known by one tagged address each, as an investigator knows them; Bazaar is not. Truth is the simulator's
owner and role of every script (METHODS.md 7.1, 7.2, 10.5; docs/methods/deposit-address.md).
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from book import ALL, Book
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles import segments, service_like, stores
from cointrail.profile.roles.search import DepositTable, deposits_of, scripts_of
from cointrail.profile.roles.segments import Kind, Segment, segments_of
from cointrail.profile.roles.service_like import UNKNOWN, Likeness, ServiceModel, judge
from cointrail.profile.roles.stores import stores_of
from cointrail.trace.finders import deposits
from cointrail.trace.services import Services
from roles_learning import Units
from roles_truth import SERVICE_KINDS, Roles, change_only, tagged_services
from truth import I64, Truth
from worlds import World

TWICE, SURE, LIKELY = "two sweeps or more", "one sweep, surely", "one sweep, likely"
CUSTODIAL = SERVICE_KINDS | {"mixing_service"}
"""Categories of tags that say the same as those kinds."""

Confusion = Counter[tuple[str, str, str]]
"""How often, by (models, what is true, what was said)."""


@dataclass(slots=True)
class Matrices:
    """What was said of what is true, over the worlds of a run; `tenths` holds (units, services, sum of millionths)."""

    segments: Confusion = field(default_factory=Counter)
    transactions: Confusion = field(default_factory=Counter)
    likeness: Confusion = field(default_factory=Counter)
    tenths: dict[tuple[str, int], list[int]] = field(default_factory=dict)


def role_rows(book: Book, matrices: Matrices, world: World, reader: Reader, truth: Truth, roles: Roles) -> None:
    """Add deposit addresses and segments of one world."""
    forest = Forest(reader)
    services = tagged_services(world.folder, reader, forest)
    true = _segments(reader, truth, roles)
    for number in range(len(services.names)):
        own = scripts_of(forest, services, number)
        found = deposits_of(reader, forest, services, number)
        _deposits(book, world, (services, number), (own, found), (truth, true))
        if services.kinds[number] in CUSTODIAL:
            scripts = np.unique(np.concatenate([own, found.scripts]))
            _add_segments(book, matrices, (world, reader), scripts, (truth, true), services.names[number])
            _add_stores(book, (world, reader), own, (truth, true), services.names[number])


def like_rows(book: Book, matrices: Matrices, units: Units, model: ServiceModel) -> None:
    """Add what the score says of the units of one world."""
    models, said, service = units.world.models, judge(units.found, model), units.service
    for place, likeness in enumerate(Likeness):
        inside = said.likeness == place
        for kind in np.unique(units.kind[inside]).tolist():
            matrices.likeness[models, kind or "nobody's", likeness] += int((inside & (units.kind == kind)).sum())
    like = said.likeness == list(Likeness).index(Likeness.LIKE)
    unlike = said.likeness == list(Likeness).index(Likeness.UNLIKE)
    rule, version = service_like.RULE, service_like.VERSION
    book.add(
        rule, models, ALL, like.sum(), (like & ~service).sum(),
        version=version, found=(like & service).sum(), wanted=service.sum(),
    )  # fmt: skip
    book.add(
        rule, models, "does not", unlike.sum(), (unlike & service).sum(),
        version=version, found=(unlike & ~service).sum(), wanted=(~service).sum(),
    )  # fmt: skip
    asked = said.probability_ppm != UNKNOWN
    tenth = np.minimum(said.probability_ppm // 100_000, 9)
    for each in np.unique(tenth[asked]).tolist():
        inside = asked & (tenth == each)
        row = matrices.tenths.setdefault((models, each), [0, 0, 0])
        row[0] += int(inside.sum())
        row[1] += int((inside & service).sum())
        row[2] += int(said.probability_ppm[inside].sum())


def _segments(reader: Reader, truth: Truth, roles: Roles) -> np.ndarray:
    """What each script truly is for: the table's role; change where nothing else comes; invoices are deposits."""
    named = np.where(change_only(reader, truth) & (roles.role != "cold"), "change", roles.role)
    return np.where((roles.kind == "payment_processor") & (named == "receive"), "deposit", named)


def _deposits(
    book: Book,
    world: World,
    of: tuple[Services, int],
    said: tuple[I64, DepositTable],
    known: tuple[Truth, np.ndarray],
) -> None:
    services, number = of
    own, found = said
    truth, true = known
    name = services.names[number]
    entity = next(each for each, called in truth.names.items() if called == name)
    right = truth.entity[found.scripts] == entity
    strata = {
        TWICE: found.sweeps >= 2,
        SURE: found.sure & (found.sweeps < 2),
        LIKELY: ~found.sure,
    }
    meant = np.setdiff1d(np.flatnonzero((truth.entity == entity) & (true == "deposit")), own)
    caught = np.isin(meant, found.scripts[found.sure])
    custodial = services.kinds[number] in CUSTODIAL
    wanted = {ALL: (int(caught.sum()), len(meant))} if custodial else {ALL: (0, 0)}
    counted = {ALL: found.sure, **strata, f"service {name}": found.sure}
    wanted[f"service {name}"] = (int(caught.sum()), len(meant))
    for stratum, inside in counted.items():
        held, all_of_them = wanted.get(stratum, (0, 0))
        book.add(
            deposits.RULE, world.models, stratum, inside.sum(), (inside & ~right).sum(),
            version=deposits.VERSION, found=held, wanted=all_of_them,
        )  # fmt: skip


def _add_stores(book: Book, of: tuple[World, Reader], own: I64, known: tuple[Truth, np.ndarray], name: str) -> None:
    world, reader = of
    truth, true = known
    entity = next(each for each, called in truth.names.items() if called == name)
    meant = np.setdiff1d(np.flatnonzero((truth.entity == entity) & (true == "cold")), own)
    found = stores_of(reader, own).scripts
    right = np.isin(found, meant)
    book.add(
        stores.RULE, world.models, ALL, len(found), (~right).sum(),
        version=stores.VERSION, found=right.sum(), wanted=len(meant),
    )  # fmt: skip


def _add_segments(
    book: Book,
    matrices: Matrices,
    of: tuple[World, Reader],
    scripts: I64,
    known: tuple[Truth, np.ndarray],
    name: str,
) -> None:
    world, reader = of
    truth, true = known
    found, moved = segments_of(reader, scripts)
    strange = np.array([truth.names.get(each, "") != name for each in truth.entity[scripts].tolist()], np.bool_)
    role = np.where(strange, "another's", true[scripts])
    entity = next(each for each, called in truth.names.items() if called == name)
    every = true[truth.entity == entity]
    for segment in Segment:
        inside = found.segment == segment
        wrong = int((inside & (role != segment.words)).sum())
        if inside.any() or (every == segment.words).any():
            book.add(
                segments.RULE, world.models, segment.words, inside.sum(), wrong, version=segments.VERSION,
                found=int(inside.sum()) - wrong, wanted=int((every == segment.words).sum()),
            )  # fmt: skip
        if segment is Segment.DEPOSIT:
            book.add(
                segments.RULE, world.models, f"deposit, service {name}", inside.sum(), wrong,
                version=segments.VERSION, found=int(inside.sum()) - wrong, wanted=int((every == "deposit").sum()),
            )  # fmt: skip
        for each in np.unique(role[inside]).tolist():
            matrices.segments[world.models, each, segment.words] += int((inside & (role == each)).sum())
    right = sum(int((role[found.segment == each] == each.words).sum()) for each in Segment)
    book.add(segments.RULE, world.models, ALL, len(scripts), len(scripts) - right, version=segments.VERSION)
    for kind in Kind:
        told = truth.kind[moved.tx_index[moved.kind == kind]]
        for each, times in zip(*np.unique(told, return_counts=True), strict=True):
            matrices.transactions[world.models, str(each), kind.words] += int(times)
