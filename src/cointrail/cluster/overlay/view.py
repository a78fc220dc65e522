"""The clusters of level L1 under an overlay: only what it touches is joined anew, the rest is the ledger's own forest.

Touched are the clusters of the scripts that an entry names, that an excluded transaction spends, that a transaction
spends which a gate rule switched off had suppressed alone, or that a rule switched off had joined. Outside them the
overlay takes no link away and adds none, so the result is that of a whole rebuild; the tests hold the two equal.

A transaction that is excluded loses its co-spend. Same-key facts stay facts, whichever transaction completed them: to
doubt one, split a script or switch the rule off. An assertion by hand is believed even across a split.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.extend import CO_SPEND, SAME_KEY
from cointrail.cluster.forest.view import LEVEL, Forest
from cointrail.cluster.gate.kinds import VETO, Sign
from cointrail.cluster.overlay.components import components
from cointrail.cluster.overlay.effect import effect_of
from cointrail.cluster.overlay.entries import Overlay
from cointrail.cluster.overlay.spends import Links, joint_spends, owned_scripts
from cointrail.cluster.spans import I64, Span

U32 = npt.NDArray[np.uint32]
Basis = Literal["inference", "assertion"]

_MANY = 5_000  # clusters that are collected one by one; more are found by one pass over the forest


class OverlayView:
    """Clusters at a snapshot, corrected. It reads like a `Forest`; it has no merge log and no time before the snapshot.

    Args:
        forest: the ledger's clusters at a snapshot.
        overlay: the corrections.

    Attributes:
        forest, reader, overlay: what it was made of.
        effect: the overlay's subjects as rows of the ledger.
        rules: (rule, version) of everything that decides; those switched off are left out.
        touched: int64, the scripts whose clusters were joined anew, ascending.
        spends: int64, the transactions of several inputs that were looked at for that, ascending.

    Raises:
        InputRefused: the overlay is of another network.
        Unavailable: the ledger is damaged.

    Method: METHODS.md 2.1, 2.6, 3.2.
    """

    level = LEVEL

    def __init__(self, forest: Forest, overlay: Overlay) -> None:
        self.forest, self.reader, self.overlay = forest, forest.reader, overlay
        self.effect = effect_of(self.reader, overlay)
        self.transactions, self.lists = forest.transactions, forest.lists
        self.rules = tuple(rule for rule in forest.rules if rule[0] not in self.effect.rules_off)
        self.touched = self._find_touched()
        self.spends = np.empty(0, np.int64)
        links = self._links()
        ends = (np.searchsorted(self.touched, each) for each in (links.a, links.b))
        self._part = components(len(self.touched), *ends)
        self._by_part = np.argsort(self._part, kind="stable")
        self._sorted_parts = self._part[self._by_part]

    # Who is with whom.

    def check_script(self, script_id: int) -> None:
        """Raise `NotFound` for a script that is not in the snapshot."""
        self.forest.check_script(script_id)

    def root(self, script_id: int) -> int:
        """What names a script's cluster: its smallest script if it was joined anew, else the forest's root."""
        place = self._place(script_id)
        return self.forest.root(script_id) if place < 0 else int(self.touched[self._part[place]])

    def roots(self, scripts: npt.ArrayLike) -> I64:
        """The same of many scripts, int64 (n,)."""
        asked = np.asarray(scripts, np.int64).reshape(-1)
        place, inside = self._places(asked)
        found = np.empty(len(asked), np.int64)
        found[inside] = self.touched[self._part[place[inside]]]
        if not inside.all():
            found[~inside] = self.forest.roots(asked[~inside])
        return found

    def all_roots(self) -> U32:
        """The same of every script of the snapshot, uint32 (scripts,)."""
        found = self.forest.all_roots()
        found[self.touched] = self.touched[self._part]
        return found

    def partition(self) -> U32:
        """The cluster_id of every script, uint32 (scripts,): the smallest script_id of its cluster."""
        found = self.forest.partition()
        found[self.touched] = self.touched[self._part]
        return found

    def members(self, script_id: int, most: int | None = None) -> tuple[I64, I64]:
        """The cluster of a script, as `Forest.members` gives it; if it was joined anew, ascending, no merge (-1)."""
        place = self._place(script_id)
        if place < 0:
            return self.forest.members(script_id, most)
        low, high = np.searchsorted(self._sorted_parts, self._part[place] + np.arange(2)).tolist()
        scripts = self.touched[self._by_part[low : high if most is None else min(high, low + most)]]
        return scripts, np.full(len(scripts), -1, np.int64)

    def size(self, root: int) -> int:
        """How many scripts a cluster has."""
        place = self._place(root)
        if place < 0:
            return self.forest.size(root)
        low, high = np.searchsorted(self._sorted_parts, self._part[place] + np.arange(2)).tolist()
        return int(high - low)

    def basis(self, script_id: int) -> Basis:
        """What a script's cluster rests on: an assertion if a merge by hand is inside, else inferences."""
        return "assertion" if len(self.assertions(script_id)) else "inference"

    def assertions(self, script_id: int) -> I64:
        """The merges by hand inside a script's cluster, int64 (m, 2), script_ids."""
        merges = self.effect.merges
        inside: I64 = merges[self.roots(merges[:, 0]) == self.root(script_id)]
        return inside

    # What is believed.

    def signs(self, tx_index: npt.ArrayLike) -> U32:
        """What forbids to believe the co-spend of transactions, 0 for all others; uint32, same shape.

        Signs of rules switched off are taken out; an excluded transaction counts as listed.
        """
        asked = np.asarray(tx_index, np.int64)
        found: U32 = np.asarray(self.forest.signs(asked) & np.uint32(~int(self.effect.signs_off) & 0xFFFFFFFF))
        found[(found & np.uint32(VETO)) == 0] = 0
        found[np.isin(asked, self.effect.excluded)] |= np.uint32(Sign.LISTED)
        return found

    def sign(self, tx_index: int) -> Sign:
        """The same of one transaction."""
        return Sign(int(self.signs(np.array([tx_index]))[0]))

    def believed(self, tx_index: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """True for transactions whose co-spend, if they have one, is believed; bool, same shape."""
        if self._is_off(CO_SPEND):
            return np.zeros(np.shape(tx_index), np.bool_)
        believed: npt.NDArray[np.bool_] = (self.signs(tx_index) & np.uint32(VETO)) == 0
        return believed

    def same_keys_of(self, tx_index: int) -> list[tuple[int, int, int]]:
        """The facts that a transaction completes and that are believed: (script_a, script_b, kind)."""
        if self._is_off(SAME_KEY):
            return []
        rows = self.forest.same_keys_of(tx_index)
        sides = self.effect.sides(np.array([row[:2] for row in rows], np.int64).reshape(-1, 2))
        return [row for row, side in zip(rows, sides.tolist(), strict=True) if side[0] == side[1]]

    # Joining anew.

    def _is_off(self, rule: tuple[str, int]) -> bool:
        return rule[0] in self.effect.rules_off

    def _place(self, script_id: int) -> int:
        """Where a script stands among the touched ones, -1 if it does not."""
        place = int(np.searchsorted(self.touched, script_id))
        return place if place < len(self.touched) and int(self.touched[place]) == script_id else -1

    def _places(self, scripts: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Where scripts stand among the touched ones, and which of them do."""
        place = np.searchsorted(self.touched, scripts)
        inside = place < len(self.touched)
        inside[inside] = self.touched[place[inside]] == scripts[inside]
        return place, inside

    def _find_touched(self) -> I64:
        seeds = self._seeds()
        if self._is_off(CO_SPEND):
            root_of = self.forest.all_roots()
            joined = np.bincount(root_of)[root_of] > 1
            return np.asarray(np.union1d(np.flatnonzero(joined), seeds), np.int64)
        roots = np.unique(self.forest.roots(seeds)) if len(seeds) else seeds
        if len(roots) > _MANY:
            wanted = np.zeros(self.reader.counts.script, np.bool_)
            wanted[roots] = True
            return np.asarray(np.flatnonzero(wanted[self.forest.all_roots()]), np.int64)
        found = [self.forest.members(int(root))[0] for root in roots]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def _seeds(self) -> I64:
        """Scripts of every cluster that the overlay may change, int64."""
        found = [self.effect.split, self.effect.merges.reshape(-1)]
        if self._is_off(SAME_KEY):
            found += [np.unique(self.reader.column("same_key", name)) for name in ("script_a", "script_b")]
        changed = np.concatenate((self._released(), self._withdrawn()))
        scripts = owned_scripts(self.reader, changed)
        several = np.bincount(scripts.owner, minlength=len(changed)) > 1
        found.append(scripts.row[several[scripts.owner]])
        return np.unique(np.concatenate([each.astype(np.int64) for each in found]))

    def _withdrawn(self) -> I64:
        """The excluded transactions whose co-spend the forest believes."""
        believed: I64 = self.effect.excluded[(self.forest.signs(self.effect.excluded) & np.uint32(VETO)) == 0]
        return believed

    def _released(self) -> I64:
        """The transactions that only rules switched off had suppressed, and no entry excludes."""
        if not self.effect.signs_off:
            return np.empty(0, np.int64)
        left = self.reader.column("collaborative", "signs") & np.uint32(VETO & ~self.effect.signs_off)
        rows = self.reader.column("collaborative", "tx_index")[left == 0].astype(np.int64)
        return np.setdiff1d(rows, self.effect.excluded)

    def _links(self) -> Links:
        """Every pair of touched scripts that is believed to go together."""
        pairs = [Links(self.effect.merges[:, 0], self.effect.merges[:, 1])]
        if not self._is_off(SAME_KEY):
            pairs.append(self._apart(self._same_keys()))
        if not self._is_off(CO_SPEND):
            pairs.append(self._co_spends())
        return Links(*(np.concatenate(each) for each in zip(*pairs, strict=True)))

    def _same_keys(self) -> Links:
        """The facts about touched scripts."""
        a, b = (self.reader.column("same_key", name) for name in ("script_a", "script_b"))
        rows = np.flatnonzero(np.isin(a, self.touched.astype(np.uint32)))
        return Links(a[rows].astype(np.int64), b[rows].astype(np.int64))

    def _apart(self, links: Links) -> Links:
        """The links whose ends no split parts."""
        together = self.effect.sides(links.a) == self.effect.sides(links.b)
        return Links(links.a[together], links.b[together])

    def _co_spends(self) -> Links:
        """The believed co-spends of touched scripts: in each, each script with the next one on its side."""
        if not len(self.touched):
            return Links(self.touched, self.touched)
        self.spends = joint_spends(self.reader, self.touched)
        scripts = owned_scripts(self.reader, self.spends[self.believed(self.spends)])
        # A touched script may lie in an input that the owner filter drops, beside a co-spend that is none of its own.
        _, inside = self._places(scripts.row)
        scripts = Span(scripts.owner[inside], scripts.row[inside])
        side = self.effect.sides(scripts.row)
        order = np.lexsort((scripts.row, side, scripts.owner))
        owner, row, side = scripts.owner[order], scripts.row[order], side[order]
        together = (owner[1:] == owner[:-1]) & (side[1:] == side[:-1])
        return Links(row[:-1][together], row[1:][together])
