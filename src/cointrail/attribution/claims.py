"""Attribution claims about one wallet: who says that somebody is behind it, and how far the statement reaches.

A claim is an assertion with its source; structural claims, such as which cluster an address lies in, are another thing
and made elsewhere (FEATURES.md 19). A statement about one address reaches others of its cluster only by the rule of
`propagation`.
"""

from dataclasses import dataclass
from enum import StrEnum

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.tag import Statement


class Reach(StrEnum):
    """How a statement comes to be about what is asked."""

    DIRECT = "direct"
    """It is about the address that is asked about."""
    CLUSTER = "cluster"
    """It is about another address of the cluster, and speaks for all of it."""
    OTHER = "other address"
    """It is about another address of the cluster, and for that one alone."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement, and where it was read.

    Attributes:
        statement: what is said.
        collection: name of the list, or of the file.
        own: True if a table without confidences was given with the question: the asker's own statement.
        known_since: when it was first imported, ISO 8601; empty for a file given with the question.
        alias_of: the actor whose label or alias its label is, by an actor pack; empty if none says so.
    """

    statement: Statement
    collection: str
    own: bool = False
    known_since: str = ""
    alias_of: str = ""

    @property
    def name(self) -> str:
        """Who is said to be behind it: an actor, or a label that is nobody's we know."""
        return self.statement.actor or self.alias_of or self.statement.label

    @property
    def level(self) -> int:
        """Number of its confidence."""
        return CONFIDENCE[self.statement.confidence]

    @property
    def source(self) -> str:
        """Who says so, in a word: its source, or the list that gives none."""
        return self.statement.source or self.collection

    @property
    def basis(self) -> str:
        """What it rests on, so that the same source told twice counts once: the host of an address, or the text.

        Lists that copy one another under different names still count twice; nothing in a tag tells that.
        """
        _, scheme, rest = self.source.casefold().strip().partition("://")
        host = rest.split("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.")
        return host if scheme and host else self.source.casefold().strip()


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about a wallet.

    Attributes:
        stated: what, by whom.
        reach: how it is about the wallet.
        addresses: of the wallet, how many the statement is about.
        example: one of them.
    """

    stated: Stated
    reach: Reach
    addresses: int = 1
    example: str = ""
