"""Names in the imported tags, for the search box: labels, actors and collections that begin with a text."""

from collections.abc import Iterator, Sequence
from itertools import islice

from cointrail.attribution.store.reader import TagStore
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.stored import stored_tags
from cointrail.service.search.answers import FindTags, Named


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
            yield Named("collection", name, "", source, next=(f"cointrail tags list --collection {name!r}",))
    for each in store.actors():
        actor = each.actor
        if any(name.casefold().startswith(begin) for name in (actor.id, actor.label, *actor.aliases)):
            goes_on = f"cointrail tags list --actor {actor.id!r}"
            category = ", ".join(actor.categories)
            yield Named("actor", actor.label, actor.id, actor.uri, category=category, next=(goes_on,))
    for match in store.search(text, limit):
        goes_on = f"cointrail tags list {match.subject.text!r}"
        yield Named(
            "tag", match.label, match.subject.text, match.source, match.confidence, match.category, next=(goes_on,)
        )
