"""`make bench`: measure ingest, look-ups, kernels, peers, clusters, traces, tags, profiles and exposures.

A table on stderr, one JSON document on stdout.

python benchmarks/run.py [--transactions 10000000] [--markdown docs/benchmarks.md] [--only kernels peers]

Measuring some parts anew, with `--keep` and the document of a run before, leaves its other parts as they were; the page
says which run measured what.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clusters
import exposures
import flows
import ingest
import kept
import kernels
import lookups
import machine
import peels
import peers
import profiles
import report
import resolved
import tags
import traces
from chain import cached_chain

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("ingest", "lookups", "kernels", "peers", "clusters", "traces", "tags", "profiles", "exposures")


def _options() -> argparse.Namespace:
    data = Path(os.environ.get("COINTRAIL_DATA") or ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--transactions", type=int, default=10_000_000, help="aimed at by the large chain; the small has a tenth"
    )
    parser.add_argument("--repetitions", type=int, nargs=2, default=(3, 2), metavar=("SMALL", "LARGE"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=ROOT / ".bench", help="chains and ledgers, kept between runs")
    parser.add_argument("--blocks", type=Path, default=data / "blocks" / "mainnet-singles", help="real blocks, *.blk")
    parser.add_argument("--peer-python", help=f"interpreter that has the peers; also {peers.ENVIRONMENT}")
    parser.add_argument("--rounds", type=int, default=peers.ROUNDS, help="of kernels, peers and unions")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="a document of before: what is not measured now")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the page")
    options = parser.parse_args()
    options.kept = {} if options.keep is None else _kept(parser, options)
    return options


def _kept(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, Any]:
    """The document of before; read first, so that nothing is measured in vain."""
    try:
        document: dict[str, Any] = json.loads(options.keep.read_text())
        before = document["parameters"]
        missing = [name for name in ("transactions", "seed") if before[name] != getattr(options, name)]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        parser.error(f"--keep {options.keep} is no document of this program: {fault}")
    if missing:
        parser.error(f"--keep {options.keep} has another {' and '.join(missing)}: its parts do not compare")
    return document


def _lookups(options: argparse.Namespace) -> dict[str, Any]:
    """In the ledger that the large ingest left."""
    ledger = _ledger(options)
    blocks, _ = cached_chain(options.work, options.transactions, options.seed)
    return lookups.measure(ledger, blocks)


def _kernels(options: argparse.Namespace) -> dict[str, Any]:
    blocks, _ = cached_chain(options.work, max(options.transactions // 10, 1), options.seed)
    return kernels.measure(blocks / "blk00000.dat", options.rounds)


def _peers(options: argparse.Namespace) -> dict[str, Any]:
    if not any(options.blocks.glob("*.blk")):
        raise ingest.NotMeasured(f"no real blocks at {options.blocks}")
    return peers.measure(options.blocks, options.peer_python, options.rounds)


def _clusters(options: argparse.Namespace, document: dict[str, Any]) -> dict[str, Any]:
    """On the ledger of this run's large ingest, or of one more."""
    setting = clusters.Setting(options.work, options.transactions, options.seed, options.rounds, options.peer_python)
    return clusters.measure(setting, document.get("ingest", {}).get("large"))


def _traces(options: argparse.Namespace) -> dict[str, Any]:
    """In the ledger that the large ingest left."""
    ledger = _ledger(options)
    return {
        "traces": ingest.attempt(lambda: traces.measure(ledger, options.rounds, options.seed)),
        "bounds": ingest.attempt(lambda: flows.measure_bounds(ledger, options.rounds, options.seed)),
        "peels": ingest.attempt(peels.measure),
    }


def _ledger(options: argparse.Namespace) -> Path:
    """The ledger that the large ingest left."""
    ledger: Path = options.work / f"ledger-{options.transactions}"
    if not ledger.exists():
        raise ingest.NotMeasured(f"there is no ledger at {ledger}")
    return ledger


def _tags(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "import": ingest.attempt(lambda: tags.measure(options.work)),
        "resolved": ingest.attempt(
            lambda: resolved.measure(_ledger(options), options.work, options.rounds, options.seed)
        ),
    }


def main() -> int:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    ingest.share_source()
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "ingest": lambda: ingest.measure_both(
            options.work, options.transactions, tuple(options.repetitions), options.seed
        ),
        "lookups": lambda: _lookups(options),
        "kernels": lambda: _kernels(options),
        "peers": lambda: _peers(options),
        "clusters": lambda: _clusters(options, document),
        "traces": lambda: _traces(options),
        "tags": lambda: _tags(options),
        "profiles": lambda: profiles.measure(_ledger(options), options.rounds, options.seed),
        "exposures": lambda: exposures.measure(_ledger(options), options.rounds, options.seed),
    }
    document: dict[str, Any] = {
        "machine": machine.describe(options.work),
        "parameters": {name: getattr(options, name) for name in ("transactions", "repetitions", "seed", "rounds")},
    }
    for name in PARTS:
        if name in options.only:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            document[name] = ingest.attempt(work[name])
    document["machine"]["load_after"] = machine.load()
    document = kept.joined(options.kept, document, PARTS) if options.kept else document
    print(report.as_text(document), file=sys.stderr)
    if options.markdown:
        options.markdown.write_text(report.as_markdown(document))
    print(json.dumps(document, indent=2))
    return int(any(_is_missing(document[name]) for name in options.only))


def _is_missing(part: dict[str, Any]) -> bool:
    """Whether something was not measured, the parts of a part included."""
    return "not_measured" in part or any("not_measured" in each for each in part.values() if isinstance(each, dict))


if __name__ == "__main__":
    sys.exit(main())
