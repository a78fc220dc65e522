"""Bringing a database up to date, in one transaction. Alembic is loaded only here."""

from pathlib import Path

from sqlalchemy import Connection


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations that are missing up to one, on a connection whose transaction is the caller's."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    context = MigrationContext.configure(
        connection,
        opts={
            "fn": lambda revision, _context: scripts._upgrade_revs(to, revision),
            "render_as_batch": True,
            "transactional_ddl": False,  # the transaction is ours
        },
    )
    with Operations.context(context):
        context.run_migrations()
