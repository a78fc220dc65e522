"""Who may be behind a wallet, as text: claims with who makes them, rival hypotheses, roles."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cointrail.cli.finding import lists_text
from cointrail.cli.output import note, number, one_line, print_fields, print_table

if TYPE_CHECKING:
    from cointrail.service.attribution.identity import AttributionClaim, HypothesisAnswer, Identity, StructuralClaim
    from cointrail.service.profiles.who import WhoAnswer
    from cointrail.service.roles.answers import RolesAnswer

_SHOWN: Final = 5


def print_who(answer: "WhoAnswer") -> None:
    """The claims about a wallet, and its roles."""
    if answer.identity is None:
        note("note: no tags were asked; `cointrail tags import FILE` imports some")
    else:
        _print_identity(answer.identity)
    print()
    print_fields(_roles(answer.roles))


def _print_identity(found: "Identity") -> None:
    print()
    tags = f"{lists_text(found.lists)} (tag set {found.digest[:16]})" + (
        f", as known on {found.known_at}" if found.known_at else ""
    )
    print_fields(
        [
            *(_structural(each) for each in found.structural),
            (
                "claims",
                f"{number(found.claims)} among those of {tags}" if found.claims else f"nobody is named by {tags}",
            ),
        ]
    )
    for each in found.hypotheses[:_SHOWN]:
        _print_hypothesis(each)
    if len(found.hypotheses) > _SHOWN:
        print(f"and {number(len(found.hypotheses) - _SHOWN)} more names; see --json")
    if found.note:
        note(f"note: {found.note}")


def _structural(claim: "StructuralClaim") -> tuple[str, str]:
    if claim.kind == "segment":
        return "segment", one_line(claim.text)
    return "part of", one_line(f"{claim.part_of}: {claim.text}")


def _print_hypothesis(each: "HypothesisAnswer") -> None:
    categories = ", ".join(each.categories) or "of no category"
    print(one_line(f"\n{each.name} ({categories}): {each.standing}").replace("\\n", "\n", 1))
    rows = [_claim("for", claim) for claim in each.for_claims[:_SHOWN]]
    rows += [_claim("against", claim) for claim in each.against_claims[:_SHOWN]]
    rows += [("for", "behaviour", text, "", "", "") for text in each.fits]
    rows += [("against", "behaviour", text, "", "", "") for text in each.misfits]
    print_table(("", "reach", "who says so", "confidence", "date", "list"), rows)
    hidden = each.supports + each.contradicts - len(each.for_claims[:_SHOWN]) - len(each.against_claims[:_SHOWN])
    if hidden:
        print(f"  and {number(hidden)} more claims; see --json")
    for alias in each.aliases[:_SHOWN]:
        print(one_line(f"  {alias}"))
    if len(each.aliases) > _SHOWN:
        print(f"  and {number(len(each.aliases) - _SHOWN)} more such words; see --json")
    if each.looks_like:
        print(one_line(f"  can be mistaken for {', '.join(each.looks_like)}"))


def _claim(side: str, claim: "AttributionClaim") -> tuple[str, ...]:
    return (
        side,
        claim.reach if claim.addresses == 1 else f"{claim.reach}, {number(claim.addresses)} addresses",
        one_line(claim.statement),
        claim.confidence,
        claim.lastmod or "-",
        one_line(claim.collection),
    )


def _roles(roles: "RolesAnswer") -> Iterator[tuple[str, str]]:
    for each in roles.totals if roles.scripts > 1 else ():
        yield "segment", f"{each.segment}: {number(each.scripts)} script(s)"
    if roles.deposit:
        yield "deposit", one_line(roles.deposit.statement)
    yield "behaviour", roles.service_like.statement
