"""Addresses: the text of a scriptPubKey on one network, and the way back.

Reading is strict: nothing is trimmed, corrected or guessed, and every refusal says why. Only P2PKH, P2SH and witness
programs have an address; P2PK and bare multisig have none. A text that may be a private key or a list of seed words
is never repeated in an error. Sources: BIP13, BIP173, BIP350, Core `key_io.cpp`.
"""

import unicodedata

from cointrail.bitcoin import base58, bech32
from cointrail.bitcoin.network import NETWORKS, Network
from cointrail.bitcoin.script import ScriptType, classify, payload, script_from_payload, witness_program
from cointrail.errors import AddressError, InputRefused

MAX_LENGTH = 100

_LONGEST_SHOWN = 40  # base58 addresses have at most 35 characters, private keys 51 and more
_HASH_SIZE = 20
_EXTENDED_KEY_LETTERS = "xyztuvYZUV"  # BIP32 and SLIP132


def address_of(script_pubkey: bytes, network: Network) -> str | None:
    """Return the address of a scriptPubKey on a network.

    Args:
        script_pubkey: any scriptPubKey.
        network: whose prefixes to write.

    Returns:
        The address, or None when the script has none.
    """
    script_type = classify(script_pubkey)
    if script_type is ScriptType.P2PKH:
        return base58.encode_check(bytes((network.pubkey_hash_prefix,)) + payload(script_pubkey, script_type))
    if script_type is ScriptType.P2SH:
        return base58.encode_check(bytes((network.script_hash_prefix,)) + payload(script_pubkey, script_type))
    program = witness_program(script_pubkey)
    if program is None or script_type is ScriptType.NONSTANDARD:
        return None
    return bech32.encode(network.bech32_prefix, *program)


def script_of(address: str, network: Network) -> bytes:
    """Return the scriptPubKey an address stands for.

    Args:
        address: the text as given, no surrounding space; witness addresses in lower or upper case.
        network: the network it must belong to.

    Raises:
        AddressError: the text is no address, or one of another network; the message gives the reason.
    """
    _check_text(address)
    if _is_witness_text(address):
        return _witness_script(address, network)
    return _base58_script(address, network)


def _witness_script(address: str, network: Network) -> bytes:
    try:
        decoded = bech32.decode(address)
    except InputRefused as error:
        raise AddressError(f"{_shown(address)} is not an address: {error}") from error
    names = [known.name for known in NETWORKS.values() if known.bech32_prefix == decoded.hrp]
    if not names:
        raise AddressError(f"{_shown(address)} is not a bitcoin address: prefix {decoded.hrp!a} belongs to no network")
    _check_network(address, names, network)
    version_opcode = 0x50 + decoded.version if decoded.version else 0
    return bytes((version_opcode, len(decoded.program))) + decoded.program


def _base58_script(address: str, network: Network) -> bytes:
    try:
        data = base58.decode_check(address, longest=MAX_LENGTH)
    except InputRefused as error:
        raise AddressError(f"{_shown(address)} is not an address: {error}") from error
    if len(data) in (33, 34) and any(data[0] == known.wif_prefix for known in NETWORKS.values()):
        raise AddressError("the text is a private key, not an address; it is not repeated here")
    if len(data) != 1 + _HASH_SIZE:
        raise AddressError(f"{_shown(address)} is not an address: {len(data)} bytes, {1 + _HASH_SIZE} are needed")
    types = {
        ScriptType.P2PKH: [known.name for known in NETWORKS.values() if known.pubkey_hash_prefix == data[0]],
        ScriptType.P2SH: [known.name for known in NETWORKS.values() if known.script_hash_prefix == data[0]],
    }
    for script_type, names in types.items():
        if names:
            _check_network(address, names, network)
            return script_from_payload(script_type, data[1:])
    raise AddressError(f"{_shown(address)} is not a bitcoin address: version byte {data[0]} belongs to no network")


def _check_network(address: str, names: list[str], network: Network) -> None:
    if network.name not in names:
        raise AddressError(f"{_shown(address)} is an address of {'/'.join(names)}, this ledger is {network.name}")


def _check_text(text: str) -> None:
    """Refuse what cannot be an address before its characters are decoded."""
    if not text:
        raise AddressError("the text is empty, an address is needed")
    if text[1:4] in ("pub", "prv") and text[0] in _EXTENDED_KEY_LETTERS:
        kind = "public" if text[1:4] == "pub" else "private"
        raise AddressError(f"an extended {kind} key ({text[:4]}) is not an address; it is not repeated here")
    if len(text) > MAX_LENGTH:
        raise AddressError(f"text of {len(text)} characters is longer than any address ({MAX_LENGTH})")
    for position, character in enumerate(text, start=1):
        if not "!" <= character <= "~":
            name = unicodedata.name(character, "CONTROL CHARACTER")
            raise AddressError(
                f"U+{ord(character):04X} {name} at position {position} cannot stand in an address",
                hint="give the address alone, without surrounding space or formatting",
            )


def _is_witness_text(text: str) -> bool:
    """Return whether the text is to be read as bech32: by a known prefix, or because its checksum says so."""
    lowered = text.lower()
    if any(lowered.startswith(f"{network.bech32_prefix}1") for network in NETWORKS.values()):
        return True
    try:
        bech32.decode_values(text)
    except InputRefused:
        return False
    return True


def _shown(text: str) -> str:
    """Return the text for a message, unless it is so long that it may be a private key."""
    if len(text) <= _LONGEST_SHOWN or _is_witness_text(text):
        return ascii(text)
    return f"text of {len(text)} characters"
