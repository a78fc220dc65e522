"""`cointrail tags pools`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail import config
from cointrail.cli.options import AsOfOption, DatabaseOption, JsonOption, LedgerOption
from cointrail.cli.output import note, number, one_line, print_fields, print_json, print_table
from cointrail.cli.progress import ProgressLine
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.attribution.answers import PoolsAnswer

EPILOG = """\b
Examples:
  cointrail tags pools pools-v2.json --ledger ledger --by "A. Analyst"
  cointrail tags pools pools-v2.json --ledger ledger --as-of 100 --by "A. Analyst" --json"""


def pools(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list of mining pools with their coinbase texts.")],
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it.")],
    ledger: LedgerOption = None,
    as_of: AsOfOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Name mining pools from the chain itself: what their coinbases say, and whom these pay.

    The tags become a collection of their own. Whoever mined a block wrote its text, and nobody checked it: assertions.
    Needs the block files.
    """
    from cointrail.service.attribution.imports import import_pools
    from cointrail.service.ledgers import open_ledger

    line = ProgressLine()
    with open_ledger(required_ledger(ledger), as_of) as opened:
        try:
            answer = import_pools(
                str(config.database(database).value),
                file,
                opened.reader,
                by=by,
                progress=lambda stage, tags: line.show(f"{stage}, {number(tags)} tags"),
            )
        finally:
            line.clear()
        opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        _print(answer)


def _print(answer: "PoolsAnswer") -> None:
    version = answer.imported.version
    print_fields(
        [
            ("collection", one_line(version.collection)),
            ("tags", f"{number(version.tags)}, {number(version.added)} new, {number(version.withdrawn)} withdrawn"),
            *((f"no tag, {reason}", number(count)) for reason, count in version.skipped.items()),
            ("tag set", answer.imported.tag_set),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )
    if answer.conflicts:
        print()
        rows = ((number(c.height), one_line(c.by_text), one_line(c.by_address), c.address) for c in answer.conflicts)
        print_table(("height", "by its text", "by its address", "address"), rows)
        note("note: where text and address contradict each other nothing was decided")
