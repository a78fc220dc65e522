"""The names of counterparties, a portion of rows at a time: addresses, cluster_ids, and what tags say."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.counterparties import Counterparties, Group
from cointrail.service.profiles.spelled import names
from cointrail.trace.services import NO_SERVICE, Services

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FEW: Final = 100  # clusters that are looked through one by one for their oldest script


@dataclass(frozen=True, slots=True)
class Page:
    """Rows `first` to `end` of counterparties.

    Attributes:
        kinds, names: of each row, what it stands for and how that is called.
        services: numbers of the services that tags name in it.
        same_cluster: whether some of it lies in an L1 cluster of the wallet's own scripts.
    """

    first: int
    end: int
    kinds: list[Group]
    names: list[str]
    services: list[tuple[int, ...]]
    same_cluster: list[bool]


def payments_of(rows: Counterparties, first: int, end: int) -> tuple[I64, I64]:
    """The payments that some rows sum: number of the row among these, and row of `rows.payments`; int64 (p,)."""
    begins, counts = rows.begin[first:end], rows.end[first:end] - rows.begin[first:end]
    owner = np.repeat(np.arange(len(counts)), counts)
    at = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner] + begins[owner]
    return owner, rows.order[at]


class Naming:
    """Gives rows their names.

    Args:
        reader: the ledger at a snapshot.
        forest: L1 at the same.
        services: who is said to be behind scripts.
        scripts: int64, the wallet's own.
    """

    def __init__(self, reader: Reader, forest: Forest, services: Services, scripts: I64) -> None:
        self.reader, self.forest, self.services = reader, forest, services
        self._own = np.unique(forest.roots(scripts))

    def page(self, rows: Counterparties, by: Group, first: int, end: int) -> Page:
        """Name some rows."""
        owner, payments = payments_of(rows, first, end)
        scripts, place = np.unique(rows.payments.script[payments].astype(np.int64), return_inverse=True)
        own = np.isin(self.forest.roots(scripts), self._own)
        same: Flags = np.zeros(end - first, np.bool_)
        same[owner[own[place]]] = True
        named = rows.named[first:end]
        kind = Group.SCRIPT if by is Group.SCRIPT else Group.CLUSTER
        return Page(
            first=first,
            end=end,
            kinds=[Group.ENTITY if each else kind for each in named.tolist()],
            names=self._names(rows.key[first:end], named, by),
            services=self._services(scripts, place, owner, end - first),
            same_cluster=same.tolist(),
        )

    def _names(self, keys: I64, named: Flags, by: Group) -> list[str]:
        oldest = keys.copy()
        if by is not Group.SCRIPT:
            oldest[~named] = self._oldest(keys[~named])
        found = [""] * len(oldest)
        for row in np.flatnonzero(named).tolist():
            found[row] = self.services.names[int(oldest[row])]
        rest = np.flatnonzero(~named)
        for row, name in zip(rest.tolist(), names(self.reader, oldest[rest]), strict=True):
            found[row] = name
        return found

    def _oldest(self, roots: I64) -> I64:
        """The smallest script_id of each cluster, by its root."""
        if len(roots) > _FEW:
            return self._partition[roots].astype(np.int64)
        return np.array([self.forest.members(root)[0].min() for root in roots.tolist()], np.int64)

    @cached_property
    def _partition(self) -> npt.NDArray[np.uint32]:
        return self.forest.partition()

    def _services(self, scripts: I64, place: I64, owner: I64, rows: int) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = [()] * rows
        if not self.services.names:
            return found
        number = self.services.of(self.forest, scripts)[place]
        known = number != NO_SERVICE
        pairs = np.unique(np.stack([owner[known], number[known]]), axis=1)
        for row, service in pairs.T.tolist():
            found[row] = (*found[row], service)
        return found
