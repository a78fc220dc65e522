"""`cointrail trace`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import Incomplete, UsageError

if TYPE_CHECKING:
    from cointrail.service.answers import TraceAnswer

_EPILOG = """\b
Examples:
  cointrail trace f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0 --forward --ledger ledger
  cointrail trace bcrt1q... --backward --policy haircut --hops 5 --min-sat 10000 --json"""


class PolicyName(StrEnum):
    """How traced value is divided where it meets other value."""

    FIFO = "fifo"
    HAIRCUT = "haircut"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace", epilog=_EPILOG)(trace)


def trace(
    seed: Annotated[str, typer.Argument(metavar="SEED", help="A txid, an outpoint txid:vout, or an address.")],
    ledger: LedgerOption = None,
    forward: Annotated[bool, typer.Option("--forward", help="Where did it go? (default)")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Where did it come from?")] = False,
    policy: Annotated[
        PolicyName, typer.Option("--policy", help="How value is divided: in order (fifo) or pro rata (haircut).")
    ] = PolicyName.FIFO,
    hops: Annotated[
        int | None, typer.Option("--hops", min=0, help="Follow at most this many transactions deep.")
    ] = None,
    min_sat: Annotated[int, typer.Option("--min-sat", min=0, help="Do not follow less than this.")] = 0,
    transactions: Annotated[
        int, typer.Option("--transactions", min=1, help="Stop after this many transactions.")
    ] = 100_000,
    through_coinjoins: Annotated[
        bool, typer.Option("--through-coinjoins", help="Do not stop at collaborative transactions.")
    ] = False,
    require_complete: Annotated[
        bool, typer.Option("--require-complete", help="Exit with code 7 if the search limit was hit.")
    ] = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Follow money forward or backward under a declared policy, to the satoshi.

    What was traced equals the endpoints plus the fees; every endpoint says why the trace ended there.
    A policy is a convention about money that is mixed, not a fact.
    """
    from cointrail.service.ledgers import open_ledger

    if forward and backward:
        raise UsageError("--forward and --backward exclude each other")
    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.trace(
            seed,
            direction="backward" if backward else "forward",
            policy=policy.value,
            hops=hops,
            min_sat=min_sat,
            transactions=transactions,
            through_coinjoins=through_coinjoins,
        )
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    if not answer.complete:
        text = f"the trace was cut off after {len(answer.steps)} transactions"
        if require_complete:
            raise Incomplete(text, hint="raise --transactions, or narrow with --hops and --min-sat")
        note(f"note: {text}; what is left stands at endpoints with the reason 'search limit'")


def _print(answer: "TraceAnswer", shown: int) -> None:
    total = sum(endpoint.traced_sat for endpoint in answer.endpoints)
    print_fields(
        [
            ("seed", answer.seed),
            ("traced", f"{btc(answer.traced_sat)} {answer.direction} under policy {answer.policy}"),
            ("endpoints", f"{btc(total)} in {number(len(answer.endpoints))} output(s)"),
            ("fees", btc(answer.fees_sat)),
            ("conserved", "yes: traced = endpoints + fees" if answer.conserved else "NO"),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )
    print(f"\n{number(len(answer.steps))} transaction(s) passed")
    if answer.steps:
        print_table(
            ("height", "time", "traced in", "fee part", "txid"),
            (
                (number(step.height), step.time_utc, btc(step.traced_in_sat), btc(step.fee_sat), step.txid)
                for step in answer.steps[:shown]
            ),
        )
        note_page(0, min(shown, len(answer.steps)), len(answer.steps), "transactions")
    print(f"\n{number(len(answer.endpoints))} endpoint(s)")
    print_table(
        ("traced", "of", "reason", "hops", "address", "outpoint"),
        (
            (
                btc(end.traced_sat),
                btc(end.value_sat),
                end.reason,
                str(end.hops),
                end.address or end.script_type,
                end.outpoint,
            )
            for end in answer.endpoints[:shown]
        ),
    )
    note_page(0, min(shown, len(answer.endpoints)), len(answer.endpoints), "endpoints")
