"""From options to the tags that a question is asked with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cointrail import config
from cointrail.errors import UsageError

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
    """
    from cointrail.service.attribution.choice import TagChoice

    if not files:
        return TagChoice(database=str(config.database().value), known_at=known_at)
    if known_at is not None:
        raise UsageError(
            "--known-at asks the imported tags, and --tags leaves them out", hint="leave out one of the two"
        )
    if not given(files):
        return None
    if _NONE in files:
        raise UsageError("--tags none goes with no other file", hint="leave out one of the two")
    return TagChoice(tuple(files))
