"""Labels of a wallet (BIP-329): what its user wrote beside addresses, transactions and outputs.

They are the words of whoever held the wallet, perhaps of a suspect: tags of their own kind (concept `own_words`,
confidence `unknown`), which name nobody and speak for no cluster. Amounts and rates are kept as they are written, and
characters that nobody sees are spelled out in a label, since evidence is not refused for an emoji.
Written are labels of addresses, transactions and outputs; never `spendable`, which would steer a wallet.

Source: BIP-329; ECOSYSTEM.md 2.4.
"""

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

from cointrail.attribution.confidence import UNKNOWN
from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.homoglyphs import escaped
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag

FORMAT: Final = "bip329"
VERSION: Final = 1
MOST_BYTES: Final = 1 << 30
LONGEST_LINE: Final = 64 << 10
LONGEST_LABEL: Final = 4_096

OWN_WORDS: Final = "own_words"
"""Concept that marks a wallet's labels."""

AUTHOR: Final = "wallet's user"

_KINDS: Final = {
    "addr": (SubjectKind.ADDRESS, re.compile(r"[!-~]{1,120}")),
    "tx": (SubjectKind.TRANSACTION, re.compile(r"[0-9A-Fa-f]{64}")),
    "output": (SubjectKind.OUTPUT, re.compile(r"[0-9A-Fa-f]{64}:[0-9]{1,10}")),
    "pubkey": (SubjectKind.PUBKEY, re.compile(r"(?:[0-9A-Fa-f]{2}){32,65}")),
    "xpub": (SubjectKind.XPUB, re.compile(r"[A-Za-z]pub[1-9A-HJ-NP-Za-km-z]{50,116}")),
}
_TYPES: Final = {SubjectKind.ADDRESS: "addr", SubjectKind.TRANSACTION: "tx", SubjectKind.OUTPUT: "output"}
_READ_OTHERWISE: Final = frozenset({"type", "ref", "label"})
_HINT: Final = "give BIP-329 labels: one JSON object a line"


def read_bip329(path: Path) -> Pack:
    """Read a wallet's labels; lines are read as the tags are iterated.

    Args:
        path: of a file of JSON lines, at most 1 GiB, 64 KiB a line.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no such file; about a line, when the tags are iterated, with its number.
    """
    file = open_source(path, MOST_BYTES)
    skipped: dict[str, int] = {}
    return Pack(path.name, file.sha256, FORMAT, VERSION, {}, _tags(file, skipped), (), skipped)


def write_bip329(tags: Iterable[Tag], file: TextIO) -> dict[str, int]:
    """Write tags as labels for a wallet.

    Args:
        tags: an analyst's; those that are a wallet's own words are left out.
        file: opened for text in UTF-8.

    Returns:
        How many were left out, by reason.
    """
    left_out: dict[str, int] = {}
    for tag in tags:
        kind = _TYPES.get(tag.subject.kind)
        reason = ""
        if OWN_WORDS in tag.statement.concepts:
            reason = "a wallet's own words"
        elif kind is None:
            reason = f"subject {tag.subject.kind}"
        if reason:
            _count(left_out, reason)
            continue
        label = {"type": kind, "ref": tag.subject.text, "label": tag.statement.label}
        file.write(json.dumps(label, ensure_ascii=False, separators=(", ", ": ")) + "\n")
    return left_out


def _tags(file: SourceFile, skipped: dict[str, int]) -> Iterator[Tag]:
    for line, text in enumerate(file.lines(LONGEST_LINE), 1):
        if not text.strip():
            continue
        record = _record(file, line, text)
        kind, ref, label = (record.get(name, "") for name in ("type", "ref", "label"))
        if not isinstance(kind, str) or not isinstance(ref, str) or not kind or not ref:
            raise file.refused(line, "it has no text `type`, or no text `ref`", _HINT)
        if not isinstance(label, str | None) or len(label or "") > LONGEST_LABEL:
            raise file.refused(line, f"its label is no text of at most {LONGEST_LABEL:,} characters", _HINT)
        if kind not in _KINDS:
            _count(skipped, f"type {kind[:20]!a}")
        elif not label or not label.strip():
            _count(skipped, "no label")
        elif ref[1:4] == "prv":
            _count(skipped, "private key")
        elif not _KINDS[kind][1].fullmatch(ref):
            _count(skipped, f"ref that is no {kind}")
        else:
            extra = tuple(
                (name, canonical(value)) for name, value in sorted(record.items()) if name not in _READ_OTHERWISE
            )
            yield Tag(Subject(_KINDS[kind][0], ref), _statement(file, label, extra), line)


def _statement(file: SourceFile, label: str, extra: tuple[tuple[str, str], ...]) -> Statement:
    return Statement(
        label=escaped(label.strip()),
        source=f"wallet labels of {file.path.name}",
        confidence=UNKNOWN,
        concepts=(OWN_WORDS,),
        tag_type="attribute",
        is_cluster_definer=False,
        author=AUTHOR,
        currency="BTC",
        network="BTC",
        extra=extra,
    )


def _record(file: SourceFile, line: int, text: str) -> dict[str, Any]:
    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number")

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice")
        return found

    try:
        record = json.loads(text, parse_float=Decimal, parse_constant=constant, object_pairs_hook=mapping)
        # deep values are refused here, not where they are written later
        canonical(record)
    except json.JSONDecodeError as error:
        raise file.refused(line, f"no JSON: {error.msg.lower()}", _HINT) from error
    except RecursionError as error:
        raise file.refused(line, "it is nested too deeply", _HINT) from error
    except (ValueError, ArithmeticError) as error:
        reason = "a number has too many digits" if "digits" in f"{error}" else f"{error}"
        raise file.refused(line, reason, _HINT) from error
    if not isinstance(record, dict):
        raise file.refused(line, "it is no JSON object", _HINT)
    return record


def canonical(value: Any) -> str:
    """JSON without spaces, names ascending, decimals digit by digit as they were written."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return str(value) if isinstance(value, Decimal) else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _count(counts: dict[str, int], reason: str) -> None:
    counts[reason] = counts.get(reason, 0) + 1
