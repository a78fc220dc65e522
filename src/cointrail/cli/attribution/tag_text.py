"""Words that the commands about tags share."""

from cointrail.cli.output import one_line


def then(known_at: str | None) -> str:
    """As known when, at the end of a sentence."""
    return "" if known_at is None else f" as known at {known_at}"


def known(known_at: str | None) -> list[tuple[str, str]]:
    """As known when, as a field."""
    return [] if known_at is None else [("known at", known_at)]


def cell(text: str) -> str:
    """A text of strangers in a table."""
    return one_line(text) or "-"
