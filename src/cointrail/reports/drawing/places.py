"""How high each item stands in its column: beside its neighbours as far as the order and the gaps allow.

For one column the best places under a fixed order are an isotonic regression, found exactly by pooling neighbours
that want to pass each other (Barlow et al. 1972). Columns take turns, forth and back.
"""

from cointrail.reports.drawing.lanes import Lanes
from cointrail.reports.drawing.style import GAP, LANE_GAP

_ROUNDS = 8


def placed(lanes: Lanes, columns: list[list[int]], heights: list[int]) -> list[int]:
    """The middle of each item, in tenths of a pixel from the top of the drawing.

    Args:
        lanes: items and stretches.
        columns: numbers of items in order, column by column.
        heights: of the items.
    """
    middles = [0] * len(lanes.items)
    for column in columns:
        for item, offset in zip(column, _offsets(lanes, column, heights), strict=True):
            middles[item] = offset
    weights = [_weight(lanes, number) for number in range(len(lanes.stretches))]
    for turn in range(_ROUNDS):
        forth = turn % 2 == 0
        for column in columns if forth else reversed(columns):
            wanted = [_wanted(lanes, item, middles, weights, forth=forth, last=turn >= _ROUNDS - 2) for item in column]
            offsets = _offsets(lanes, column, heights)
            pulls = [max(1, sum(weights[each] for each in _touching(lanes, item))) for item in column]
            moved = _isotonic([want - at for want, at in zip(wanted, offsets, strict=True)], pulls)
            for item, place, offset in zip(column, moved, offsets, strict=True):
                middles[item] = place + offset
    return _closed(middles, heights)


def _closed(middles: list[int], heights: list[int]) -> list[int]:
    """The same without the levels at which nothing stands, from 0: parts that are not joined do not drift apart."""
    tops = [middle - height // 2 for middle, height in zip(middles, heights, strict=True)]
    moved, bottom, shift = list(middles), None, 0
    for item in sorted(range(len(tops)), key=lambda each: (tops[each], each)):
        if bottom is None:
            shift = tops[item]
        elif tops[item] - bottom > GAP:
            shift += tops[item] - bottom - GAP
        bottom = max(bottom or tops[item], tops[item] + heights[item])
        moved[item] -= shift
    return moved


def _offsets(lanes: Lanes, column: list[int], heights: list[int]) -> list[int]:
    """Middles of items that stand as close as they may, the first at 0."""
    found: list[int] = []
    for at, item in enumerate(column):
        if not at:
            found.append(0)
            continue
        above = column[at - 1]
        gap = LANE_GAP if lanes.items[item].is_lane and lanes.items[above].is_lane else GAP
        found.append(found[-1] + heights[above] // 2 + gap + heights[item] - heights[item] // 2)
    return found


def _weight(lanes: Lanes, number: int) -> int:
    """How much a stretch pulls: lanes should run straight."""
    stretch = lanes.stretches[number]
    ends = lanes.items[stretch.left].is_lane + lanes.items[stretch.right].is_lane
    return (2, 3, 8)[ends]


def _touching(lanes: Lanes, item: int) -> list[int]:
    return lanes.arriving.get(item, []) + lanes.leaving.get(item, [])


def _wanted(lanes: Lanes, item: int, middles: list[int], weights: list[int], *, forth: bool, last: bool) -> int:
    """Where an item would stand if it were alone: in the last rounds between both sides, before beside one."""
    sides = (lanes.arriving, lanes.leaving)
    numbers = _touching(lanes, item) if last else sides[0 if forth else 1].get(item, [])
    numbers = numbers or _touching(lanes, item)
    if not numbers:
        return middles[item]
    total = 0
    for number in numbers:
        stretch = lanes.stretches[number]
        total += weights[number] * middles[stretch.left if stretch.right == item else stretch.right]
    return total // sum(weights[number] for number in numbers)


def _isotonic(wanted: list[int], weights: list[int]) -> list[int]:
    """The ascending sequence nearest to what is wanted."""
    pools: list[tuple[int, int, int]] = []  # (sum of weight x wanted, weight, members)
    for want, weight in zip(wanted, weights, strict=True):
        total, heavy, members = want * weight, weight, 1
        while pools and pools[-1][0] * heavy > total * pools[-1][1]:
            above = pools.pop()
            total, heavy, members = total + above[0], heavy + above[1], members + above[2]
        pools.append((total, heavy, members))
    return [total // heavy for total, heavy, members in pools for _ in range(members)]
