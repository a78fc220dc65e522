"""Why a query is nothing that is known here, told without repeating what may be a secret."""

import re
import unicodedata
from typing import Final

from cointrail.bitcoin.descriptor import FUNCTIONS, parse_descriptor
from cointrail.errors import InputRefused
from cointrail.service.search.answers import Kind
from cointrail.service.search.recognise import Refused, address_networks, looks_like_base58, looks_like_witness

_LONGEST_ADDRESS: Final = 100
_SHORTEST: Final = 20
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_EXTENDED: Final = re.compile(r"[a-zA-Z]pub[0-9A-Za-z]+")
_DESCRIPTOR: Final = re.compile(rf"(?:{'|'.join(FUNCTIONS)})\(")


def why_not(core: str) -> Refused | None:
    """The reason why a query is nothing; None where it has none but that nothing is known by it.

    Args:
        core: the query without blanks and quotes around it.
    """
    if not core:
        return Refused(Kind.UNKNOWN, "", "the text is empty")
    if re.search(r"\s", core):
        return None
    visible = "".join(each for each in core if "!" <= each <= "~")
    if visible != core and (looks_like_witness(visible) or looks_like_base58(visible)):
        return Refused(Kind.ADDRESS, "", _strange(core))
    if _DESCRIPTOR.match(core):
        return _descriptor(core)
    if _EXTENDED.fullmatch(core) and len(core) >= _SHORTEST:
        says = f"like an extended public key, but of {len(core)} characters: one has 111"
        return Refused(Kind.EXTENDED_KEY, "", says)
    if len(core) <= _LONGEST_ADDRESS and (looks_like_witness(core) or looks_like_base58(core)):
        found, reason = address_networks(core)
        return None if found else Refused(Kind.ADDRESS, "", reason)
    if len(core) >= _SHORTEST and _HEX.fullmatch(core):
        says = f"{len(core)} hex digits: a txid or block hash has 64, a public key 66 or 130; a script is script:HEX"
        return Refused(Kind.UNKNOWN, "", says)
    if core[:3].lower() in ("bc1", "tb1") or core[:5].lower() == "bcrt1":
        return Refused(Kind.ADDRESS, "", f"like a witness address, but of {len(core)} characters: one has 14 to 90")
    return None


def _strange(core: str) -> str:
    """Names the first character that cannot stand in an address; it may not be visible."""
    position, character = next((at, each) for at, each in enumerate(core, 1) if not "!" <= each <= "~")
    name = unicodedata.name(character, "CONTROL CHARACTER")
    return f"like an address, but U+{ord(character):04X} {name} at position {position} cannot stand in one"


def _descriptor(core: str) -> Refused | None:
    try:
        parse_descriptor(core)
    except InputRefused as error:
        return Refused(Kind.DESCRIPTOR, "", f"like a descriptor, but {error}")
    return None
