"""Taking tags back, and taking that back again."""

from cointrail.attribution.store.changes.retraction import Which, lift, retract
from cointrail.attribution.store.reader import open_tags
from cointrail.database import Database
from cointrail.service.attribution.answers import TakenAnswer


def retract_tags(where: str, which: Which, *, reason: str, by: str) -> TakenAnswer:
    """Take the tags back that hold and are so; they stay in the database.

    Raises:
        UsageError: nothing says which, or why.
        NotFound: no such tag holds.
        Unavailable: there is no database, or it cannot be written.
    """
    with Database(where) as database:
        taken = retract(database, which, reason=reason, by=by)
        with open_tags(database) as store:
            return TakenAnswer("retracted", taken.tags, taken.utc, by, reason, store.digest)


def lift_retractions(where: str, which: Which, *, by: str) -> TakenAnswer:
    """Take retractions back: the tags hold again from now on.

    Raises:
        UsageError: nothing says which.
        NotFound: nothing that is so is retracted.
        Unavailable: there is no database, or it cannot be written.
    """
    with Database(where) as database:
        taken = lift(database, which, by=by)
        with open_tags(database) as store:
            return TakenAnswer("lifted", taken.tags, taken.utc, by, "", store.digest)
