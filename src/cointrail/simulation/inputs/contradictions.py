"""Six things that are wrong in every exchange's return, on purpose, one row each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.simulation.stream import Stream

HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Transfer:
    """A line of an account's statement. `time`: seconds since 1970; `address`: who was paid."""

    account_id: str
    type: str
    time: int
    value_sat: int
    fee_sat: int
    address: str
    txid: bytes
    vout: int


@dataclass(frozen=True, slots=True)
class Planted:
    """A line that is wrong: `type` says how, `right` is what it should be, None where nothing would be right."""

    line: int
    type: str
    right: Transfer | None


@dataclass(frozen=True, slots=True)
class Habits:
    """What matters of an exchange's form.

    Attributes:
        unit_factor: by how much an amount in the wrong unit is too large.
        by_address: True if the form has addresses and no txids.
    """

    unit_factor: int
    by_address: bool


def plant(transfers: Sequence[Transfer], habits: Habits, stream: Stream) -> tuple[list[Transfer], list[Planted]]:
    """Spoil a statement.

    Args:
        transfers: true ones in order of time.
        habits: of the exchange's form.
        stream: decides which lines.

    Returns:
        All lines, and what is wrong with which (lines count from 0).
    """
    lines: list[tuple[Transfer, str, Transfer | None]] = [(each, "", each) for each in transfers]
    candidates = list(range(len(transfers)))
    stream.shuffle(candidates)
    amount, shift, foreign, unit, twice = _choose(transfers, candidates, habits)
    changes: tuple[tuple[str, int, Callable[[Transfer], Transfer]], ...] = (
        ("wrong_amount", amount, lambda each: replace(each, value_sat=_wrong_amount(each.value_sat, stream))),
        ("one_hour_shift", shift, lambda each: replace(each, time=each.time + HOUR)),
        ("foreign_txid", foreign[0], lambda each: _take(each, transfers[foreign[1]], habits)),
        ("wrong_unit", unit, lambda each: replace(each, value_sat=each.value_sat * habits.unit_factor)),
    )
    for kind, place, change in changes:
        lines[place] = (change(transfers[place]), kind, transfers[place])
    # From the end backwards, so that the places stay right.
    absent = stream.between(1, len(transfers) - 1)
    for place, line in sorted(
        [
            (min(twice + stream.between(1, 5), len(lines)), (transfers[twice], "duplicate_row", transfers[twice])),
            (absent, (_absent(transfers[absent - 1], stream), "absent_transfer", None)),
        ],
        key=lambda entry: -entry[0],
    ):
        lines.insert(place, line)
    planted = [Planted(number, kind, right) for number, (_, kind, right) in enumerate(lines) if kind]
    return [line for line, _, _ in lines], planted


def _choose(
    transfers: Sequence[Transfer], candidates: Sequence[int], habits: Habits
) -> tuple[int, int, tuple[int, int], int, int]:
    """Five lines, none twice; with the third comes a line of somebody else, whose txid stands in none of its account.

    The other line has another amount and is hours away, so that what was borrowed does not look like one of the other
    mistakes.
    """
    own: dict[str, set[bytes]] = {}
    for each in transfers:
        own.setdefault(each.account_id, set()).add(_mark(each, habits))
    pair = next(
        (place, stranger)
        for place in candidates
        for stranger in candidates
        if transfers[stranger].account_id != transfers[place].account_id
        and transfers[stranger].type == transfers[place].type
        and transfers[stranger].value_sat != transfers[place].value_sat
        and abs(transfers[stranger].time - transfers[place].time) > 2 * HOUR
        and _mark(transfers[stranger], habits) not in own[transfers[place].account_id]
    )
    first, second, third, fourth = [place for place in candidates if place not in pair][:4]
    return first, second, pair, third, fourth


def _mark(transfer: Transfer, habits: Habits) -> bytes:
    return transfer.address.encode() if habits.by_address else transfer.txid


def _take(transfer: Transfer, other: Transfer, habits: Habits) -> Transfer:
    if habits.by_address:
        return replace(transfer, address=other.address)
    return replace(transfer, txid=other.txid, vout=other.vout)


def _wrong_amount(value_sat: int, stream: Stream) -> int:
    """An amount that is off by 2 to 9 per cent."""
    difference = max(value_sat * stream.between(2, 9) // 100, 1)
    return value_sat + difference if stream.chance(1, 2) else value_sat - difference


def _absent(neighbour: Transfer, stream: Stream) -> Transfer:
    """A transfer that nobody made, to an address nobody has."""
    program = b"".join(stream.word().to_bytes(8, "little") for _ in range(3))[:20]
    address = address_of(b"\x00\x14" + program, REGTEST)
    assert address is not None, "a witness program has an address"
    txid = b"".join(stream.word().to_bytes(8, "little") for _ in range(4))
    value = stream.between(1_000_000, 40_000_000)
    return replace(neighbour, time=neighbour.time + 60, value_sat=value, address=address, txid=txid, vout=0)
