"""Which column of a table of prices says what: by the names that exporters use, or as the asker maps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from cointrail.errors import InputRefused, UsageError

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("date", "time", "timestamp", "datetime", "day", "time_utc", "date_utc"),
    "unix": ("unix", "unix_seconds", "unix_time", "unixtime"),
    "unix_ms": ("unix_ms", "unix_milliseconds"),
    "close": ("close", "price", "close_price", "btc_close"),
    "close_minor": ("close_minor",),
    "currency": ("currency",),
    "source": ("source",),
}

ROLES: Final = tuple(_ALIASES)
"""What a column can be: a time in one of three forms, a close in one of two, the currency, the source."""

_TIMES: Final = ("time", "unix", "unix_ms")
_CLOSES: Final = ("close", "close_minor")


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns that are read.

    Attributes:
        time: position, and which form of `time`, `unix`, `unix_ms` it has.
        close: position, and which of `close`, `close_minor`.
        currency, source: positions, or None if the table has no such column.
        names: the column's name by role, as answers say it.
    """

    time: tuple[int, str]
    close: tuple[int, str]
    currency: int | None
    source: int | None
    names: Mapping[str, str]


def columns_of(header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Find the columns of a table.

    Args:
        header: names of its columns.
        mapping: name of a column by role; it goes before the usual names.

    Raises:
        UsageError: a role that does not exist.
        InputRefused: a column is missing, stands there twice, or two could be meant.
    """
    for role in mapping:
        if role not in ROLES:
            near = get_close_matches(role, ROLES, 1)
            hint = f"did you mean {near[0]}?" if near else f"roles are {', '.join(ROLES)}"
            raise UsageError(f"a column cannot be {role!a}", hint=hint)
    folded = [name.strip().casefold() for name in header]
    names: dict[str, str] = {}
    positions: dict[str, int] = {}
    # A mapped time or close keeps the usual names of its other forms from being looked for.
    settled = {other for group in (_TIMES, _CLOSES) for other in group if mapping.keys() & set(group)}
    for role, aliases in _ALIASES.items():
        wanted = (mapping[role].strip().casefold(),) if role in mapping else () if role in settled else aliases
        found = [place for place, name in enumerate(folded) if name in wanted]
        if len(found) > 1:
            raise InputRefused(
                f"columns {_listed([header[place] for place in found])} could both be {role}",
                hint=f"say which: --column {role}=NAME",
            )
        if found:
            positions[role], names[role] = found[0], header[found[0]].strip()
        elif role in mapping:
            raise InputRefused(f"there is no column {mapping[role]!a}", hint=_has(header))
    return Columns(
        _only(positions, _TIMES, "time", header),
        _only(positions, _CLOSES, "close", header),
        positions.get("currency"),
        positions.get("source"),
        names,
    )


def _only(positions: Mapping[str, int], roles: Sequence[str], what: str, header: Sequence[str]) -> tuple[int, str]:
    found = [(positions[role], role) for role in roles if role in positions]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputRefused(
            f"the table has several columns of the {what}: {_listed([header[place] for place, _ in found])}",
            hint=f"say which: --column {found[0][1]}=NAME",
        )
    raise InputRefused(f"no column gives the {what}", hint=f"--column {roles[0]}=NAME; {_has(header)}")


def _has(header: Sequence[str]) -> str:
    return f"the table has {_listed(header)}"


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(ascii(name[:40]) for name in names[:12])
    return listed + (f" and {len(names) - 12} more" if len(names) > 12 else "")
