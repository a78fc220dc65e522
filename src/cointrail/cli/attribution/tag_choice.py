"""From options to the tags that a question is asked with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cointrail import config
from cointrail.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from cointrail.service.attribution.choice import TagChoice

_NONE: Final = Path("none")


def given(files: Sequence[Path] | None) -> bool:
    """Whether somebody named files of tags."""
    return bool(files) and list(files or ()) != [_NONE]


def tag_choice(files: Sequence[Path] | None, known_at: str | None = None) -> "TagChoice | None":
    """Files that were named; else the database of the settings; None for `none`.

    Raises:
        UsageError: the options contradict one another, or the time is none.
        Unavailable: there is no such database, though the settings name it.
    """
    from cointrail.service.attribution.choice import TagChoice

    if not files:
        return TagChoice(database=_database(), known_at=known_at)
    if known_at is not None:
        raise UsageError(
            "--known-at asks the imported tags, and --tags leaves them out", hint="leave out one of the two"
        )
    if not given(files):
        return None
    if _NONE in files:
        raise UsageError("--tags none goes with no other file", hint="leave out one of the two")
    return TagChoice(tuple(files))


def _database() -> str:
    """The database of the settings. Only one that nobody chose need not exist: a typing error is no "no hit"."""
    from cointrail.database.address import Address

    chosen = config.database()
    text = str(chosen.value)
    file = Address.of(text).file
    if chosen.origin != "default" and file is not None and not file.exists():
        raise Unavailable(
            f"there is no database of tags {file}",
            hint="import some first with `cointrail tags import`, correct the setting, or ask with --tags none",
        )
    return text
