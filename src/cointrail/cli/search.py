"""`cointrail search`: one box for everything."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail import config
from cointrail.cli.options import SHOWN, AsOfOption, JsonOption, LedgerOption
from cointrail.cli.output import note, number, one_line, print_json
from cointrail.errors import InputRefused, NotFound, UsageError

if TYPE_CHECKING:
    from cointrail.service.search.answers import FindTags, Hit, Named, SearchAnswer

_EPILOG = """\b
Examples:
  cointrail search f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --ledger ledger
  cointrail search 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger --json
  cointrail search 2009-01-12 --ledger ledger
  cointrail search 170 --ledger ledger --as-of 500"""

_KNOWN = (
    "known are txids, block hashes, heights, addresses, outpoints txid:vout, public keys, script:HEX, cluster:ADDRESS, "
    "extended public keys, descriptors, dates (2014-07-24) and unix times"
)
_READ = 4_100_000
"""Bytes read of a pasted text: a character has at most four, and the service says what it left out."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search", epilog=_EPILOG)(search)


def search(
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="What to search for; - reads a pasted text from stdin.")
    ],
    ledger: LedgerOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what a text is, whether it is in this snapshot, or why not, and which command goes on from it.

    Knows txids, block hashes, heights, addresses, public keys, outpoints, scripts, extended keys, descriptors, names of
    tags, dates and times; a pasted text yields all of them that it holds. Exit code 3 if it is well-formed but not in
    this snapshot, 4 if it is nothing.
    """
    from cointrail.service.search.search import search as ask

    pasted = text == ["-"]
    query = _pasted() if pasted else " ".join(text)
    folder = config.ledger(ledger).value
    if folder is None:
        if as_of is not None:
            raise UsageError("--as-of needs a ledger", hint="give --ledger DIR")
        answer = ask(query, find_tags=_finder())
        note("note: no ledger was named, so nothing was looked up; give --ledger DIR")
    else:
        from cointrail.service.ledgers import open_ledger

        with open_ledger(str(folder), as_of) as opened:
            answer = ask(query, opened.reader, find_tags=_finder())
            opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        _print(answer)
    _say(answer, pasted=pasted)


def _pasted() -> str:
    return sys.stdin.buffer.read(_READ).decode("utf-8", "replace")


def _finder() -> "FindTags":
    """Names are looked up in the imported tags."""
    from cointrail.service.attribution.choice import TagChoice
    from cointrail.service.search.names import finder

    return finder(TagChoice(database=str(config.database().value)))


def _print(answer: "SearchAnswer") -> None:
    many = len(answer.hits) > 1
    for hit in answer.hits:
        _print_hit(hit, place=many)
    for named in answer.names[:SHOWN]:
        _print_named(named)


def _print_hit(hit: "Hit", *, place: bool) -> None:
    where = f"  (at character {number(hit.offset)})" if place else ""
    kind = hit.kind.replace("_", " ")
    print(f"{kind}: {one_line(hit.text)}{where}" if hit.text else f"{kind}{where}")
    print(f"  {hit.state}: {one_line(hit.says)}")
    for command in hit.next:
        print(f"  $ {one_line(command)}")


def _print_named(named: "Named") -> None:
    about = f" of {one_line(named.about)}" if named.about else ""
    said = ", ".join(part for part in (named.category, f"attributed by {named.source}", named.confidence) if part)
    print(f"{named.kind}: {one_line(named.name)}{about}")
    print(f"  assertion: {one_line(said)}")
    for command in named.next:
        print(f"  $ {one_line(command)}")


def _say(answer: "SearchAnswer", *, pasted: bool) -> None:
    """Words on stderr, and the exit code when nothing was found."""
    from cointrail.service.search.answers import State

    for limit in answer.limits:
        note(f"note: {limit}")
    if answer.has_secret and not pasted:
        note("note: what may be a secret was given on the command line; the shell may keep it in its history")
    if answer.names or any(hit.state not in (State.ABSENT, State.REFUSED, State.ELSEWHERE) for hit in answer.hits):
        return
    if any(hit.state in (State.ABSENT, State.ELSEWHERE) for hit in answer.hits):
        raise NotFound(
            "nothing of this is in this snapshot", hint="it may be newer than the ledger, or of another network"
        )
    if answer.hits:
        raise InputRefused("nothing in this text is what it seems to be", hint="look at the original again")
    store = "no name begins like it, either" if answer.names_asked else "no store of tags was asked for names"
    raise InputRefused(f"nothing was recognised in {number(answer.characters)} character(s); {store}", hint=_KNOWN)
