"""Printing answers: JSON for programs, aligned text for people, nothing else on stdout."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from cointrail.bitcoin.amounts import format_btc

_BASE58 = "[1-9A-HJ-NP-Za-km-z]"
# Private keys by their shape, so that a mistyped one is kept back too: WIF, extended, BIP38, mini keys.
_KEYS = re.compile(
    rf"(?<![0-9A-Za-z])(?:[5KL9c]{_BASE58}{{50,51}}|[a-zA-Z]prv{_BASE58}{{8,}}|6P{_BASE58}{{56}}|S{_BASE58}{{29}})(?![0-9A-Za-z])"
)
_SEED_WORDS = re.compile(r"(?<=[('])(?:[a-z]{3,8}[ ,]+){7,}[a-z]{3,8}(?=[)'])|\b(?:[a-z]{3,8} ){11,}[a-z]{3,8}\b")
_LONG = re.compile(r"\S{201,}")


COMPILING = "first run here: compiling for this machine takes some twenty seconds, once"
"""Said before work that would otherwise seem to hang."""


def redacted(text: str) -> str:
    """A text without what may be a private key or seed words: they are evidence, and output is kept in logs."""
    return _SEED_WORDS.sub("[seed words, not repeated here]", _KEYS.sub("[a private key, not repeated here]", text))


def one_line(text: str) -> str:
    """A message that holds what a user gave: redacted, nothing for a terminal to obey, nothing endless."""
    shown = _LONG.sub(lambda match: f"{match[0][:20]}... ({len(match[0]):,} characters)", redacted(text))
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in shown)


def print_json(answer: Any) -> None:
    """One answer as an indented JSON object."""
    json.dump(asdict(answer), sys.stdout, indent=2)
    sys.stdout.write("\n")


def print_json_line(document: dict[str, Any]) -> None:
    """One object a line, for lists of any length."""
    sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")


def btc(value_sat: int | None) -> str:
    """An amount as people read it; `-` where there is none."""
    return "-" if value_sat is None else f"{format_btc(value_sat)} BTC"


def number(value: int) -> str:
    """With thousands separators."""
    return f"{value:,}"


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    rows = list(fields)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name.ljust(width)}  {value}")


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns; amounts and counts to the right."""
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    right = [all(_is_amount(row[column]) for row in table[1:]) and len(table) > 1 for column in range(len(header))]
    for row in table:
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        print("  ".join(cells).rstrip())


def _is_amount(cell: str) -> bool:
    return cell == "-" or cell.removesuffix(" BTC").replace(",", "").replace(".", "").lstrip("-").isdigit()


def note(text: str) -> None:
    """A sentence for the person, on stderr."""
    print(text, file=sys.stderr)


def note_page(first: int, shown: int, total: int, what: str) -> None:
    """Say it when not everything is shown."""
    if shown < total:
        note(f"showing {number(shown)} of {number(total)} {what}, from number {number(first)}; see --first and --limit")
