"""The order of items in each column, so that few stretches cross.

Sweeps of the barycentre method (Sugiyama, Tagawa, Toda 1981), forth and back; the order with the fewest crossings is
kept. Integers throughout and ties by the order before, so the result is the same everywhere.
"""

from collections import defaultdict
from itertools import pairwise

from cointrail.reports.drawing.lanes import Lanes

_SWEEPS = 12
_SCALE = 1 << 20


def ordered(lanes: Lanes) -> list[list[int]]:
    """Numbers of items, column by column, from above."""
    before, after = _neighbours(lanes)
    columns: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(lanes.items):
        columns[item.column].append(number)
    current = [columns[column] for column in range(max(columns, default=-1) + 1)]
    best, fewest = current, _crossings(current, after)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        current = _swept(current, before if forth else after, forth=forth)
        crossings = _crossings(current, after)
        if crossings < fewest:
            best, fewest = current, crossings
    # What is joined to nothing stands below what is.
    return [sorted(column, key=lambda item: not (before[item] or after[item])) for column in best]


def _neighbours(lanes: Lanes) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    before, after = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for stretch in lanes.stretches:
        before[stretch.right].append(stretch.left)
        after[stretch.left].append(stretch.right)
    return before, after


def _swept(columns: list[list[int]], beside: dict[int, list[int]], *, forth: bool) -> list[list[int]]:
    """Each column in the order of the mean places of its neighbours in the one before it."""
    found = list(columns)
    numbers = range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1)
    for number in numbers:
        fixed = found[number - 1 if forth else number + 1]
        # Places on one scale, however many stand there.
        place = {item: at * _SCALE // max(len(fixed), 1) for at, item in enumerate(fixed)}
        keys = {}
        for at, item in enumerate(found[number]):
            around = [place[each] for each in beside[item]]
            own = at * _SCALE // len(found[number])
            keys[item] = (sum(around) // len(around) if around else own, at)
        found[number] = sorted(found[number], key=keys.__getitem__)
    return found


def _crossings(columns: list[list[int]], after: dict[int, list[int]]) -> int:
    """Pairs of stretches that cross, by counting inversions with a binary indexed tree."""
    total = 0
    for column, following in pairwise(columns):
        place = {item: at for at, item in enumerate(following)}
        tree, seen = [0] * (len(following) + 1), 0
        for item in column:
            targets = sorted(place[each] for each in after[item])
            for target in targets:
                below, at = 0, target + 1
                while at:
                    below += tree[at]
                    at -= at & -at
                total += seen - below
            for target in targets:
                at = target + 1
                while at < len(tree):
                    tree[at] += 1
                    at += at & -at
                seen += 1
    return total
