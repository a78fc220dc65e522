"""`cointrail tags`: the group of commands about what lists say about addresses."""

import typer

from cointrail.cli.attribution import (
    tag_collections,
    tag_export,
    tag_history,
    tag_import,
    tag_list,
    tag_pools,
    tag_retract,
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    shown = (tag_list, tag_history, tag_export)
    group = typer.Typer(
        help="Import and export what lists say about addresses; show what was known when; take tags back.",
        epilog="\n".join([tag_import.EPILOG, *(line for each in shown for line in each.EPILOG.splitlines()[2:])]),
        rich_markup_mode=None,
    )
    group.command("import", epilog=tag_import.EPILOG)(tag_import.import_)
    group.command("list", epilog=tag_list.EPILOG)(tag_list.list_)
    group.command("collections", epilog=tag_collections.EPILOG)(tag_collections.collections)
    group.command("history", epilog=tag_history.EPILOG)(tag_history.history)
    group.command("retract", epilog=tag_retract.EPILOG)(tag_retract.retract)
    group.command("export", epilog=tag_export.EPILOG)(tag_export.export)
    group.command("pools", epilog=tag_pools.EPILOG)(tag_pools.pools)
    app.add_typer(group, name="tags")
