"""The search box: a query, or a pasted text of which all is found that names something.

Memory and time are linear in the text, and capped; what a cap left out is said.
"""

import re
from collections.abc import Iterator
from typing import Final

from cointrail.ledger.reader import Reader
from cointrail.service.names import snapshot_name
from cointrail.service.search.answers import FindTags, Hit, Kind, Named, SearchAnswer, State
from cointrail.service.search.lookup import Lookup, time_or_refusal
from cointrail.service.search.reasons import why_not
from cointrail.service.search.recognise import Recognised, Refused, recognise
from cointrail.service.search.secrets import secrets_in
from cointrail.service.search.tokens import Form, tokens_of

MOST_CHARACTERS: Final = 1_000_000
MOST_HITS: Final = 1_000
MOST_NAMES: Final = 25
LONGEST_NAME: Final = 200

_AROUND: Final = " \t\r\n\v\f'\"`<>,;.\u00b4\u2018\u2019\u201c\u201d\u00ab\u00bb\u00a0\ufeff"
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,10}|[0-9]{13}")
_FIRST_SECOND: Final = 1_231_006_505
"""Time of the first block: a smaller number is a height."""


def search(text: str, reader: Reader | None = None, *, find_tags: FindTags | None = None) -> SearchAnswer:
    """Tell what a text is or holds.

    Args:
        text: what was typed or pasted; nothing but its length is kept.
        reader: the ledger at a snapshot, or None to recognise only.
        find_tags: looks names up in the store of tags, or None if there is none.

    Returns:
        What was found, in the order of the text; why the whole is nothing, if it holds nothing.
    """
    limits = []
    characters = len(text)
    if characters > MOST_CHARACTERS:
        limits.append(f"only the first {MOST_CHARACTERS:,} of {characters:,} characters were read")
        text = text[:MOST_CHARACTERS]
    lookup = Lookup(reader)
    hits: list[Hit] = []
    for hit in _hits(text, lookup):
        if len(hits) == MOST_HITS:
            limits.append(f"stopped after {MOST_HITS:,} hits, at character {hit.offset:,}: search for the rest apart")
            break
        hits.append(hit)
    core, offset = _core(text)
    secret = any(hit.state is State.SECRET for hit in hits)
    covered = any((hit.offset, hit.length) == (offset, len(core)) for hit in hits)
    if not covered and all(hit.state is State.REFUSED for hit in hits):
        hits = _whole(core, offset, lookup) or hits
    hits.sort(key=lambda hit: hit.offset)
    names: tuple[Named, ...] = ()
    if find_tags is not None and core and len(core) <= LONGEST_NAME and not secret:
        names = tuple(find_tags(core, MOST_NAMES + 1))
        if len(names) > MOST_NAMES:
            limits.append(f"showing the first {MOST_NAMES} names that begin like this")
            names = names[:MOST_NAMES]
    snapshot = None if reader is None else snapshot_name(reader)
    return SearchAnswer(characters, tuple(hits), names, find_tags is not None, tuple(limits), snapshot)


def _hits(text: str, lookup: Lookup) -> Iterator[Hit]:
    """All that is found in a text, by offset; a secret goes before whatever else its characters may be."""
    waiting = secrets_in(text)
    secret = next(waiting, None)
    taken = 0
    for token in tokens_of(text):
        while secret is not None and secret.offset < token.offset + len(token.text):
            if secret.offset >= taken:
                yield Hit(Kind.SECRET, State.SECRET, "", secret.offset, secret.length, secret.says)
            taken = max(taken, secret.offset + secret.length)
            secret = next(waiting, None)
        if token.offset < taken:
            continue
        found = recognise(token)
        if found is None:
            continue
        length = len(token.text)
        if token.form is Form.DESCRIPTOR and isinstance(found, Recognised):
            taken = token.offset + length
        if isinstance(found, Recognised) and found.kind is Kind.TIME and (reason := time_or_refusal(found.value)):
            found = Refused(Kind.TIME, "", reason)
        yield (
            _refused(found, token.offset, length)
            if isinstance(found, Refused)
            else lookup.hit(found, token.offset, length)
        )


def _refused(found: Refused, offset: int, length: int) -> Hit:
    return Hit(found.kind, State.REFUSED, found.text, offset, length, found.says)


def _core(text: str) -> tuple[str, int]:
    """A query without blanks, quotes and the scheme of a payment link around it, and where it begins."""
    core = text.strip(_AROUND)
    offset = text.find(core) if core else 0
    if core[:8].lower() == "bitcoin:":
        core, offset = core[8:].partition("?")[0], offset + 8
    return core, offset


def _whole(core: str, offset: int, lookup: Lookup) -> list[Hit]:
    """What the query as a whole is, or why it is nothing; nothing for a text of several words."""
    if _NUMBER.fullmatch(core):
        number = int(core.replace(",", ""))
        if len(core) == 13:
            number //= 1_000
        kind = Kind.TIME if _FIRST_SECOND <= number < 1 << 32 else Kind.HEIGHT
        return [lookup.hit(Recognised(kind, core, "", value=str(number)), offset, len(core))]
    reason = why_not(core)
    if reason is None:
        return []
    return [Hit(reason.kind, State.REFUSED, reason.text, offset, len(core), reason.says)]
