"""Categories that tags give, in one spelling: every list has its own, and what is one must not count as two."""

from typing import Final

from cointrail.attribution.tag import Statement

SANCTION: Final = "sanction"
"""Of whom an authority put on a list of sanctions."""

_SPELLINGS: Final = {"sanctions": SANCTION, "sanctioned": SANCTION, "sanctioned_entity": SANCTION}


def one_spelling(category: str) -> str:
    """A category in small letters, with `_` between words; all words for sanctions are one."""
    folded = "_".join(category.casefold().replace("-", " ").replace("_", " ").split())
    return _SPELLINGS.get(folded, folded)


def categories_of(statement: Statement) -> tuple[str, ...]:
    """All that a tag says of what somebody is: its category, the kind of crime, its concepts; each once."""
    said = (statement.category, statement.abuse, *statement.concepts)
    return tuple(dict.fromkeys(one_spelling(each) for each in said if each))
