"""Sanctioned addresses without a profile: the remarks of OFAC's text lists, and bare lists of addresses.

`SDN.CSV` and `sdnlist.txt` say `Digital Currency Address - XBT ADDRESS;` in their remarks, a second one after `alt.`;
the lines of the latter break between any two words. The lists of 0xB10C have one address a line, or are a JSON array.
None says who is meant in a form that can be relied on: a tag says that the address is on the list, and no more.

Source: ECOSYSTEM.md 2.5.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.attribution.formats.ofac_xml import CATEGORY, CONFIDENCE, SOURCE
from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag

FORMAT: Final = "ofac-text"
VERSION: Final = 1
MOST_BYTES: Final = 64 << 20

LABEL: Final = "address on the OFAC SDN list"

REMARK: Final = re.compile(r"Digital\s+Currency\s+Address")
_REMARKS = re.compile(
    r"Digital\s+Currency\s+Address\s+-\s+([A-Z0-9]{2,10})\b(?:\s+([A-Za-z0-9]{20,120})(?![A-Za-z0-9]))?"
)
_ADDRESS = re.compile(r"[A-Za-z0-9]{20,120}")
_BITCOIN = "XBT"
_HINT = "give OFAC's SDN.CSV or sdnlist.txt, or a list of one address a line"


def read_ofac_text(path: Path) -> Pack:
    """Read a list of sanctioned addresses.

    Args:
        path: of a text of at most 64 MiB.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no such list; about a line, when the tags are iterated, with its number.
    """
    file = open_source(path, MOST_BYTES)
    skipped: dict[str, int] = {}
    text = file.text()
    if REMARK.search(text):
        found, shape = _remarks(text, skipped), "remarks"
    elif text.lstrip().startswith("["):
        found, shape = _array(file, text), "array"
    else:
        found, shape = _lines(file, text), "lines"
    return Pack(path.name, file.sha256, FORMAT, VERSION, {"shape": shape}, _tags(found), (), skipped)


def _tags(found: Iterator[tuple[str, int]]) -> Iterator[Tag]:
    statement = Statement(
        label=LABEL,
        source=SOURCE,
        confidence=CONFIDENCE,
        category=CATEGORY,
        concepts=(CATEGORY,),
        tag_type="attribute",
        currency="BTC",
        network="BTC",
    )
    seen = set()
    for address, line in found:
        if address not in seen:
            seen.add(address)
            yield Tag(Subject(SubjectKind.ADDRESS, address), statement, line)


def _remarks(text: str, skipped: dict[str, int]) -> Iterator[tuple[str, int]]:
    at, line = 0, 1
    for match in _REMARKS.finditer(text):
        currency, address = match.groups()
        line, at = line + text.count("\n", at, match.start()), match.start()
        reason = "" if currency == _BITCOIN else f"address in {currency}"
        if not address:
            reason = "remark without an address"
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
        else:
            yield address, line


def _lines(file: SourceFile, text: str) -> Iterator[tuple[str, int]]:
    for line, raw in enumerate(text.split("\n"), 1):
        address = raw.strip()
        if not address or address.startswith("#"):
            continue
        if not _ADDRESS.fullmatch(address):
            raise file.refused(line, f"{address[:60]!a} is no address", _HINT)
        yield address, line


def _array(file: SourceFile, text: str) -> Iterator[tuple[str, int]]:
    try:
        content: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise file.refused(error.lineno, f"no JSON: {error.msg.lower()}", _HINT) from error
    except (RecursionError, ValueError) as error:
        raise file.refused(0, "it is no array of addresses", _HINT) from error
    at, line, known = 0, 1, True
    for number, address in enumerate(content, 1):
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            shown = ascii(address)[:60]
            raise file.refused(0, f"entry {number} is no address: {shown}", _HINT)
        if known:
            found = text.find(f'"{address}"', at)
            known = found >= 0  # written with escapes: from here on lines are not known
            line, at = (line + text.count("\n", at, found), found) if known else (0, at)
        yield address, line
