"""Who may be behind an address or wallet: what tags claim, and what structure and behaviour say beside it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.answers import SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.identity import Identity, StructuralClaim, identity
from cointrail.service.attribution.resolved import resolve
from cointrail.service.names import name_of, snapshot_name
from cointrail.service.profiles.profile import ProfileAnswer
from cointrail.service.roles.answers import RolesAnswer
from cointrail.service.roles.observations import observations_of
from cointrail.service.roles.roles import roles_of
from cointrail.service.tracing.found import wallet_of
from cointrail.service.tracing.seeds import CLUSTER
from cointrail.service.tracing.services import find_services
from cointrail.trace.services import NONE

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Sums of a wallet, and who may be behind it; `who` is None if facts alone were asked for."""

    profile: ProfileAnswer
    who: "WhoAnswer | None"


@dataclass(frozen=True, slots=True)
class WhoAnswer:
    """Who may be behind a wallet: `identity` is None if no tag set was asked, and `roles` are what behaviour says."""

    wallet: str
    scripts: int
    cluster_scripts: int
    identity: Identity | None
    roles: RolesAnswer
    snapshot: SnapshotName


def who(reader: Reader, wallet: str, tags: TagSource = None, *, overlay: Path | None = None) -> WhoAnswer:
    """Ask who may be behind an address, or `cluster:ADDRESS`.

    Args:
        reader: the ledger at a snapshot.
        wallet: who is asked about.
        tags: files of tags, or the database.
        overlay: a file of corrections, applied to the cluster.

    Raises:
        UsageError: an overlay is given for an address alone.
        InputRefused, NotFound: the address or a file is none, or the address is not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot, or the database cannot be used.
    """
    asked = wallet_of(reader, wallet, overlay)
    members = asked.scripts
    if not wallet.startswith(CLUSTER):
        members = np.sort(Forest(reader).members(int(asked.scripts[0]))[0])
    found = resolve(reader, tags, members)
    services = NONE if found is None else find_services(reader, tags)[0]
    roles = roles_of(reader, wallet, services)
    whole = roles if wallet.startswith(CLUSTER) else roles_of(reader, f"{CLUSTER}{wallet}", limit=0)
    return WhoAnswer(
        wallet=wallet,
        scripts=len(asked.scripts),
        cluster_scripts=len(members),
        identity=None if found is None else _identity(reader, found, asked.scripts, members, roles, whole),
        roles=roles,
        snapshot=snapshot_name(reader),
    )


def _identity(
    reader: Reader, tags: Resolved, scripts: I64, members: I64, roles: RolesAnswer, whole: RolesAnswer
) -> Identity:
    segments = _segments(reader, scripts, roles) if len(scripts) == 1 else ()
    seen = observations_of(whole.service_like)
    return identity(reader, tags, scripts, members, observations=seen, segments=segments)


def _segments(reader: Reader, scripts: I64, roles: RolesAnswer) -> tuple[StructuralClaim, ...]:
    """The address's part in its wallet, and in a service whose deposit address it is."""
    asked = name_of(reader, int(scripts[0]))
    claims = [
        StructuralClaim(asked, each.segment, "segment", f"{each.segment}, by how it is paid and spent", (rule,))
        for each in roles.segments
        for rule in roles.rules[:1]
    ]
    if deposit := roles.deposit:
        claims.append(StructuralClaim(asked, deposit.service, "segment", deposit.statement, (deposit.rule,)))
    return tuple(claims)
