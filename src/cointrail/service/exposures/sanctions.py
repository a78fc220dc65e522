"""Whom of an exposure tags call sanctioned, whatever stronger tags call them, and when."""

from collections.abc import Callable, Iterator

from cointrail.profile.exposure.figures import Listing
from cointrail.service.exposures.answers import ListingAnswer, SanctionAnswer, SideExposure
from cointrail.service.names import utc
from cointrail.trace.services import Sanction


def sanctions_of(side: SideExposure) -> Iterator[SanctionAnswer]:
    """Everybody on a side whom a tag calls sanctioned."""
    for category in side.categories:
        for each in category.entities:
            if each.listing is not None:
                total, direct = each.total.value_sat, each.direct.value_sat
                yield SanctionAnswer(
                    side.side, each.attributed, total, direct, each.listing, sentence(each.listing, _satoshis)
                )


def sentence(listing: ListingAnswer, amount: Callable[[int], str]) -> str:
    """Since when a service is sanctioned, who says so, and what came when; `amount` spells satoshis."""
    if listing.since_utc is None:
        return f"sanctioned, as {listing.by} says; no tag says since when: nothing can be said of before and after"
    end = f" to {listing.until_utc}" if listing.until_utc else ""
    parts = [(listing.before_sat, "before"), (listing.after_sat, "after")]
    if listing.until_utc:
        parts.append((listing.ended_sat, "when it was over"))
    divided = ", ".join(f"{amount(sat)} {when}" for sat, when in parts if sat is not None)
    return f"sanctioned since {listing.since_utc}{end}, as {listing.by} says: {divided}"


def _satoshis(sat: int) -> str:
    return f"{sat:,} satoshis"


def listing_answer(sanction: Sanction | None, divided: Listing | None) -> ListingAnswer | None:
    """The answer; None if no tag says that the service is sanctioned."""
    if sanction is None:
        return None
    since, until = (None if each is None else utc(each) for each in (sanction.since, sanction.until))
    if divided is None:
        return ListingAnswer(sanction.said, since, until, None, None, None, None)
    return ListingAnswer(
        sanction.said, since, until, divided.before_sat, divided.during_sat, divided.ended_sat, divided.own_during_sat
    )
