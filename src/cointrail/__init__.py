"""cointrail: follow money on Bitcoin on your own machine, and prove every statement.

    import cointrail
    with cointrail.open("ledger") as ledger:
        print(ledger.status().height)

Importing this package loads nothing else and touches no file.
"""

from typing import TYPE_CHECKING

from cointrail.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from cointrail.service.ledgers import Ledger

__version__ = VERSION
__all__ = ["__version__", "open"]


def open(path: "str | Path", as_of: int | None = None) -> "Ledger":
    """Open a ledger for questions.

    Args:
        path: the ledger's folder, made by `cointrail ingest`.
        as_of: height to read at; the tip if not given.

    Raises:
        cointrail.errors.Unavailable: there is no ledger, or it is damaged or of another format.
        cointrail.errors.NotFound: the ledger does not reach that height.
    """
    from cointrail.service.ledgers import open_ledger

    return open_ledger(path, as_of)
