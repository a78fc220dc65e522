"""Which scripts belong to services, so that no trace goes through one by default.

Value that leaves a service's wallet is other customers' money (METHODS.md 0). Comes in as arrays with a digest: what
stands behind them are assertions of tags or inferences of behaviour, made in other rooms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cointrail.attribution.propagation import inherited
from cointrail.cluster.forest.view import Forest

I64 = npt.NDArray[np.int64]

NO_SERVICE = -1


def _none() -> I64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """Scripts of services, by themselves or by their L1 cluster.

    Attributes:
        names: of the services.
        kinds: category of each, `exchange` and the like; empty if not known.
        scripts, script_service: int64 (n,), script_id ascending, and the number of its service.
        roots, root_service: int64 (m,), the same for roots of L1 clusters, all of whose scripts belong to the service.
        digest: SHA-256 of what says so, in hex; empty if there is nothing.
        since: when each was named so, seconds since 1970 UTC (the earliest day from which a tag of it holds, such as
            the day of a listing); None where no tag says.
        said: who says so, of each, in words; empty if not known.
        mixed: clusters that tags give to several services: none of them inherits anything (METHODS.md 7.4).
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    scripts: I64 = field(default_factory=_none)
    script_service: I64 = field(default_factory=_none)
    roots: I64 = field(default_factory=_none)
    root_service: I64 = field(default_factory=_none)
    digest: str = ""
    mixed: int = 0
    since: tuple[int | None, ...] = ()
    said: tuple[str, ...] = ()

    def of(self, forest: Forest | None, script_id: npt.ArrayLike) -> I64:
        """Number of the service of each script, int64 (n,), `NO_SERVICE` where there is none."""
        asked = np.asarray(script_id, np.int64).reshape(-1)
        found = _looked_up(self.scripts, self.script_service, asked)
        if forest is not None and len(self.roots):
            rest = np.flatnonzero(found == NO_SERVICE)
            found[rest] = _looked_up(self.roots, self.root_service, forest.roots(asked[rest]))
        return found


NONE = Services()


def services_of(
    forest: Forest,
    scripts: npt.ArrayLike,
    numbers: npt.ArrayLike,
    names: Sequence[str],
    *,
    kinds: Sequence[str] = (),
    definers: npt.ArrayLike | None = None,
    digest: str = "",
) -> Services:
    """Services of tagged scripts, and of the L1 clusters that a tag defines.

    Args:
        forest: the clusters at a snapshot.
        scripts: script_id of each tag; the first of a script is what that is called.
        numbers: of its service.
        names: of the services.
        kinds: category of each service.
        definers: whether a tag speaks for the whole L1 cluster; all do if not given.
        digest: of the tags.

    Method: METHODS.md 7.4.
    """
    tagged, service = np.asarray(scripts, np.int64), np.asarray(numbers, np.int64)
    speaks = np.ones(len(tagged), np.bool_) if definers is None else np.asarray(definers, np.bool_)
    own, first = np.unique(tagged, return_index=True)
    roots, root_service, mixed = inherited(forest.roots(tagged[speaks]), service[speaks])
    return Services(
        names=tuple(names),
        kinds=tuple(kinds) or ("",) * len(names),
        scripts=own,
        script_service=service[first],
        roots=roots,
        root_service=root_service,
        digest=digest,
        mixed=len(mixed),
    )


def _looked_up(keys: I64, values: I64, asked: I64) -> I64:
    found = np.full(len(asked), NO_SERVICE, np.int64)
    if len(keys):
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        known = keys[at] == asked
        found[known] = values[at[known]]
    return found
