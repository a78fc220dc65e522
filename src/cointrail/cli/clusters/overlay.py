"""`cointrail overlay`: the corrections of a case in a file, and what they change."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, FirstOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import note, note_page, number, one_line, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.cluster.overlay.entries import Kind
    from cointrail.service.answers import ListUsed
    from cointrail.service.overlays import (
        ClusterSize,
        DifferenceAnswer,
        OverlayAnswer,
        OverlayComparison,
        OverlayEffect,
        OverlayName,
    )

_NAMED = 5  # clusters of one group in text answers
_BASIS_NOTE = "note: an overlay is somebody's assertion; the ledger and its digest stay as they are"

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The overlay file.")]
AuthorOption = Annotated[str, typer.Option("--author", metavar="NAME", help="Who says so; kept in the file.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the file.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help=_HELP,
        epilog=_epilog("overlay show case.json", "overlay apply case.json --ledger ledger"),
        rich_markup_mode=None,
        no_args_is_help=False,
    )
    for name, (command, examples) in _COMMANDS.items():
        group.command(name, epilog=_epilog(*examples))(command)
    app.add_typer(group, name="overlay")


def _epilog(*examples: str) -> str:
    return "\n".join(["\b", "Examples:", *(f"  cointrail {each}" for each in examples)])


def new(
    file: FileArgument,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What people call it.")],
    author: AuthorOption,
    network: Annotated[str | None, typer.Option("--network", help="Its network; that of --ledger if left out.")] = None,
    ledger: Annotated[Path | None, typer.Option("--ledger", help="Note this ledger's snapshot in the file.")] = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Make an overlay file without entries. A file that exists is never overwritten."""
    from cointrail.service import overlays

    if ledger is None:
        answer = overlays.new(file, name=name, author=author, network=network)
    else:
        from cointrail.ledger.reader import Reader

        with Reader(ledger, as_of) as reader:
            answer = overlays.new(file, name=name, author=author, network=network, reader=reader)
    _print_file(answer, json=json)


def exclude(
    file: FileArgument,
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, 64 hex digits.")],
    author: AuthorOption,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Do not believe a transaction's co-spend. Same-key facts that it completes stay."""
    from cointrail.cluster.overlay.entries import Kind

    _add(file, Kind.EXCLUDE_TRANSACTION, [txid], author, reason, json=json)


def rule_off(
    file: FileArgument,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule as clusters name it, such as coinjoin.generic.")],
    author: AuthorOption,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Switch a rule off: cospend or same_key joins nothing then, a rule of the gate suppresses nothing.

    change_vote joins nothing then at levels L2 and L3, lightning disputes nothing: `cluster --overlay` shows both. No
    cluster of level L1 changes by them.
    """
    from cointrail.cluster.overlay.entries import Kind

    _add(file, Kind.RULE_OFF, [rule], author, reason, json=json)


def split(
    file: FileArgument,
    scripts: Annotated[list[str], typer.Argument(metavar="SCRIPT", help="Addresses, public keys, or script:HEX.")],
    author: AuthorOption,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Do not believe what rules say between these scripts and all others; among themselves it is believed."""
    from cointrail.cluster.overlay.entries import Kind

    _add(file, Kind.SPLIT, scripts, author, reason, json=json)


def merge(
    file: FileArgument,
    a: Annotated[str, typer.Argument(metavar="A", help="An address, a public key in hex, or script:HEX.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    author: AuthorOption,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Assert that two scripts go together, and so their clusters."""
    from cointrail.cluster.overlay.entries import Kind

    _add(file, Kind.MERGE, [a, b], author, reason, json=json)


def show(file: FileArgument, json: JsonOption = False) -> None:
    """Show an overlay file: its digest, and every entry with author, reason and time."""
    from cointrail.service import overlays

    _print_file(overlays.show(file), json=json)


def apply(
    file: FileArgument,
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="Show what becomes of this one's cluster besides.")
    ] = None,
    ledger: LedgerOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an overlay changes in a ledger's clusters of level L1: before and after, with sizes.

    Only what it touches is clustered anew. Nothing is written: the ledger stays as it is.
    """
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.overlay(file, address, first=first, limit=limit or (None if json else SHOWN))
    if json:
        print_json(answer)
        return
    _print_effect(answer)
    _print_differences(answer.differences, ("before", "after"), first, answer.total)
    _note_absent(answer.absent, answer.overlay)
    note(_BASIS_NOTE)


def compare(
    file: FileArgument,
    other: Annotated[Path, typer.Argument(metavar="FILE2", help="Another overlay file.")],
    ledger: LedgerOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show the scripts whose cluster of level L1 differs between two overlays, in groups that hang together."""
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.compare_overlays(file, other, first=first, limit=limit or (None if json else SHOWN))
    if json:
        print_json(answer)
        return
    _print_comparison(answer)
    _print_differences(answer.differences, ("first", "second"), first, answer.total)
    _note_absent(answer.absent_first, answer.first)
    _note_absent(answer.absent_second, answer.second)
    note(_BASIS_NOTE)


_HELP = (
    "Correct clusters for one case, without touching the ledger: exclude a transaction, switch a rule off, "
    "split or merge by hand, each with author and reason."
)
_SIGNED = '--author "J. Doe" --reason'
_COMMANDS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "new": (new, ('overlay new case.json --name "Case 7" --author "J. Doe" --network mainnet',)),
    "exclude": (
        exclude,
        (
            "overlay exclude case.json f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 "
            f'{_SIGNED} "a PayJoin"',
        ),
    ),
    "rule-off": (rule_off, (f'overlay rule-off case.json coinjoin.stonewall {_SIGNED} "too careful here"',)),
    "split": (
        split,
        (f'overlay split case.json 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S {_SIGNED} "key was published"',),
    ),
    "merge": (
        merge,
        (
            "overlay merge case.json 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa "
            f'{_SIGNED} "both in exhibit 3"',
        ),
    ),
    "show": (show, ("overlay show case.json", "overlay show case.json --json")),
    "apply": (
        apply,
        (
            "overlay apply case.json --ledger ledger",
            "overlay apply case.json 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger --as-of 500 --json",
        ),
    ),
    "compare": (compare, ("overlay compare case.json other.json --ledger ledger --json",)),
}


def _add(file: Path, kind: "Kind", subjects: Sequence[str], author: str, reason: str, *, json: bool) -> None:
    from cointrail.service import overlays

    _print_file(overlays.add(file, kind, subjects, author=author, reason=reason), json=json)


def _print_file(answer: "OverlayAnswer", *, json: bool) -> None:
    if json:
        print_json(answer)
        return
    made_at = answer.made_at
    print_fields(
        [
            ("overlay", answer.name),
            ("digest", answer.digest),
            ("network", answer.network),
            ("author", f"{answer.author}, {answer.created_utc}"),
            ("made at", f"height {number(made_at.height)}, {made_at.block_hash}" if made_at else "-"),
            ("entries", number(len(answer.entries))),
        ]
    )
    for entry in answer.entries:
        print(f"\n{entry.number}  {entry.kind} {' '.join(entry.subjects)}")
        print(f"   {entry.author}, {entry.at_utc}: {entry.reason}")


def _print_effect(answer: "OverlayEffect") -> None:
    fields = [
        ("overlay", _named(answer.overlay)),
        ("digest", answer.overlay.digest),
        ("level", answer.level),
        ("touched", f"{number(answer.touched)} scripts clustered anew"),
        (
            "changed",
            f"{number(answer.scripts)} scripts: {number(answer.clusters_before)} clusters before, "
            f"{number(answer.clusters_after)} after",
        ),
        *_lists(answer.lists),
        ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
    ]
    if answer.address:
        change = answer.address
        fields += [
            ("address", change.address),
            ("before", _cluster(change.before)),
            ("after", _cluster(change.after)),
            (
                "members",
                f"{number(change.stay)} stay, {number(change.leave)} leave, {number(change.come)} come",
            ),
        ]
    print_fields(fields)


def _print_comparison(answer: "OverlayComparison") -> None:
    print_fields(
        [
            ("first", _named(answer.first)),
            ("digest", answer.first.digest),
            ("second", _named(answer.second)),
            ("digest", answer.second.digest),
            ("level", answer.level),
            (
                "differ",
                f"{number(answer.scripts)} scripts: {number(answer.clusters_first)} clusters under the first, "
                f"{number(answer.clusters_second)} under the second",
            ),
            *_lists(answer.lists),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )


def _lists(lists: Sequence["ListUsed"]) -> list[tuple[str, str]]:
    """The lists of transactions in force, a line each."""
    return [("list", one_line(f"{each.name}, SHA-256 {each.sha256}")) for each in lists]


def _print_differences(found: Sequence["DifferenceAnswer"], names: tuple[str, str], first: int, total: int) -> None:
    for place, group in enumerate(found, start=first):
        print(
            f"\ngroup {place}: {number(group.scripts)} scripts, {number(group.clusters_before)} clusters {names[0]}, "
            f"{number(group.clusters_after)} {names[1]}"
        )
        print_table(
            ("", "scripts", "basis", "cluster"),
            [
                (name, number(each.size), each.basis, each.cluster_id)
                for name, clusters in zip(names, (group.before, group.after), strict=True)
                for each in clusters[:_NAMED]
            ],
        )
        if max(group.clusters_before, group.clusters_after) > _NAMED:
            note(f"note: the {_NAMED} largest clusters are named; --json names more")
    note_page(first, len(found), total, "groups")


def _named(overlay: "OverlayName") -> str:
    return f"{overlay.name} ({number(overlay.entries)} entries)"


def _cluster(cluster: "ClusterSize") -> str:
    return f"{cluster.cluster_id} ({number(cluster.size)} scripts, {cluster.basis})"


def _note_absent(absent: Sequence[str], overlay: "OverlayName") -> None:
    if absent:
        more = f" and {number(len(absent) - _NAMED)} more" if len(absent) > _NAMED else ""
        note(f"note: not in this snapshot, {overlay.name}: {'; '.join(absent[:_NAMED])}{more}")
