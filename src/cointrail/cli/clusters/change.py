"""`cointrail change`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import AsOfOption, JsonOption, LedgerOption
from cointrail.cli.output import btc, note, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.changes import ChangeAnswer, FormAnswer

_EPILOG = """\b
Examples:
  cointrail change f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --ledger ledger
  cointrail change f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --follow 20 --json"""

_MARKS = {"kept": "kept", "ruled_out": "ruled out", "not_applicable": "-"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("change", epilog=_EPILOG)(change)


def change(
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, 64 hex digits.")],
    follow: Annotated[
        int, typer.Option("--follow", min=0, max=10_000, help="Hops to follow along transactions of the same form.")
    ] = 0,
    ledger: LedgerOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a transaction tells of its wallet: its form, and which output each rule takes for change.

    Whether it is collaborative, what every change rule says of every output, the vote of the families (level L2), and
    the transactions of the same form that follow (leads, level L3).
    """
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.change(txid, follow=follow)
    if json:
        print_json(answer)
    else:
        _print(answer)


def _print(answer: "ChangeAnswer") -> None:
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in answer.rules)
    print_fields(
        [
            ("txid", answer.txid),
            ("change", f"{answer.result}: {answer.change_outpoint or 'no output is named'}"),
            ("because", answer.reason),
            ("collaborative", answer.collaborative),
            *((f"  {sign.rule} {sign.version}", sign.reason) for sign in answer.signs),
            ("form", _form(answer.form)),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
            ("basis", f"inference; rules: {rules}; the form is a fact"),
        ]
    )
    if answer.outputs:
        print()
        print_table(
            ("vout", "value", "address", "spent by"),
            ((str(o.vout), btc(o.value_sat), o.address or "-", o.spender or "unspent") for o in answer.outputs),
        )
        print()
        print_table(
            ("rule", "name", "family", *(f"vout {output.vout}" for output in answer.outputs), "fires for"),
            (
                (
                    each.rule,
                    each.name,
                    each.family,
                    *(_MARKS[mark] for mark in each.marks),
                    "-" if each.fired_vout is None else f"vout {each.fired_vout}",
                )
                for each in answer.opinions
            ),
        )
        for each in answer.sets:
            print(f"{each.name}: {', '.join(f'vout {vout}' for vout in each.vouts) or 'no output'}")
    for step in answer.path:
        print(f"  {step.outpoint} -> {step.txid}  {_form(step.form)}")
    if answer.path or answer.path_end != "not followed":
        print(f"  end: {answer.path_end}")
    note("note: change at level L2 is an inference, a path along one form a lead; see docs/methods/change-vote.md")


def _form(form: "FormAnswer") -> str:
    parts = [f"version {form.version}", f"lock time {form.lock_time}", "replaceable" if form.replaceable else "final"]
    parts += ["witness"] * form.segwit + [f"spends {'+'.join(form.input_types) or 'nothing'}"]
    parts += [f"{form.low_r} R"] * (form.low_r != "unknown") + [f"BIP69 {form.bip69.replace('_', ' ')}"]
    parts += [f"{form.key_form} keys"] * (form.key_form != "unknown")
    if form.feerate_msat_vb >= 0:
        parts.append(f"{form.feerate_msat_vb / 1000:,.3f} sat/vB")
    return ", ".join(parts)
