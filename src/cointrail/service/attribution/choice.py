"""Which tags a question is asked with: files given with it, or the database as it was known on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TagChoice:
    """Which tags count.

    Attributes:
        actors: actor by address, of whoever asks: only these, if there are any.
        files: only these, if there are any.
        database: where the imported tags are, or None for none; it need not exist.
        known_at: only what was imported by then and not yet withdrawn, ISO 8601; None for all there is.
    """

    files: tuple[Path, ...] = ()
    actors: Mapping[str, str] | None = None
    database: str | None = None
    known_at: str | None = None

    @classmethod
    def of(cls, source: "TagSource") -> "TagChoice":
        """A choice from what callers give."""
        if isinstance(source, TagChoice):
            return source
        if source is None:
            return cls()
        if isinstance(source, Mapping):
            return cls(actors=source)
        if isinstance(source, (str, Path)):
            return cls((Path(source),))
        return cls(tuple(source))


TagSource = TagChoice | Path | str | Iterable[Path] | Mapping[str, str] | None
"""What questions take: a choice, one file or several, actor by address, or nothing."""
