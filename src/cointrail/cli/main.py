"""The command line's entry: the list of commands, and the one place where errors become words and exit codes."""

import os
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cointrail.cli import config, prices, score, search, simulate
from cointrail.cli.attribution import tags
from cointrail.cli.chain import address, block, ingest, status, tx, verify
from cointrail.cli.clusters import change, cluster, explain, lists, overlay
from cointrail.cli.output import one_line, redacted
from cointrail.cli.profiles import counterparties, deposits, exposure, profile, risk, roles
from cointrail.cli.tracing import bounds, cashout, funding, linkability, paths, peel, trace
from cointrail.errors import CointrailError, Unavailable
from cointrail.version import VERSION

app = typer.Typer(
    name="cointrail",
    help="Follow money on Bitcoin on your own machine, and prove every statement.",
    epilog=(
        "Exit codes: 0 done, 1 fault of ours, 2 usage, 3 not in this snapshot, 4 input refused, 5 a check failed, "
        "6 not available, 7 incomplete, 130 interrupted."
    ),
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
COMMANDS = (
    ingest, status, search, block, tx, address, profile, counterparties, roles, deposits, exposure, risk, cluster,
    change, explain, overlay, lists, tags, prices, trace, bounds, funding, cashout, peel, paths, linkability,
    verify, simulate, score, config,
)  # fmt: skip
for module in COMMANDS:
    module.register(app)


def _show_version(value: bool) -> None:
    if value:
        print(f"cointrail {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the program's trace with an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Follow money on Bitcoin on your own machine, and prove every statement."""
    del version
    _Verbose.on = verbose


class _Verbose:
    on = False


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; never raises, never prints a traceback unasked."""
    _Verbose.on = False
    streams = sys.stdout, sys.stderr
    try:
        result = app(args=arguments or ["--help"], standalone_mode=False, prog_name="cointrail")
    except CointrailError as error:
        return _explain(error)
    except TyperException as error:
        print(f"error: {one_line(error.format_message())}", file=sys.stderr)
        print("hint: cointrail --help lists the commands, cointrail COMMAND --help their options", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        result = 130
    except SystemExit:
        # Typer's answer to a closed pipe, after it has replaced both streams. The reader has gone: leave quietly.
        sys.stdout, sys.stderr = streams
        _forget_stdout()
        return 0
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return _explain(Unavailable(f"{reason}: {error.filename or 'standard output'}"))
    except MemoryError:
        print("error: out of memory; nothing that was published is lost", file=sys.stderr)
        return 6
    except Exception as error:
        return _fault(error)
    if result == 130:  # Typer's answer to Ctrl-C
        print("interrupted; what was published stays", file=sys.stderr)
    return result if isinstance(result, int) else 0


def _explain(error: CointrailError) -> int:
    print(f"error: {one_line(str(error))}", file=sys.stderr)
    if error.hint:
        print(f"hint: {one_line(error.hint)}", file=sys.stderr)
    _show_trace(error)
    return error.exit_code


def _fault(error: Exception) -> int:
    print(f"error: a fault of cointrail: {type(error).__name__}: {one_line(str(error))}", file=sys.stderr)
    print("hint: run `cointrail --verbose ...` for the trace and report it; see SECURITY.md first", file=sys.stderr)
    _show_trace(error)
    return 1


def _show_trace(error: Exception) -> None:
    if _Verbose.on:
        print(redacted("".join(traceback.format_exception(error))), file=sys.stderr, end="")


def _forget_stdout() -> None:
    """Keep Python from flushing into what can no longer be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """The `cointrail` command."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        print(f"error: cannot write the answer: {error.strerror}", file=sys.stderr)
        _forget_stdout()
        code = 6
    sys.exit(code)
