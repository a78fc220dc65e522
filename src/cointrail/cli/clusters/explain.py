"""`cointrail explain`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    ModelOption,
    TagsOption,
)
from cointrail.cli.output import note, number, print_json
from cointrail.config import required_ledger
from cointrail.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from cointrail.service.proofs import CheckAnswer

_EPILOG = """\b
Examples:
  cointrail explain bcrt1q... bcrt1p... --ledger ledger
  cointrail explain bcrt1q... bcrt1p... --as-of 500 --check --json
  cointrail explain bcrt1q... bcrt1p... --proof proof.json
  cointrail explain bcrt1q... bcrt1p... --level L2
  cointrail explain --check-file proof.json  # needs no ledger"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=_EPILOG)(explain)


def explain(
    a: Annotated[
        str | None, typer.Argument(metavar="A", help="An address, a public key in hex, or script:HEX.")
    ] = None,
    b: Annotated[str | None, typer.Argument(metavar="B", help="Another.")] = None,
    ledger: LedgerOption = None,
    level: Annotated[
        str, typer.Option("--level", help="L1: facts and co-spend; L2: with voted change; L3: leads only.")
    ] = "L1",
    model: ModelOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check every step from raw transactions; needs the block files.")
    ] = False,
    proof: Annotated[
        Path | None, typer.Option("--proof", metavar="FILE", help="Write a proof that others can check to a new file.")
    ] = None,
    check_file: Annotated[
        Path | None, typer.Option("--check-file", metavar="FILE", help="Check a proof that was written before.")
    ] = None,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show why two addresses are in one cluster, step by step.

    Each step is a transaction with the rule that puts two addresses under common control. Above L1 a step may rest on
    a change output that a vote or a model named; no raw transaction proves that it is change. Exit code 5 if a check
    fails; two addresses that are not linked are an answer, too.
    """
    from cointrail.service import proofs

    if check_file is not None:
        if a is not None:
            raise UsageError("--check-file takes no addresses", hint="the proof names them")
        if tags:
            raise UsageError("--tags changes nothing with --check-file", hint="a check reads the proof alone")
        _conclude(proofs.check_proof(proofs.read_proof(check_file)), str(check_file), json=json)
        return
    if a is None or b is None:
        raise UsageError("two addresses are needed", hint="cointrail explain A B, or --check-file FILE")
    if tags and level == "L1":
        raise UsageError(
            "--tags changes nothing at level L1, which is never guarded",
            hint="add --level L2 or L3, or leave --tags out",
        )
    from cointrail.cli.clusters.explain_text import print_explanation
    from cointrail.service.clustering.levels import level_named
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = proofs.explain(
            opened.reader,
            a,
            b,
            level=level_named(level),
            model=model,
            tagged=None if level == "L1" else tag_choice(tags, known_at),
            raw=proof is not None,
            check=check,
        )
        opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        print_explanation(answer, limit or SHOWN)
    if proof is not None and answer.document is None:
        note(f"no proof was written to {proof}: the two are not linked")
    elif proof is not None and answer.document is not None:
        proofs.write_proof(answer.document, proof)
        note(f"proof written to {proof}; `cointrail explain --check-file {shlex.quote(str(proof))}` checks it")
    if answer.check is not None:
        _conclude(answer.check, "the proof", json=None)


def _conclude(answer: "CheckAnswer", what: str, *, json: bool | None) -> None:
    """Say what a check found: as JSON, as text, or (None) to the person only."""
    from cointrail.cli.clusters.explain_text import verdict_of

    if json:
        print_json(answer)
    else:
        say = note if json is None else print
        if answer.valid:
            say(verdict_of(answer, what))
        for fault in answer.faults[:SHOWN]:
            say(f"fault: {fault}")
        for each in answer.not_checked[:SHOWN]:
            note(f"not checked: {each}")
        if more := len(answer.not_checked[SHOWN:]):
            note(f"not checked: {number(more)} more; see `not_checked` of --json")
    if not answer.valid:
        raise CheckFailed(
            f"{what} does not stand: {number(len(answer.faults))} fault(s)",
            hint="do not rely on it; make it again with `cointrail explain A B --proof FILE`",
        )
