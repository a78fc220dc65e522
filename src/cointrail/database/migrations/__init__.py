"""The one history of every table, as Alembic reads it: a file a step, none changed after a release."""
