"""The overlay file: reading it from bytes that anybody may have written, and writing it in one canonical form.

Nothing is corrected or guessed. Every refusal names the place in the file. Sizes are bounded before anything is read
into objects, keys may not repeat, texts may hold printable characters only, and a text that may be a private key is
never repeated in an error (bitcoin.address).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, NoReturn

from cointrail.bitcoin.address import address_of, script_of
from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.cluster.overlay.entries import FIELDS, FORMAT, Entry, Kind, MadeAt, Overlay, content_of
from cointrail.errors import AddressError, InputRefused

MOST_BYTES = 1 << 24
MOST_ENTRIES = 100_000
MOST_SCRIPTS = 100_000  # in one entry
LONGEST_NAME = 200  # of files and authors
LONGEST_REASON = 4_000

_SCRIPT_PREFIX = "script:"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_LONGEST_SCRIPT = 20_100  # characters; the longest script that can be spent has 10,000 bytes
_HEADER = ("format", "name", "network", "author", "created_utc", "snapshot", "entries")
_SNAPSHOT = ("height", "block_hash", "digest")
_SIGNED = ("author", "reason", "at_utc")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HIGHEST = 2**31 - 1


def encode(overlay: Overlay) -> bytes:
    """The file's content: JSON for people, keys in a fixed order."""
    document = {
        "format": FORMAT,
        "name": overlay.name,
        "network": overlay.network,
        "author": overlay.author,
        "created_utc": overlay.created_utc,
        "snapshot": asdict(overlay.made_at) if overlay.made_at else None,
        "entries": [content_of(each) for each in overlay.entries],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def decode(raw: bytes) -> Overlay:
    """Read an overlay.

    Args:
        raw: the file's content.

    Returns:
        The overlay, every txid and script in canonical spelling.

    Raises:
        InputRefused: it is not an overlay of this format; the message names the place and the reason.
    """
    if len(raw) > MOST_BYTES:
        _refuse("the file", f"has more than {MOST_BYTES:,} bytes")
    document = _object(_parse(raw), "the file", _HEADER)
    if type(document["format"]) is not int or document["format"] != FORMAT:
        _refuse("format", f"is not {FORMAT}, the one this program reads")
    network = _network(document["network"])
    entries = document["entries"]
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        _refuse("entries", f"is not a list of at most {MOST_ENTRIES:,} entries")
    return Overlay(
        name=checked_text(document["name"], "name"),
        network=network,
        author=checked_text(document["author"], "author"),
        created_utc=_time(document["created_utc"], "created_utc"),
        made_at=None if document["snapshot"] is None else _made_at(document["snapshot"]),
        entries=tuple(_entry(each, f"entries[{number}]", network) for number, each in enumerate(entries)),
    )


def make_entry(kind: Kind, subjects: Sequence[str], network: str, *, author: str, reason: str, at_utc: str) -> Entry:
    """Make an entry from what a person typed.

    Raises:
        InputRefused: a subject is not what the kind needs, or author or reason is empty or not printable.
    """
    return Entry(
        kind,
        _checked_subjects(kind, subjects, "", network),
        checked_text(author, "author"),
        checked_text(reason, "reason", LONGEST_REASON),
        _time(at_utc, "at_utc"),
    )


def script_named(text: str, network: str) -> bytes:
    """The scriptPubKey that an address, a public key in hex (pay-to-public-key), or `script:HEX` names.

    Raises:
        AddressError: it is none of these; the message says why.
    """
    try:
        return script_of(text, NETWORKS[network])
    except AddressError:
        stated = text.removeprefix(_SCRIPT_PREFIX)
        if not set(stated) <= _HEX_DIGITS or len(stated) % 2 or not 0 < len(stated) <= _LONGEST_SCRIPT:
            raise
        raw = bytes.fromhex(stated)
        script = raw if text.startswith(_SCRIPT_PREFIX) else bytes([len(raw) & 0xFF]) + raw + b"\xac"
        # Other hex than a public key is not tried: it may be a private key.
        if not text.startswith(_SCRIPT_PREFIX) and (len(raw) not in (33, 65) or classify(script) != ScriptType.P2PK):
            raise
        return script


def spelled(script_pubkey: bytes, network: str) -> str:
    """The canonical spelling of a script: its address, or `script:HEX` if it has none."""
    return address_of(script_pubkey, NETWORKS[network]) or f"{_SCRIPT_PREFIX}{script_pubkey.hex()}"


def _network(value: object) -> str:
    if not isinstance(value, str) or value not in NETWORKS:
        _refuse("network", f"is none of {', '.join(NETWORKS)}")
    return value


def checked_text(value: object, place: str, longest: int = LONGEST_NAME) -> str:
    """A text that says something and does nothing to a terminal.

    Raises:
        InputRefused: it is no text, empty, too long or not printable.
    """
    if not isinstance(value, str) or not value.strip():
        _refuse(place, "is empty or no text")
    if len(value) > longest:
        _refuse(place, f"has more than {longest:,} characters")
    if not value.isprintable():
        _refuse(place, "holds characters that cannot be printed on one line")
    return value


def _refuse(place: str, why: str, hint: str = "") -> NoReturn:
    raise InputRefused(
        f"not an overlay: {place} {why}", hint=hint or "see docs/howto/correct-a-cluster.md for the form"
    )


def _parse(raw: bytes) -> object:
    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            _refuse("the file", "names a key twice")
        return found

    def no_constant(name: str) -> NoReturn:
        _refuse("the file", f"holds {name}, which is not JSON")

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=no_twins, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        why = f"{error}" if isinstance(error, json.JSONDecodeError) else "not UTF-8, too deep, or a number too long"
        raise InputRefused(f"not an overlay: the file cannot be read as JSON: {why}") from error


def _object(value: object, place: str, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(place, "is not a JSON object")
    missing, foreign = [name for name in names if name not in value], sorted(set(value) - set(names))
    if missing:
        _refuse(place, f"lacks {missing[0]!r}")
    if foreign:
        _refuse(place, f"has a key it does not know, {foreign[0][:40]!a}")
    return value


def _made_at(value: object) -> MadeAt:
    stated = _object(value, "snapshot", _SNAPSHOT)
    height = stated["height"]
    if not isinstance(height, int) or isinstance(height, bool) or not 0 <= height <= _HIGHEST:
        _refuse("snapshot.height", "is not a height")
    return MadeAt(height, *(_hash(stated[name], f"snapshot.{name}") for name in _SNAPSHOT[1:]))


def _entry(value: object, place: str, network: str) -> Entry:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in list(Kind):
        _refuse(f"{place}.kind", f"is none of {', '.join(Kind)}")
    fields = FIELDS[Kind(kind)]
    stated = _object(value, place, ("kind", *fields, *_SIGNED))
    subjects = stated["scripts"] if kind == Kind.SPLIT else [stated[name] for name in fields]
    if not isinstance(subjects, list):
        _refuse(f"{place}.scripts", "is not a list")
    return Entry(
        Kind(kind),
        _checked_subjects(Kind(kind), subjects, f"{place}.", network),
        checked_text(stated["author"], f"{place}.author"),
        checked_text(stated["reason"], f"{place}.reason", LONGEST_REASON),
        _time(stated["at_utc"], f"{place}.at_utc"),
    )


def _checked_subjects(kind: Kind, subjects: Sequence[object], place: str, network: str) -> tuple[str, ...]:
    if kind is Kind.EXCLUDE_TRANSACTION:
        return (_hash(subjects[0], f"{place}txid"),)
    if kind is Kind.RULE_OFF:
        return (_rule(subjects[0], f"{place}rule"),)
    if not 0 < len(subjects) <= MOST_SCRIPTS:
        _refuse(f"{place}scripts", f"holds {len(subjects):,} scripts; 1 to {MOST_SCRIPTS:,} are possible")
    names = FIELDS[kind] if kind is Kind.MERGE else [f"scripts[{number}]" for number in range(len(subjects))]
    found = tuple(_script(each, place + name, network) for each, name in zip(subjects, names, strict=True))
    if len(set(found)) != len(found):
        _refuse(f"{place}{FIELDS[kind][0]}", "is named twice in one entry")
    return found


def _script(value: object, place: str, network: str) -> str:
    if not isinstance(value, str):
        _refuse(place, "is no text")
    try:
        return spelled(script_named(value, network), network)
    except AddressError as error:
        raise InputRefused(f"not an overlay: {place}: {error}", hint=error.hint) from error


def _hash(value: object, place: str) -> str:
    return _checked(value, place, lambda text: display(parse_hash(text)), "is not 64 hex digits")


def _time(value: object, place: str) -> str:
    def strict(text: str) -> str:
        if datetime.strptime(text, _TIME).replace(tzinfo=UTC).strftime(_TIME) != text:
            raise ValueError
        return text

    return _checked(value, place, strict, "is not a time in UTC such as 2021-03-01T12:00:00Z")


def _checked(value: object, place: str, read: Callable[[str], str], why: str) -> str:
    if not isinstance(value, str):
        _refuse(place, why)
    try:
        return read(value)
    except (InputRefused, ValueError):
        _refuse(place, why)


def _rule(value: object, place: str) -> str:
    from cointrail.cluster.forest.extend import RULES

    rules = [rule for rule, _ in RULES]
    if not isinstance(value, str) or value not in rules:
        near = get_close_matches(value[:100], rules, 1) if isinstance(value, str) else []
        hint = f"did you mean {near[0]!r}?" if near else f"rules are {', '.join(rules)}"
        _refuse(place, "is not a rule that clusters are built by", hint)
    return value
