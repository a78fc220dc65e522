"""Columns: what a world has hundreds of thousands of is kept as numbers and bytes, not as objects."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from cointrail.simulation.keys import Script


class Words:
    """A column of texts of which few are different, a few bytes a row."""

    __slots__ = ("_codes", "_numbers", "_words")

    def __init__(self) -> None:
        self._codes = array("I")
        self._words: list[str] = []
        self._numbers: dict[str, int] = {}

    def append(self, word: str) -> None:
        """Add a row."""
        code = self._numbers.get(word)
        if code is None:
            code = self._numbers[word] = len(self._words)
            self._words.append(word)
        self._codes.append(code)

    def __getitem__(self, row: int) -> str:
        return self._words[self._codes[row]]


@dataclass(frozen=True, slots=True)
class HeldScript:
    """A script and whose it is."""

    script_pubkey: bytes
    entity_id: int
    wallet_id: int
    role: str
    account_id: str
    derivation: str


class Scripts:
    """Scripts by number; iterating gives them in order.

    Attributes:
        entities, wallets: columns by number.
    """

    __slots__ = ("_accounts", "_derivations", "_ends", "_roles", "_scripts", "entities", "wallets")

    def __init__(self) -> None:
        self._scripts, self._ends = bytearray(), array("q", (0,))
        self.entities, self.wallets = array("i"), array("i")
        self._roles, self._accounts, self._derivations = Words(), Words(), Words()

    def append(self, script: Script) -> None:
        """Add a script."""
        self._scripts += script.script_pubkey
        self._ends.append(len(self._scripts))
        self.entities.append(script.entity_id)
        self.wallets.append(script.wallet_id)
        self._roles.append(script.role)
        self._accounts.append(script.account_id)
        self._derivations.append(script.derivation)

    def __len__(self) -> int:
        return len(self.entities)

    def script_pubkey(self, number: int) -> bytes:
        """The bytes of a script."""
        return bytes(self._scripts[self._ends[number] : self._ends[number + 1]])

    def __getitem__(self, number: int) -> HeldScript:
        return HeldScript(
            self.script_pubkey(number),
            self.entities[number],
            self.wallets[number],
            self._roles[number],
            self._accounts[number],
            self._derivations[number],
        )

    def __iter__(self) -> Iterator[HeldScript]:
        return (self[number] for number in range(len(self)))
