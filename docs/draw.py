"""Draw docs/images/trace.svg, the picture in README.md: where the demo's first test payment went.

make demo && python docs/draw.py

It is drawn as every trace is (docs/howto/read-a-drawing.md), so the same world gives the same picture.
"""

import argparse
import csv
import re
from pathlib import Path

from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.hashes import parse_hash
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.reports.drawing.svg import render
from cointrail.reports.flow_graph import graph_of
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services, services_of
from cointrail.trace.walk import trace

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "images" / "trace.svg"
EXCHANGES = ("Alpha", "Beta", "Gamma")


def exchanges(world: Path, reader: Reader) -> Services:
    """The exchanges that the case's tag pack names."""
    pack = (world / "inputs" / "tags" / "services.yaml").read_text("utf-8")
    tags = re.findall(r"address: '(\w+)'\n +label: (\w+)", pack)
    known = [(reader.find_script(script_of(address, REGTEST)), label) for address, label in tags if label in EXCHANGES]
    scripts = [(script, EXCHANGES.index(label)) for script, label in known if script is not None]
    return services_of(Forest(reader), *zip(*scripts, strict=True), EXCHANGES)


def payment(world: Path, reader: Reader) -> int:
    """The output of the first receipt."""
    with (world / "inputs" / "undercover.csv").open(encoding="utf-8", newline="") as file:
        receipt = next(csv.DictReader(file))
    return reader.outputs_of(reader.find_transactions(parse_hash(receipt["txid"]))[-1])[int(receipt["vout"])]


def picture(world: Path, ledger: Path) -> str:
    """The whole picture."""
    with Reader(ledger) as reader:
        seeds = Seeds.of([payment(world, reader)])
        flow = trace(reader, seeds, HAIRCUT, limits=Limits(hops=2), services=exchanges(world, reader))
        return render(graph_of(flow, reader, sources=dict.fromkeys(EXCHANGES, "the case's tag pack")))


def main() -> None:
    """Draw from the demo's folder."""
    parser = argparse.ArgumentParser(description="Draw the picture of README.md from the demo's ledger.")
    parser.add_argument("--workdir", type=Path, default=ROOT / ".demo", help="the demo's folder")
    workdir = parser.parse_args().workdir
    TARGET.write_text(picture(workdir / "world", workdir / "ledger"), encoding="utf-8")


if __name__ == "__main__":
    main()
