"""Write the reference pages that follow from the code, or check that they are up to date.

python docs/generate.py            write them
python docs/generate.py --check    exit code 1 and the names of the pages that are stale
"""

import argparse
import contextlib
import dataclasses
import enum
import inspect
import io
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from typer.main import get_command

from cointrail import config, errors
from cointrail.cli.main import app, run
from cointrail.ledger import schema
from cointrail.ledger.digest import hashed_columns
from cointrail.ledger.indexes import NAMES
from cointrail.ledger.verify import Damage
from cointrail.service import answers, changes, lists, maintenance, overlays, proofs, simulations
from cointrail.service.attribution import answers as tags
from cointrail.service.exposures import answers as exposures
from cointrail.service.exposures import risk_answers
from cointrail.service.prices import imports as prices
from cointrail.service.profiles import counterparties, profile, who
from cointrail.service.roles import answers as roles
from cointrail.service.search import answers as searches
from cointrail.service.tracing import answers as traces
from cointrail.service.tracing import bounds, cash_out, funding, linkability, paths, peels
from cointrail.simulation.score.scorer import Score

REFERENCE = Path(__file__).resolve().parent / "reference"
HELP_WIDTH = "100"
NOTE = "<!-- Written by docs/generate.py from {source}. Do not edit: change the source and run `make docs`. -->\n"

# Which command gives which answer with --json; the answers in it are described after it.
COMMANDS = {
    "status": answers.Status,
    "block": answers.BlockAnswer,
    "tx": answers.TransactionAnswer,
    "address": answers.AddressAnswer,
    "address --history": answers.HistoryEntry,
    "cluster": answers.ClusterAnswer,
    "change": changes.ChangeAnswer,
    "explain": proofs.ProofAnswer,
    "explain --check-file": proofs.CheckAnswer,
    "overlay show": overlays.OverlayAnswer,
    "overlay apply": overlays.OverlayEffect,
    "overlay compare": overlays.OverlayComparison,
    "lists show": lists.ListsAnswer,
    "lists add": lists.ListAnswer,
    "trace": traces.TraceAnswer,
    "bounds": bounds.BoundsAnswer,
    "peel": peels.PeelAnswer,
    "paths": paths.PathsAnswer,
    "funding": funding.FundingAnswer,
    "cashout": cash_out.CashOutAnswer,
    "linkability": linkability.LinkabilityAnswer,
    "search": searches.SearchAnswer,
    "profile": who.ProfilePage,
    "profile --unspent": profile.UnspentAnswer,
    "counterparties": counterparties.CounterpartiesAnswer,
    "roles": roles.RolesAnswer,
    "deposits": roles.DepositsAnswer,
    "exposure": exposures.ExposureAnswer,
    "risk": risk_answers.RiskAnswer,
    "tags import": tags.ImportsAnswer,
    "tags list": tags.TagsAnswer,
    "tags collections": tags.CollectionsAnswer,
    "tags history": tags.HistoryAnswer,
    "tags retract": tags.TakenAnswer,
    "tags export": tags.ExportAnswer,
    "tags pools": tags.PoolsAnswer,
    "prices import": prices.PriceImport,
    "prices list": prices.PriceList,
    "prices at": prices.PriceAnswer,
    "ingest": maintenance.IngestAnswer,
    "verify": maintenance.VerifyAnswer,
    "simulate": simulations.SimulationAnswer,
    "score": Score,
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def first_line(thing: object) -> str:
    """The first sentence of a docstring."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def store_format() -> str:
    """The whole on-disk format on one screen."""
    parts = [NOTE.format(source="src/cointrail/ledger/schema.py"), f"# Store format {schema.FORMAT}\n\n"]
    parts.append(
        "A ledger is a folder. Each column is a file `TABLE/COLUMN.col` of fixed-width little-endian cells; the row "
        "number is the id, in chain order. Only rows below the counts in the manifest exist. A **link** is a cell that "
        "a later row may rewrite; it holds the id of the row that wrote it and is believed only if that row lies in "
        "the snapshot and points back. A **local** column says where things lie on this host. The digest covers every "
        "column that is neither, table by table, in the order below. **Derived** tables follow from the chain by rules "
        "with a version, which the manifest names; they are outside the digest, and rows written by a transaction "
        "beyond the snapshot do not exist. `u4` is an unsigned number of four bytes, `i8` a signed one of eight, "
        "`u1[32]` 32 bytes.\n\n"
    )
    hashed = {(each.name, column.name) for each, column in hashed_columns()}
    for each in schema.ALL_TABLES:
        derived = each in schema.DERIVED
        size = sum(column.row_bytes for column in each.columns)
        parts.append(f"## {each.name}: row = `{each.row_id}`, {size} bytes{', derived' * derived}\n\n")
        rows = []
        for column in each.columns:
            kind = "link" if column.link else "local" if column.local else "fixed"
            assert ((each.name, column.name) in hashed) == (kind == "fixed" and not derived)
            cell = column.dtype.removeprefix("<") + (f"[{column.width}]" if column.width > 1 else "")
            rows.append((f"`{column.name}`", cell, kind, column.text))
        parts.append(table(("column", "cell", "kind", "holds"), rows) + "\n")
    parts.append(
        "## Beside the tables\n\n"
        + table(
            ("file", "holds"),
            (
                (
                    "`MANIFEST.json`",
                    "format, network, height, block hash, counts, digest, generation, runs, refused blocks, how the "
                    "clusters were built, source, program, checksum (SHA-256 of the rest, keys sorted, no spaces); "
                    "replaced atomically",
                ),
                (
                    f"`index/{{{','.join(NAMES)}}}.NNNNNNNN.run`",
                    "a sorted run: all keys (u8), then all ids (u4); a key is the first eight bytes of the txid, or of "
                    "SHA-256(scriptPubKey), or of a script's spelling (see methods/same-key.md), as a number",
                ),
                ("`lists/SHA256.txt`, `.minisig`", "a list of transactions in force, and its signature"),
                ("`LOCK`", "held by the one writer"),
            ),
        )
    )
    parts.append("\n`digest[h] = SHA-256(digest[h - 1] || rows of block h)`, and `digest[-1]` is 32 zero bytes.\n")
    return "".join(parts)


def command_line() -> str:
    """Every help text."""
    parts = [NOTE.format(source="the commands' help"), "# Command line\n\n"]
    parts.append(
        "Answers go to stdout, words and progress to stderr. `-h` works everywhere. Exit codes: [errors](errors.md); "
        "fields of `--json`: [json](json.md); settings: [settings](settings.md).\n"
    )
    parts += [
        f"\n## cointrail {name}".rstrip() + f"\n\n```text\n{help_of(name).strip()}\n```\n"
        for name in ["", *command_names(get_command(app))]
    ]
    return "".join(parts)


def command_names(command: object, before: str = "") -> Iterator[str]:
    """Every command below one, groups before their members."""
    for name, each in getattr(command, "commands", {}).items():
        yield f"{before}{name}"
        yield from command_names(each, f"{before}{name} ")


def help_of(name: str) -> str:
    """The help of one command, of the program for an empty name."""
    text = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = HELP_WIDTH
    try:
        with contextlib.redirect_stdout(text):
            code = run([*name.split(), "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    assert code == 0, name
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def settings() -> str:
    """The table of settings."""
    in_file = {setting.name for setting in config.SETTINGS if setting.in_file}
    rows = [
        (f"`{each.name}`", f"`{each.variable}`", "yes" if each.name in in_file else "no", each.text)
        for each in config.SETTINGS
    ]
    return (
        NOTE.format(source="src/cointrail/config.py")
        + "# Settings\n\nPrecedence: **flag > environment > file > default**. `cointrail config` prints each value and "
        "where it comes from. The file is TOML; an unknown key in it is refused with the nearest name.\n\n"
        + table(("setting", "environment variable", "in the file", "meaning"), rows)
        + '\n```toml\n# config.toml\nledger = "/data/ledger"\n```\n\n'
        "Respected besides: `NUMBA_CACHE_DIR` (compiled kernels; default: `cointrail` in the user's cache folder, by "
        "the digest of the kernels' source), `XDG_CACHE_HOME`, `COLUMNS` (width of help texts). No setting is a "
        "secret, and cointrail opens no network connection.\n"
    )


def errors_tree(kind: type[errors.CointrailError] = errors.CointrailError, depth: int = 0) -> Iterator[Sequence[str]]:
    """The tree of errors as rows."""
    name = "&nbsp;" * 4 * depth + f"`{kind.__name__}`"
    yield name, f"`{kind.code}`", str(kind.exit_code), str(kind.http_status), first_line(kind)
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from errors_tree(child, depth + 1)


def errors_page() -> str:
    """Errors, exit codes, HTTP status."""
    return (
        NOTE.format(source="src/cointrail/errors.py")
        + "# Errors and exit codes\n\nExit code 0 means done; an empty but complete answer is 0. Every other code "
        "comes with a line `error: ...` on stderr and often a line `hint: ...`. The HTTP status is for the web API to "
        "come; `code` is the stable name for programs.\n\n"
        + table(("error", "code", "exit code", "HTTP", "meaning"), errors_tree())
        + "\nErrors that Python's own errors stand behind: out of memory and a file or disk that cannot be read or "
        "written end with 6, Ctrl-C with 130; anything unforeseen is a fault of ours and ends with 1. "
        "`cointrail --verbose ...` adds the program's trace.\n"
    )


def json_page() -> str:
    """The fields of every answer."""
    parts = [NOTE.format(source="the dataclasses in src/cointrail/service"), "# JSON answers\n\n"]
    parts.append(
        "What `--json` prints, and what the Python API gives as frozen dataclasses of the same names. Amounts are "
        "integers in satoshi, times ISO 8601 in UTC, ids in hex as a node displays them. `basis` says whether the "
        "answer is a fact or an inference; `snapshot` names what it is bound to.\n\n"
    )
    parts.append(table(("command", "answer"), ((f"`{name}`", link(kind)) for name, kind in COMMANDS.items())))
    parts.append(
        "\n`address --history` prints JSON lines: first `{total, first}` (transactions in all, number of the first "
        "entry shown), then one entry a line, oldest first. `config` prints one object: for each setting `{value, "
        "origin}`.\n"
    )
    for kind in described():
        hints = typing.get_type_hints(kind)
        rows = [(f"`{field.name}`", spell(hints[field.name])) for field in dataclasses.fields(kind)]
        parts.append(f"\n## {kind.__name__}\n\n{described_as(kind)}\n\n{table(('field', 'type'), rows)}")
    return "".join(parts)


def described_as(kind: type) -> str:
    """A docstring, its attributes as a list."""
    text, _, attributes = (inspect.getdoc(kind) or "").partition("\n\nAttributes:\n")
    items = re.sub(r"^ {4}(?! )([\w, ]+): ", r"- `\1`: ", attributes, flags=re.MULTILINE)
    return f"{text}\n\n{re.sub(r'^ {8}', '  ', items, flags=re.MULTILINE)}".strip()


def described() -> list[type]:
    """The answers of the commands, each followed by those it is made of, none twice."""
    found: list[type] = []

    def add(hint: object) -> None:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            if hint not in found:
                found.append(hint)
                for each in typing.get_type_hints(hint).values():
                    add(each)
            return
        for each in typing.get_args(hint):
            add(each)

    for kind in COMMANDS.values():
        add(kind)
    assert Damage in found
    return found


def link(kind: type) -> str:
    """A link to an answer's section."""
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def spell(hint: object) -> str:
    """A type in words."""
    plain = {int: "integer", str: "text", bool: "true or false", float: "number", types.NoneType: "null"}
    if isinstance(hint, type) and hint in plain:
        return plain[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f'`"{each}"`' for each in arguments)
    if origin is tuple:
        return f"list of {spell(arguments[0])}"
    if origin is Mapping:
        return "object, as [SnapshotName](#snapshotname)"
    if origin is dict:
        return f"object: {spell(arguments[0])} to {spell(arguments[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(spell(each) for each in arguments)
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return "one of " + ", ".join(f"`{each}`" for each in hint)
    assert dataclasses.is_dataclass(hint), hint
    assert isinstance(hint, type)
    return link(hint)


PAGES: dict[str, Callable[[], str]] = {
    "store-format.md": store_format,
    "cli.md": command_line,
    "settings.md": settings,
    "errors.md": errors_page,
    "json.md": json_page,
}


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="Write the generated reference pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    check = parser.parse_args().check
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
