"""`cointrail linkability`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.tracing.linkability import LinkabilityAnswer

_EPILOG = """\b
Examples:
  cointrail linkability f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --ledger ledger
  cointrail linkability f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --max-cj-fee 10000 --json"""

_MOST_COLUMNS, _MOST_LINES = 12, 12  # of a matrix that fits a screen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("linkability", epilog=_EPILOG)(linkability)


def linkability(
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, 64 hex digits.")],
    max_cj_fee: Annotated[
        int, typer.Option("--max-cj-fee", metavar="SAT", min=0, help="Most one participant may earn from the others.")
    ] = 0,
    vins: Annotated[
        list[int] | None,
        typer.Option("--input", metavar="VIN", min=0, help="Give candidates of this input only; may be repeated."),
    ] = None,
    link_p: Annotated[
        float, typer.Option("--link-p", min=0, max=1, help="Name a successor from this probability on.")
    ] = 0.95,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Effort of the count at most, in pairs of groups looked at.")
    ] = 4_000_000_000,
    ledger: LedgerOption = None,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show which outputs the inputs of a transaction may have paid, by its amounts.

    How many interpretations the amounts allow (Boltzmann), the links all of them share, and for a CoinJoin the set of
    outputs that may follow each input: leads with probabilities, never a fact.
    """
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.tracing.linkability import MOST_ROWS
    from cointrail.service.tracing.linkability import linkability as ask

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = ask(
            opened.reader,
            txid,
            max_cj_fee_sat=max_cj_fee,
            vins=vins or None,
            link_p=link_p,
            most=max(limit or 0, MOST_ROWS),
            most_steps=steps,
        )
        opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)


def _print(answer: "LinkabilityAnswer", shown: int) -> None:
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in answer.rules)
    fields = [
        ("txid", answer.txid),
        ("inputs", number(len(answer.inputs))),
        ("outputs", number(len(answer.outputs))),
        ("fee", btc(answer.fee_sat)),
        ("collaborative", answer.collaborative),
    ]
    if answer.interpretations is None:
        fields.append(("interpretations", answer.reason))
    else:
        few = isinstance(answer.interpretations, int)
        shown_number = number(int(answer.interpretations)) if few else f"about 2^{answer.entropy_bits:,.2f}"
        fields.append(("interpretations", f"{shown_number} ({answer.entropy_bits:,.2f} bits)"))
    if answer.max_cj_fee_sat:
        fields.append(("fees between", f"up to {btc(answer.max_cj_fee_sat)} to one participant"))
    open_end = "" if answer.deterministic_complete else ", perhaps more"
    fields += [
        ("deterministic", f"{number(answer.deterministic_total)} link(s){open_end}"),
        ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ("basis", f"inference; rules: {rules}"),
    ]
    print_fields(fields)
    _print_links(answer, shown)
    _print_candidates(answer, shown)
    note("note: amounts allow these readings, they do not say which is true; see docs/methods/linkability.md")


def _print_links(answer: "LinkabilityAnswer", shown: int) -> None:
    """A matrix if it is small, else the most probable links, or what is known without a count."""
    if answer.links and len(answer.inputs) <= _MOST_LINES and len(answer.outputs) <= _MOST_COLUMNS:
        found = {(each.vin, each.vout): each.probability for each in answer.links}
        vouts = [each.position for each in answer.outputs]
        print()
        print_table(
            ("vin", "value", *(f"vout {vout}" for vout in vouts)),
            (
                (str(vin.position), btc(vin.value_sat), *(_share(found.get((vin.position, vout))) for vout in vouts))
                for vin in answer.inputs
            ),
        )
        return
    rows = [(each.vin, each.vout, each.probability) for each in answer.links[:shown]]
    rows = rows or [(each.vin, each.vout, 1.0) for each in answer.deterministic[:shown]]
    if rows:
        print()
        print_table(("vin", "vout", "share"), ((str(vin), str(vout), _share(share)) for vin, vout, share in rows))
        total = answer.links_total or answer.deterministic_total
        _note_rest(len(rows), total, "links")


def _print_candidates(answer: "LinkabilityAnswer", shown: int) -> None:
    if not answer.candidates:
        return
    print("\nwhat may follow (a candidate set, not a fact)")
    print_table(
        ("vin", "reading", "part", "candidates", "likeliest", "probability", "named"),
        (
            (
                str(each.vin),
                each.reading,
                btc(each.sat),
                number(len(each.candidates)),
                f"vout {best.vout}",
                _share(best.probability),
                "-" if each.named_vout is None else f"vout {each.named_vout}",
            )
            for each in answer.candidates[:shown]
            for best in (max(each.candidates, key=lambda candidate: candidate.probability),)
        ),
    )
    _note_rest(min(shown, len(answer.candidates)), len(answer.candidates), "shares")
    if not answer.candidates_complete:
        note("note: candidates of further inputs were left out; ask for them with --input")
    for tier in answer.tiers[:shown]:
        print(f"{number(tier.outputs)} outputs of {btc(tier.value_sat)}: no single one above {tier.named_at_most:.3f}")


def _note_rest(shown: int, total: int, what: str) -> None:
    if shown < total:
        note(f"showing {number(shown)} of {number(total)} {what}; see --limit and --json")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
