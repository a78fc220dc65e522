"""Names in the imported tags, for the search box: labels, actors and collections that begin with a text."""

import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from cointrail.attribution.store.reader import TagStore
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.stored import stored_tags
from cointrail.service.search.answers import FindTags, Named

_LONGEST_QUOTED: Final = 200
"""Characters of a text in a command: longer ones are shortened where they are shown, and then no command."""


def finder(choice: TagChoice) -> FindTags:
    """Who looks names up in a database of tags; without one there are no names."""

    def find(text: str, limit: int) -> Sequence[Named]:
        with stored_tags(choice) as store:
            return [] if store is None else list(islice(_names(store, text, limit), limit))

    return find


def _names(store: TagStore, text: str, limit: int) -> Iterator[Named]:
    begin = text.casefold()
    for name, version in store.collections.items():
        if name.casefold().startswith(begin):
            source = f"{version.file_name}, imported {version.imported_utc} by {version.imported_by}"
            yield Named("collection", name, "", source, next=_listing("--collection=", name))
    for each in store.actors():
        actor = each.actor
        if any(name.casefold().startswith(begin) for name in (actor.id, actor.label, *actor.aliases)):
            category = ", ".join(actor.categories)
            goes_on = _listing("--actor=", actor.id)
            yield Named("actor", actor.label, actor.id, actor.uri, category=category, next=goes_on)
    for match in store.search(text, limit):
        about = match.subject.text
        goes_on = _listing("-- " if about.startswith("-") else "", about)
        yield Named("tag", match.label, about, match.source, match.confidence, match.category, next=goes_on)


def _listing(before: str, text: str) -> tuple[str, ...]:
    """The command that lists tags of a text, or none: strangers wrote it, and people paste commands into a shell."""
    quoted = shlex.quote(text)
    if len(quoted) > _LONGEST_QUOTED or not text.isprintable():
        return ()  # what is shown would not be what is meant
    return (f"cointrail tags list {before}{quoted}",)
