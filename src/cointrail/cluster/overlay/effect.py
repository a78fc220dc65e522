"""What an overlay says about one snapshot: its subjects as rows of the ledger.

A subject that the snapshot does not hold has no effect there and is named in `absent`: an overlay made at one height
can be read at any other.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.hashes import parse_hash
from cointrail.cluster.gate.kinds import RULE_OF, Sign
from cointrail.cluster.overlay.document import script_named
from cointrail.cluster.overlay.entries import Kind, Overlay
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """An overlay, resolved.

    Attributes:
        excluded: int64, transactions whose co-spend is not believed, ascending.
        rules_off: rules that decide nothing.
        signs_off: signs of the gate that do not suppress.
        split: int64, scripts that some entry splits off, ascending.
        side: int64, same shape, at least 1: scripts of different sides are not linked by any rule. All scripts that are
            in no split are on side 0.
        merges: int64 (m, 2), scripts that are asserted to go together.
        absent: (number of the entry, subject) of what the snapshot does not hold.
    """

    excluded: I64
    rules_off: frozenset[str]
    signs_off: Sign
    split: I64
    side: I64
    merges: I64
    absent: tuple[tuple[int, str], ...]

    def sides(self, scripts: I64) -> I64:
        """The side each script is on, int64, same shape."""
        found = np.zeros(scripts.shape, np.int64)
        if len(self.split):
            at = np.minimum(np.searchsorted(self.split, scripts), len(self.split) - 1)
            inside = self.split[at] == scripts
            found[inside] = self.side[at[inside]]
        return found


def effect_of(reader: Reader, overlay: Overlay) -> Effect:
    """Resolve an overlay at a reader's snapshot.

    Raises:
        InputRefused: it is of another network.
    """
    check_network(reader, overlay.network, overlay.name)
    return _Resolution(reader, overlay).effect()


def check_network(reader: Reader, network: str, name: str) -> None:
    """Raise `InputRefused` if a ledger is not of the network that the overlay of this name is for."""
    if network != reader.snapshot.network:
        raise InputRefused(
            f"overlay {name!a} is for {network}, this ledger is {reader.snapshot.network}",
            hint="an overlay fits ledgers of its own network only",
        )


class _Resolution:
    def __init__(self, reader: Reader, overlay: Overlay) -> None:
        self.reader, self.overlay = reader, overlay
        self.absent: list[tuple[int, str]] = []
        self.excluded: set[int] = set()
        self.rules: set[str] = set()
        self.entries_of: dict[int, list[int]] = {}  # of a split script
        self.merges: list[tuple[int, int]] = []
        for number, entry in enumerate(overlay.entries):
            if entry.kind is Kind.EXCLUDE_TRANSACTION:
                self._exclude(number, entry.subjects[0])
            elif entry.kind is Kind.RULE_OFF:
                self.rules.add(entry.subjects[0])
            else:
                self._scripts(number, entry.kind, entry.subjects)

    def _exclude(self, number: int, txid: str) -> None:
        found = self.reader.find_transactions(parse_hash(txid))
        self.excluded.update(found)
        if not found:
            self.absent.append((number, txid))

    def _scripts(self, number: int, kind: Kind, subjects: tuple[str, ...]) -> None:
        found = [self.reader.find_script(script_named(each, self.overlay.network)) for each in subjects]
        self.absent += [(number, text) for text, script in zip(subjects, found, strict=True) if script is None]
        present = [script for script in found if script is not None]
        if kind is Kind.SPLIT:
            for script in present:
                self.entries_of.setdefault(script, []).append(number)
        elif len(present) == 2:
            self.merges.append((present[0], present[1]))

    def effect(self) -> Effect:
        sides: dict[tuple[int, ...], int] = {}
        split = sorted(self.entries_of)
        side = [sides.setdefault(tuple(self.entries_of[script]), len(sides) + 1) for script in split]
        signs_off = Sign(0)
        for sign, rule in RULE_OF.items():
            if rule in self.rules:
                signs_off |= sign
        return Effect(
            excluded=np.array(sorted(self.excluded), np.int64),
            rules_off=frozenset(self.rules),
            signs_off=signs_off,
            split=np.array(split, np.int64),
            side=np.array(side, np.int64),
            merges=np.array(self.merges, np.int64).reshape(-1, 2),
            absent=tuple(self.absent),
        )
