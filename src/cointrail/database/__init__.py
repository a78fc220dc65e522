"""One SQL engine and one migration history for the rooms that own tables: `attribution` tags, `ingest` prices.

SQLite in one file by default, PostgreSQL by URL for teams. Tables belong to rooms and are declared on `METADATA`; how
they came to be is `migrations`, for both servers. Only commands that open a database pay for SQLAlchemy, and only a
migration for Alembic. The chain itself never lies here.
"""

from cointrail.database.engine import METADATA, Database
from cointrail.database.revision import HEAD

__all__ = ["HEAD", "METADATA", "Database"]
