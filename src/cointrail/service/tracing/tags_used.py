"""How much of a tag set an answer used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TagsUsed:
    """The tags that say which scripts are whose, and how much of them was used.

    `lists` names the files or collections, `digest` is the tag set's; `used`: tags that name somebody here; `absent`:
    those whose address nothing pays; `elsewhere`: those of other chains, networks or subjects; `left_out`: tags of a
    category that was not asked for, or below the confidence that is; `mixed`: clusters that tags give to several
    actors, which inherit nothing; `known_at`: as of when, or None.
    """

    lists: str
    digest: str
    used: int
    absent: int
    elsewhere: int | None
    left_out: int
    mixed: int
    known_at: str | None
