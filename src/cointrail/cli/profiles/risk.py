"""`cointrail risk`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.finding import tags_line, watched
from cointrail.cli.options import (
    AsOfOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    MostScriptsOption,
    OverlayOption,
    RequireCompleteOption,
    TagsOption,
)
from cointrail.cli.output import COMPILING, btc, note, number, one_line, print_fields, print_json
from cointrail.cli.profiles.exposure import HopsOption, ShareOption, TransactionsOption
from cointrail.config import required_ledger
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.exposures.risk_answers import ComponentAnswer, RescreenAnswer, RiskAnswer

_EPILOG = """\b
Examples:
  cointrail risk bcrt1q... --tags services.yaml --ledger ledger
  cointrail risk --show-rules > rules.yaml
  cointrail risk cluster:bcrt1q... --rules rules.yaml --json > today.json
  cointrail risk cluster:bcrt1q... --rules rules.yaml --since today.json
  cointrail risk cluster:bcrt1q... --since today.json --csv moved.csv"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("risk", epilog=_EPILOG)(risk)


def risk(
    wallet: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="Who is asked about: an address, cluster:ADDRESS.")
    ] = None,
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="Rules to apply instead of the program's.")
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="FILE", help="An earlier answer in JSON: say what moved the score."),
    ] = None,
    show_rules: Annotated[bool, typer.Option("--show-rules", help="Print the rules and leave.")] = False,
    hops: HopsOption = 20,
    min_share: ShareOption = 100,
    max_cluster: MostScriptsOption = 10_000,
    transactions: TransactionsOption = 1_000_000,
    overlay: OverlayOption = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write rules, inputs and movements, and their basis.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --csv: replace a file that exists.")] = False,
    require_complete: RequireCompleteOption = False,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Apply open rules to a wallet's exposure: points with every component, input and sum.

    A way to order work: no finding about a person, no clearance, and nothing is decided by it.
    """
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.profile.exposure.exposure import LIMITS
    from cointrail.profile.risk.file import default_rules, read_rules
    from cointrail.service.exposures.rescreen import read_earlier
    from cointrail.service.exposures.risk import risk as find
    from cointrail.service.exposures.risk import rule_set_answer
    from cointrail.service.exposures.risk_file import write_risk
    from cointrail.service.ledgers import open_ledger

    chosen = default_rules() if rules is None else read_rules(rules)
    if show_rules:
        if json:
            print_json(rule_set_answer(chosen))
        else:
            print(chosen.text, end="")
        return
    if wallet is None:
        raise UsageError("no address was given", hint="give an address, or cluster:ADDRESS")
    earlier = None if since is None else read_earlier(since)
    if not are_compiled("walk.walk"):
        note(COMPILING)
    with open_ledger(required_ledger(ledger), as_of) as opened, watched() as watch:
        answer = find(
            opened.reader,
            wallet,
            services=tag_choice(tags, known_at),
            overlay=overlay,
            limits=replace(LIMITS, hops=hops, min_share_ppm=min_share, cluster=max_cluster, transactions=transactions),
            rules=chosen,
            earlier=earlier,
            watch=watch,
        )
        opened.reader.check_current()
    if csv is not None:
        write_risk(answer, csv, overwrite=overwrite)
        note(f"written: {csv}")
    if json:
        print_json(answer)
    else:
        _print(answer)
    watch.say_if_cut_off(complete=answer.complete, required=require_complete)


def _print(answer: "RiskAnswer") -> None:
    print_fields(_head(answer))
    for each in sorted(answer.components, key=lambda each: -each.points):
        if each.inputs:
            _print_component(each)
    silent = [each.rule for each in answer.components if not each.inputs]
    if silent:
        print(f"\nnothing found by {number(len(silent))} rule(s): {', '.join(silent)}")
    if answer.rescreen:
        _print_rescreen(answer.rescreen)
    for warning in answer.warnings:
        note(f"warning: {warning}")
    note(f"note: {answer.statement} {answer.exposure.statement}")


def _head(answer: "RiskAnswer") -> Iterator[tuple[str, str]]:
    yield "wallet", f"{answer.wallet}, {number(answer.exposure.scripts)} script(s)"
    if answer.score is None:
        yield "points", "none: no tag was used"
    else:
        yield "points", f"{number(answer.score)} of at most {number(answer.ceiling)}: {answer.arithmetic}"
    rules = answer.rule_set
    yield "rules", one_line(f"{rules.name}, revision {rules.revision}, {rules.file} (SHA-256 {rules.sha256[:16]})")
    yield "tags", tags_line(answer.tags) if answer.tags else "none: nobody can be named"
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _print_component(each: "ComponentAnswer") -> None:
    points = "informative" if each.informative else f"{number(each.points)} point(s)"
    print(f"\n{each.rule}: {points}")
    print(one_line(f"  {each.reason}"))
    print(one_line(f"  selects {each.selects} (line {each.line}): {btc(each.sat)} of {btc(each.gross_sat)}"))
    for one in each.inputs:
        print(one_line(f"    {one.row}: {btc(one.sat)}"))
    for condition in each.conditions:
        met = "met" if condition.met else "not met"
        print(f"  {condition.name} at least {number(condition.least)}, found {number(condition.found)}: {met}")
    print(f"  {each.arithmetic}")


def _print_rescreen(found: "RescreenAnswer") -> None:
    before = found.earlier_snapshot
    print(f"\nsince height {number(before.height)}: {number(found.score_before)} -> {number(found.score_after)} points")
    for each in found.movements:
        print(f"  {each.cause}: {each.score_after - each.score_before:+,}")
        for rule in each.rules:
            print(one_line(f"    rule {rule.rule}: {_was(rule.before)} -> {_was(rule.after)} point(s)"))
        for row in each.rows:
            print(one_line(f"    {row.row}: {btc(row.before_sat)} -> {btc(row.after_sat)}"))
    if not found.movements:
        print("  nothing moved")
    for text in found.notes:
        note(one_line(f"note: {text}"))


def _was(points: int | None) -> str:
    return "-" if points is None else number(points)
