"""Where a database is: a file of SQLite, or the URL of a server. Passwords are never shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cointrail.errors import UsageError

_SQLITE: Final = "sqlite:///"
_SERVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a database is.

    Attributes:
        url: for the engine; it may hold a password.
        file: of SQLite, or None for a server.
    """

    url: str
    file: Path | None

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read a path, `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST/NAME`.

        Raises:
            UsageError: a URL of another kind.
        """
        if "://" not in text or text.startswith(_SQLITE):
            file = Path(text.removeprefix(_SQLITE)).expanduser().absolute()
            return cls(f"{_SQLITE}{file}", file)
        scheme, rest = text.split("://", 1)
        if scheme.split("+")[0] not in _SERVERS:
            raise UsageError(
                f"there is no database of the kind {scheme!r}", hint="give a file, or postgresql://USER@HOST/NAME"
            )
        return cls(f"{_SERVERS[scheme.split('+')[0]]}://{rest}", None)

    def __str__(self) -> str:
        """For people: without the password."""
        if self.file is not None:
            return str(self.file)
        scheme, rest = self.url.split("://", 1)
        account, at, host = rest.rpartition("@")
        user, colon, _ = account.partition(":")
        # A password may also stand among the parameters.
        return f"{scheme.split('+')[0]}://{user}{':***' if colon else ''}{at}{host.split('?')[0]}"

    __repr__ = __str__
