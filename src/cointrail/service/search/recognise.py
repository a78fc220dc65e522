"""What a piece of text is, by its own shape and checksum: no ledger is asked here.

Strict as the codecs are: nothing is corrected. What looks like something and is not gets the codec's reason.
"""

import re
from dataclasses import dataclass
from typing import Final

from cointrail.bitcoin import bech32
from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.descriptor import Descriptor, parse_descriptor
from cointrail.bitcoin.extended_key import LENGTHS, parse_extended_public_key
from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.public_key import is_public_key
from cointrail.bitcoin.script import ScriptType, script_from_payload
from cointrail.errors import AddressError, InputRefused
from cointrail.service.search.answers import Kind
from cointrail.service.search.tokens import Form, Token

_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
_KEY: Final = re.compile(r"0[23][0-9a-fA-F]{64}|0[467][0-9a-fA-F]{128}")
_EXTENDED: Final = re.compile(r"[a-zA-Z]pub[0-9A-Za-z]+")
_INVOICE: Final = re.compile(r"(?:lnbc|lntb|lntbs|lnbcrt)[0-9]*[munp]?1[02-9ac-hj-np-z]{100,}", re.IGNORECASE)
_WITNESS: Final = tuple({f"{network.bech32_prefix}1" for network in NETWORKS.values()})
_WITNESS_LENGTHS: Final = range(14, 91)
_BASE58_LENGTHS: Final = range(25, 36)
_BASE58_FIRST: Final = frozenset("123mn")
_LARGEST_VOUT: Final = (1 << 32) - 1
_CONFUSED: Final = frozenset("0OIl")
_LONGEST_SCRIPT_HEX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Recognised:
    """A piece that is something.

    Attributes:
        kind: what.
        text: as it is shown.
        says: the beginning of the sentence about it.
        scripts: scriptPubKeys it stands for, each with a word for it.
        networks: those it can belong to, empty if it does not say.
        value: hash in displayed order, height, seconds, or `txid:vout`, as text.
    """

    kind: Kind
    text: str
    says: str
    scripts: tuple[tuple[str, bytes], ...] = ()
    networks: tuple[str, ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece that looks like something and is not; `text` is empty where it must not be repeated."""

    kind: Kind
    text: str
    says: str


def recognise(token: Token) -> Recognised | Refused | None:
    """What a piece is; None if it is nothing. Secrets are to be found before, by `secrets.secrets_in`."""
    text = token.text
    if token.form is Form.WORD:
        return recognise_word(text)
    if token.form is Form.OUTPOINT:
        return _outpoint(text)
    if token.form is Form.SCRIPT:
        return _script(text)
    if token.form is Form.CLUSTER:
        found = recognise_word(text)
        if isinstance(found, Recognised) and found.kind in (Kind.ADDRESS, Kind.PUBLIC_KEY):
            says = f"the cluster of {found.says}"
            return Recognised(Kind.CLUSTER, found.text, says, found.scripts, found.networks)
        return found
    if token.form is Form.DESCRIPTOR:
        return _descriptor(text)
    return Recognised(Kind.TIME if token.form is Form.TIME else Kind.HEIGHT, text, "", value=text.replace(",", ""))


def recognise_word(text: str) -> Recognised | Refused | None:
    """What a run of letters and digits is."""
    if _HASH.fullmatch(text):
        return Recognised(Kind.HASH, text.lower(), "64 hex digits", value=text.lower())
    if _KEY.fullmatch(text):
        return _public_key(text.lower())
    if len(text) in LENGTHS and _EXTENDED.fullmatch(text):
        return _extended_key(text)
    if looks_like_witness(text) or looks_like_base58(text):
        return _address(text)
    if _INVOICE.fullmatch(text):
        return Recognised(Kind.INVOICE, f"{text[:10]}...", "a Lightning invoice: nothing on the chain bears its name")
    return None


def looks_like_witness(text: str) -> bool:
    """Whether a text begins and is as long as a witness address."""
    return len(text) in _WITNESS_LENGTHS and text.lower().startswith(_WITNESS)


def looks_like_base58(text: str) -> bool:
    """Whether a text begins, is as long, and is as mixed as a base58 address; an address may look otherwise."""
    return len(text) in _BASE58_LENGTHS and text[0] in _BASE58_FIRST


def address_networks(address: str) -> tuple[dict[str, bytes], str]:
    """The script of an address by network, and why it is none if there is no network."""
    found, reason = {}, ""
    for network in NETWORKS.values():
        try:
            found[network.name] = script_of(address, network)
        except AddressError as error:
            reason = str(error)
    return found, reason


def shortened(text: str) -> str:
    """The first and the last six characters."""
    return f"{text[:6]}...{text[-6:]}" if len(text) > 15 else text


def scripts_of_key(key: bytes) -> tuple[tuple[str, bytes], ...]:
    """The scripts that a public key alone determines."""
    digest = hash160(key)
    found = [("p2pk", bytes([len(key)]) + key + b"\xac"), ("p2pkh", script_from_payload(ScriptType.P2PKH, digest))]
    if len(key) == 33:
        witness = script_from_payload(ScriptType.P2WPKH, digest)
        found += [("p2wpkh", witness), ("p2sh-p2wpkh", script_from_payload(ScriptType.P2SH, hash160(witness)))]
    return tuple(found)


def _address(text: str) -> Recognised | Refused | None:
    found, reason = address_networks(text)
    if found:
        shown = text.lower() if looks_like_witness(text) else text
        return Recognised(Kind.ADDRESS, shown, "an address", (("", next(iter(found.values()))),), tuple(found))
    mixed = any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
    if not looks_like_witness(text) and not mixed:
        return None  # a long word or number that happens to begin like an address
    return Refused(Kind.ADDRESS, text, reason + _hint(text))


def _hint(text: str) -> str:
    if looks_like_witness(text):
        wrong = set(text.lower().rpartition("1")[2]) - set(bech32.CHARSET)
        return "; after the last 1 there is never b, i or o" if wrong & set("bio") else ""
    if set(text) & _CONFUSED:
        return "; base58 has no 0, O, I or l: look at the original again"
    return ""


def _public_key(text: str) -> Recognised | Refused:
    data = bytes.fromhex(text)
    if not is_public_key(data):
        return Refused(
            Kind.PUBLIC_KEY, shortened(text), f"{len(data)} bytes like a public key, but no point of the curve"
        )
    form = "compressed" if len(data) == 33 else "uncompressed"
    return Recognised(Kind.PUBLIC_KEY, text, f"a {form} public key", scripts_of_key(data))


def _extended_key(text: str) -> Recognised | Refused:
    try:
        key = parse_extended_public_key(text)
    except InputRefused as error:
        return Refused(Kind.EXTENDED_KEY, shortened(text), f"like an extended public key, but {error}")
    says = (
        f"an extended public key ({key.version.prefix}, for {key.version.scripts}), depth {key.depth}, fingerprint "
        f"{key.fingerprint.hex()}; its checksum is right. Deriving its addresses is not built yet"
    )
    return Recognised(Kind.EXTENDED_KEY, shortened(text), says, networks=key.version.networks)


def _outpoint(text: str) -> Recognised | Refused:
    txid, _, vout = text.lower().partition(":")
    if len(vout) > 10 or int(vout) > _LARGEST_VOUT:
        return Refused(Kind.OUTPOINT, "", f"an outpoint whose output number is larger than {_LARGEST_VOUT}")
    value = f"{txid}:{int(vout)}"
    return Recognised(Kind.OUTPOINT, value, "an output", value=value)


def _script(text: str) -> Recognised | Refused:
    if len(text) % 2 or len(text) > _LONGEST_SCRIPT_HEX:
        odd = "an odd number of hex digits" if len(text) % 2 else "longer than any script that can be spent"
        return Refused(Kind.SCRIPT, "", f"a script of {len(text):,} hex digits: {odd}")
    raw = bytes.fromhex(text)
    return Recognised(Kind.SCRIPT, f"script:{text.lower()}", f"a script of {len(raw)} bytes", (("", raw),))


def _descriptor(text: str) -> Recognised | Refused | None:
    try:
        read = parse_descriptor(text)
        return None if read.is_private else _read_descriptor(read)
    except InputRefused as error:
        if text.count("#") != 1 and len(text) < 20:
            return None  # prose that calls something pk(...)
        return Refused(Kind.DESCRIPTOR, "", f"like a descriptor, but {error}")


def _read_descriptor(read: Descriptor) -> Recognised:
    checksum = f"checksum {read.checksum}" + (" is right" if read.has_checksum else ", computed: it was not given")
    says = f"a descriptor {read.function}(), {checksum}"
    if read.address:
        found, reason = address_networks(read.address)
        if not found:
            raise InputRefused(f"addr() holds no address: {reason}")
        return Recognised(
            Kind.DESCRIPTOR, f"addr({read.address})", says, (("", next(iter(found.values()))),), tuple(found)
        )
    shown = f"{read.function}(...)#{read.checksum}"
    if not read.scripts:
        says += "; what it pays has to be derived, which is not built yet"
    names = ("p2pk", "p2pkh", "p2wpkh", "p2sh-p2wpkh") if read.function == "combo" else ("",)
    return Recognised(Kind.DESCRIPTOR, shown, says, tuple(zip(names, read.scripts, strict=False)))
