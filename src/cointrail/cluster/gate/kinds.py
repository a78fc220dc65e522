"""What the gate can say about a transaction: signs, one a detector, and the class they add up to.

The bits of `Sign` are part of the store format: a bit never changes its meaning and is never given away again.
Classes and their precedence are METHODS.md 3.2, the detectors 3.1; every rule has a page in docs/methods.
"""

from collections.abc import Mapping
from enum import IntFlag, StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a transaction was found to be; the first that applies, in this order, none last (METHODS.md 3.2)."""

    NONE = "none"
    LISTED = "listed"
    WHIRLPOOL = "whirlpool"
    WASABI2 = "wasabi2"
    WASABI1 = "wasabi1"
    JOINMARKET = "joinmarket"
    EQUAL_OUTPUT = "equal_output"
    AMBIGUOUS = "ambiguous"


class Sign(IntFlag):
    """One bit a detector, in a u32. Bits 0 to 10 are a veto against co-spend, bits from 16 on only inform."""

    LISTED = 1 << 0
    WHIRLPOOL = 1 << 1
    WASABI2_GRAPHSENSE = 1 << 2
    WASABI2_DUMPLINGS = 1 << 3
    WASABI2_RELAXED = 1 << 4
    WASABI1_0 = 1 << 5
    WASABI1_1 = 1 << 6
    JOINMARKET = 1 << 7
    BLOCKSCI_FLAG = 1 << 8
    GENERIC = 1 << 9
    STONEWALL = 1 << 10
    TX0 = 1 << 16
    UNNECESSARY_INPUT = 1 << 17
    OTHER_EQUAL_OUTPUT = 1 << 18


INFORMATIVE = Sign.TX0 | Sign.UNNECESSARY_INPUT | Sign.OTHER_EQUAL_OUTPUT
"""Signs that a reader may weigh and that suppress nothing."""

VETO = Sign((1 << 11) - 1)
"""Signs that forbid to believe in one owner of the inputs: bits 0 to 10."""

_BY_SIGN: dict[Sign, tuple[str, int]] = {
    Sign.LISTED: ("coinjoin.listed", 1),
    Sign.WHIRLPOOL: ("coinjoin.whirlpool", 1),
    Sign.WASABI2_GRAPHSENSE: ("coinjoin.wasabi2.graphsense", 1),
    Sign.WASABI2_DUMPLINGS: ("coinjoin.wasabi2.dumplings", 1),
    Sign.WASABI2_RELAXED: ("coinjoin.wasabi2.relaxed", 1),
    Sign.WASABI1_0: ("coinjoin.wasabi1.0", 1),
    Sign.WASABI1_1: ("coinjoin.wasabi1.1", 1),
    Sign.JOINMARKET: ("coinjoin.joinmarket", 1),
    Sign.BLOCKSCI_FLAG: ("coinjoin.blocksci", 1),
    Sign.GENERIC: ("coinjoin.generic", 1),
    Sign.STONEWALL: ("coinjoin.stonewall", 1),
    Sign.TX0: ("whirlpool.tx0", 1),
    Sign.UNNECESSARY_INPUT: ("payjoin.unnecessary_input", 1),
    Sign.OTHER_EQUAL_OUTPUT: ("coinjoin.other_equal_output", 1),
}

RULES: tuple[tuple[str, int], ...] = tuple(rule for sign, rule in _BY_SIGN.items() if sign in VETO)
"""(rule id, version) of every veto sign, in the order of the bits."""

INFORMATIVE_RULES: tuple[tuple[str, int], ...] = tuple(rule for sign, rule in _BY_SIGN.items() if sign in INFORMATIVE)
"""(rule id, version) of every sign that only informs."""

RULE_OF: Mapping[Sign, str] = MappingProxyType({sign: rule for sign, (rule, _) in _BY_SIGN.items()})
"""The rule id of each single sign."""

VERSION_OF: Mapping[Sign, int] = MappingProxyType({sign: version for sign, (_, version) in _BY_SIGN.items()})
"""The version of each single sign's rule."""

_PRECEDENCE = (
    (Sign.LISTED, Kind.LISTED),
    (Sign.WHIRLPOOL, Kind.WHIRLPOOL),
    (Sign.WASABI2_GRAPHSENSE | Sign.WASABI2_DUMPLINGS | Sign.WASABI2_RELAXED, Kind.WASABI2),
    (Sign.WASABI1_0 | Sign.WASABI1_1, Kind.WASABI1),
    (Sign.JOINMARKET, Kind.JOINMARKET),
    (Sign.BLOCKSCI_FLAG | Sign.GENERIC, Kind.EQUAL_OUTPUT),
    (Sign.STONEWALL, Kind.AMBIGUOUS),
)


def kind_of(signs: int) -> Kind:
    """Name the class that signs add up to.

    Args:
        signs: bits of `Sign`; informative ones are ignored.

    Method: METHODS.md 3.2.
    """
    return next((kind for sign, kind in _PRECEDENCE if signs & sign), Kind.NONE)
