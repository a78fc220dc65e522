"""The gate of METHODS.md 3.2 over plain values, written from the text of 3.1 alone: the simulator's judge.

An input or output is (value in sat, scriptPubKey); OP_RETURN outputs are taken out but where the text says otherwise.
"""

from collections import Counter
from collections.abc import Sequence

Side = Sequence[tuple[int, bytes]]

POOLS = (100_000, 1_000_000, 5_000_000, 50_000_000, 2_500_000, 25_000_000)
POOL_FEES = (5_000, 50_000, 175_000, 1_750_000)


def wabisabi_denominations() -> set[int]:
    powers = {base**exponent for base in (2, 3, 10) for exponent in range(64)}
    powers |= {2 * 3**exponent for exponent in range(40)}
    powers |= {factor * 10**exponent for factor in (2, 5) for exponent in range(20)}
    return {each for each in powers if 5_000 <= each <= 134_375_000_000}


DENOMINATIONS = wabisabi_denominations()


def spendable(outputs: Side) -> Side:
    return [each for each in outputs if not each[1].startswith(b"\x6a")]


def mode(values: Sequence[int]) -> tuple[int, int]:
    """The commonest value, the smallest of several, and how often it occurs; (0, 0) of nothing."""
    counts = Counter(values)
    if not counts:
        return 0, 0
    value = min(counts, key=lambda each: (-counts[each], each))
    return value, counts[value]


def scripts(side: Side) -> int:
    return len({script for _, script in side})


def few_from_one_script(inputs: Side) -> bool:
    return max(Counter(script for _, script in inputs).values()) * 10 <= len(inputs)


def whirlpool(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    if not 5 <= len(inputs) == len(outputs) <= 10:
        return False
    every = [script for _, script in (*inputs, *outputs)]
    value = outputs[0][0]
    return (
        len(set(every)) == len(every)
        and value in POOLS
        and all(each == value for each, _ in outputs)
        and all(value <= each <= value + 110_000 for each, _ in inputs)
        and 1 <= sum(each > value for each, _ in inputs) <= len(inputs) - 1
    )


def wabisabi_graphsense(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    counts = Counter(value for value, _ in outputs)
    repeated = sum(count for count in counts.values() if count >= 2)
    return (
        len(inputs) >= 20
        and few_from_one_script(inputs)
        and all(value >= 5_000 for value, _ in outputs)
        and scripts(outputs) == len(outputs)
        and sum(count >= 2 for count in counts.values()) >= 3
        and 2 * repeated >= len(outputs) - 1
        and repeated < len(outputs)
    )


def standard_share(outputs: Side) -> tuple[int, int]:
    return sum(value in DENOMINATIONS for value, _ in outputs), len(outputs)


def wabisabi_dumplings(inputs: Side, outputs: Side, least: int = 15) -> bool:
    outputs = spendable(outputs)
    standard, every = standard_share(outputs)
    segwit = all(script[:2] in (b"\x00\x14", b"\x51\x20") for _, script in inputs)
    falling = all(
        [value for value, _ in side] == sorted((value for value, _ in side), reverse=True) for side in (inputs, outputs)
    )
    return segwit and len(inputs) >= least and falling and standard * 5 > every * 4


def wabisabi_relaxed(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    standard, every = standard_share(outputs)
    counts = Counter(value for value, _ in outputs)
    return (
        len(inputs) >= 10
        and scripts(outputs) == len(outputs)
        and sum(count >= 2 for count in counts.values()) >= 3
        and standard * 5 >= every * 4
    )


def wasabi1_0(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    if len(inputs) < 10 or not few_from_one_script(inputs):
        return False
    _, count = mode([value for value, _ in outputs if abs(value - 10_000_000) <= 500_000])
    return (
        count >= 3
        and 2 * count >= len(outputs) - 1
        and count <= scripts(inputs) <= 7 * count
        and scripts(outputs) == len(outputs)
    )


def wasabi1_1(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    if len(inputs) < 10 or not few_from_one_script(inputs) or scripts(outputs) != len(outputs):
        return False
    levels = []
    for power in range(12):
        level = 10_000_000 << power
        count = sum(abs(value - level) * 20 <= level for value, _ in outputs)
        if count >= 2:
            levels.append(count)
    if not levels or max(levels) < 3:
        return False
    return max(levels) <= scripts(inputs) <= 7 * max(levels) and (
        2 * sum(levels) >= len(outputs) - 1 or sum(levels) >= len(outputs) - scripts(inputs) - 1
    )


def joinmarket(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    value, count = mode([value for value, _ in outputs if value > 2_730])
    return (
        count >= 3
        and 2 * count >= len(outputs)
        and count <= scripts(inputs)
        and scripts(outputs) == len(outputs)
        and any(each != value for each, _ in outputs)
        and (len(inputs) < 50 or (len(inputs) <= 20 * count and 10 * len(outputs) >= 17 * count))
    )


def blocksci(inputs: Side, outputs: Side) -> bool:
    if len(inputs) < 2 or len(outputs) < 3:
        return False
    parts = (len(outputs) + 1) // 2
    counts = Counter(value for value, _ in outputs)
    most = max(counts.values())
    return (
        parts <= len(inputs)
        and parts <= scripts(inputs)
        and most == parts
        and any(count == most and value not in (546, 2_730) for value, count in counts.items())
    )


def generic(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    _, count = mode([value for value, _ in outputs if value > 2_730])
    return count >= 3 and 3 * count >= len(outputs) and scripts(inputs) >= count


def stonewall(inputs: Side, outputs: Side) -> bool:
    outputs = spendable(outputs)
    counts = Counter(value for value, _ in outputs)
    twice = [value for value, count in counts.items() if count == 2]
    return (
        len(outputs) in (3, 4)
        and max(counts.values()) == 2
        and len(twice) == 1
        and twice[0] >= 5_000
        and scripts(outputs) == len(outputs)
        and scripts(inputs) >= 2
    )


def tx0(outputs: Side) -> bool:
    """One owner: not part of the gate."""
    real = spendable(outputs)
    if len(outputs) - len(real) != 1:
        return False
    value, count = mode([value for value, _ in real])
    for pool, fee in zip(POOLS[:4], POOL_FEES, strict=True):
        fees = [each for each, _ in real if fee <= 2 * each and each <= 3 * fee]
        if 100 <= value - pool <= 110_000 and len(real) - 2 <= count <= 70 and len(fees) == 1:
            return True
    return False


def collaborative(inputs: Side, outputs: Side) -> str:
    """The class of METHODS.md 3.2, or none."""
    if len(outputs) < 3:
        return "none"  # no rule names a transaction with fewer
    if whirlpool(inputs, outputs):
        return "whirlpool"
    wabisabi = (wabisabi_graphsense, wabisabi_dumplings, wabisabi_relaxed)
    if any(rule(inputs, outputs) for rule in wabisabi):
        return "wasabi2"
    if wasabi1_0(inputs, outputs) or wasabi1_1(inputs, outputs):
        return "wasabi1"
    if joinmarket(inputs, outputs):
        return "joinmarket"
    if blocksci(inputs, outputs) or generic(inputs, outputs):
        return "equal_output"
    return "ambiguous" if stonewall(inputs, outputs) else "none"
