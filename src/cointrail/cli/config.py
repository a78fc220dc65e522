"""`cointrail config`."""

from dataclasses import replace

import typer

from cointrail import config as settings
from cointrail.cli.options import JsonOption, LedgerOption
from cointrail.cli.output import print_json_line, print_table

_EPILOG = """\b
Examples:
  cointrail config
  COINTRAIL_LEDGER=ledger cointrail config --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("config", epilog=_EPILOG)(config)


def config(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """Show every setting, its value and where that comes from: flag, environment, file or default."""
    values = [settings.home(), settings.config_file(), settings.ledger(ledger), _shown(settings.database())]
    if json:
        print_json_line(
            {
                value.setting.name: {"value": None if value.value is None else str(value.value), "origin": value.origin}
                for value in values
            }
        )
        return
    print_table(
        ("setting", "value", "origin", "variable"),
        ((v.setting.name, str(v.value or "-"), v.origin, v.setting.variable) for v in values),
    )


def _shown(value: settings.Value) -> settings.Value:
    """A database's address without its password."""
    from cointrail.database.address import Address

    return replace(value, value=str(Address.of(str(value.value))))
