"""Which scripts belong to services, so that no trace goes through one by default.

Value that leaves a service's wallet is other customers' money (METHODS.md 0). Comes in as arrays with a digest: what
stands behind them are assertions of tags or inferences of behaviour, made in other rooms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.attribution.propagation import inherited
from cointrail.cluster.forest.view import Forest

I64 = npt.NDArray[np.int64]

NO_SERVICE = -1


def _none() -> I64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Sanction:
    """That tags say somebody is on a list of sanctions.

    Attributes:
        since: when the listing began, seconds since 1970 UTC: the earliest day that a tag which says so gives; None if
            none gives one.
        until: the first second when it was over, by the latest such day; None if any of them gives none: it may last.
        said: who says so, in words.
    """

    since: int | None
    until: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Inferred:
    """Services that a rule found beside the tags, which nobody names; plain values only.

    Attributes:
        count: services that behave like some; they are the last of all.
        left: clusters that behave so too and are left to the tags that name them.
        rule, version: what says so.
        model: SHA-256 of its weights, in hex.
    """

    count: int
    left: int
    rule: str
    version: int
    model: str


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """Scripts of services, by themselves or by their L1 cluster.

    Attributes:
        names: of the services.
        kinds: category of each, `exchange` and the like; empty if not known.
        scripts, script_service: int64 (n,), script_id ascending, and the number of its service.
        roots, root_service: int64 (m,), the same for roots of L1 clusters, all of whose scripts belong to the service.
        digest: SHA-256 of the tags that say so, in hex; empty if there are none.
        categories: all that tags say each is, in one spelling; of the strongest tag first. `kinds` has one of them.
        sanctions: of each; None if no tag says that it is sanctioned.
        said: who says so, of each, in words; empty if not known. Of one that is inferred, all that is said.
        mixed: clusters that tags give to several services: none of them inherits anything (METHODS.md 7.4).
        inferred: what was inferred beside the tags; None if nobody asked.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    scripts: I64 = field(default_factory=_none)
    script_service: I64 = field(default_factory=_none)
    roots: I64 = field(default_factory=_none)
    root_service: I64 = field(default_factory=_none)
    digest: str = ""
    mixed: int = 0
    categories: tuple[tuple[str, ...], ...] = ()
    sanctions: tuple[Sanction | None, ...] = ()
    said: tuple[str, ...] = ()
    inferred: Inferred | None = None

    @property
    def named(self) -> int:
        """How many are named by tags: the first of all."""
        return len(self.names) - (0 if self.inferred is None else self.inferred.count)

    def categories_of(self, number: int) -> tuple[str, ...]:
        """All that tags say a service is; nothing if none says anything."""
        if self.categories:
            return self.categories[number]
        return (self.kinds[number],) if self.kinds[number] else ()

    def sanction_of(self, number: int) -> Sanction | None:
        """What tags say of a service's sanctions."""
        return self.sanctions[number] if self.sanctions else None

    def only(self, kept: npt.NDArray[np.bool_]) -> "Services":
        """Those of `kept`, bool (services,), numbered anew; nothing may be inferred yet."""
        places = np.cumsum(kept) - 1
        scripts, roots = kept[self.script_service], kept[self.root_service]

        def chosen(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(each for each, keep in zip(values, kept.tolist(), strict=True) if keep) if values else ()

        return replace(
            self,
            names=chosen(self.names),
            kinds=chosen(self.kinds),
            categories=chosen(self.categories),
            sanctions=chosen(self.sanctions),
            said=chosen(self.said),
            scripts=self.scripts[scripts],
            script_service=places[self.script_service[scripts]],
            roots=self.roots[roots],
            root_service=places[self.root_service[roots]],
        )

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
