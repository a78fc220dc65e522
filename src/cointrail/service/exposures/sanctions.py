"""Whom of an exposure tags call sanctioned, whatever stronger tags call them, and when."""

from collections.abc import Iterator

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
                yield SanctionAnswer(side.side, each.attributed, total, direct, each.listing, _statement(each.listing))


def _statement(listing: ListingAnswer) -> str:
    if listing.since_utc is None:
        return f"sanctioned, as {listing.by} says; no tag says since when: nothing can be said of before and after"
    end = f" to {listing.until_utc}" if listing.until_utc else ""
    ended = f", {listing.ended_sat:,} when it was over" if listing.until_utc else ""
    return (
        f"sanctioned since {listing.since_utc}{end}, as {listing.by} says: {listing.before_sat:,} satoshis before, "
        f"{listing.after_sat:,} after{ended}"
    )


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
