"""Options that the commands about tags share, and what they mean."""

from typing import Annotated

import typer

from cointrail import config
from cointrail.errors import UsageError

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="WHO", help="Who does it. Default: the name you are logged in with.")
]
CollectionOption = Annotated[str | None, typer.Option("--collection", metavar="NAME", help="Only of this list.")]
ActorOption = Annotated[str | None, typer.Option("--actor", metavar="ID", help="Only of this actor.")]
SourceOption = Annotated[str | None, typer.Option("--source", metavar="WHERE", help="Only of this source.")]


def where(database: str | None) -> str:
    """Where the database is."""
    return str(config.database(database).value)


def who(by: str | None) -> str:
    """Who does it.

    Raises:
        UsageError: an empty name, or nobody is logged in.
    """
    if by is not None:
        if not by.strip():
            raise UsageError("--by needs a name")
        return by
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("nobody is logged in by a name", hint="say who does it: --by WHO") from None
