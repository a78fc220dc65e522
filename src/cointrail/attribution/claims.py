"""Attribution claims about one wallet: who says that somebody is behind it, and how far the statement reaches.

A claim is an assertion with its source; structural claims, such as which cluster an address lies in, are another thing
and made elsewhere (FEATURES.md 19). A statement about one address reaches others of its cluster only by the rule of
`propagation`.
"""

import re
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
        own: True if it was given with the question in a table, without a confidence: the asker's own statement.
        known_since: when it was first imported, ISO 8601; empty for a file given with the question.
        alias_of: the actor whose label or alias its label is, by an actor pack; empty if none says so.
        alias_by: the collection of that pack, or of those packs; empty without `alias_of`.
        content: SHA-256 of the file it was read from, in hex, if that is all its source; otherwise empty.
    """

    statement: Statement
    collection: str
    own: bool = False
    known_since: str = ""
    alias_of: str = ""
    alias_by: str = ""
    content: str = ""

    @property
    def name(self) -> str:
        """What it is joined with others by: an actor, or a label that is nobody's we know; not always its own words."""
        return self.statement.actor or self.alias_of or self.statement.label

    @property
    def named(self) -> str:
        """Who is said to be behind it, in the words of its source."""
        return self.statement.actor or self.statement.label

    @property
    def sentence(self) -> str:
        """What is said and by whom, in the words of its source."""
        return f"attributed to {self.named} by {self.source}"

    @property
    def aliased(self) -> str:
        """Who else says that this is another name, in a sentence of its own; empty if nobody does."""
        return f"{self.named} is called {self.alias_of} by {self.alias_by}" if self.alias_of else ""

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

        A statement whose source is its own file rests on the content of that file, whatever its name. Lists that copy
        one another with changes still count twice; nothing in a tag tells that.
        """
        if self.content:
            return f"file {self.content}"
        text = self.source.casefold().strip()
        _, scheme, rest = text.partition("://")
        host = re.split("[/?#]", rest)[0].rpartition("@")[2].partition(":")[0].removesuffix(".").removeprefix("www.")
        return host if scheme and host else text


def is_its_file(source: str, file_name: str) -> bool:
    """Whether a source is only the file that the statement was read from: what readers write if none is given."""
    return not source or source == file_name or source.endswith(f" {file_name}")


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
