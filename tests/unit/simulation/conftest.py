"""One small world with its ledger and the product's result files, made once a session; copies of them to damage."""

import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import duckdb
import perfect_answers
import pytest
from plot_case import Case, case_of
from result_files import link, read, write

from cointrail.ledger.reader import Reader
from cointrail.service.maintenance import ingest
from cointrail.service.scoring import answer
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL
from cointrail.simulation.score.tables import Tables


class Bazaar(NamedTuple):
    """Folders; nobody writes into them."""

    world: Path
    ledger: Path
    results: Path


@pytest.fixture(scope="session")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Bazaar:
    """The small world of seed 1."""
    folder = tmp_path_factory.mktemp("bazaar")
    made = Bazaar(folder / "world", folder / "ledger", folder / "results")
    simulate(made.world, SMALL, 1)
    assert ingest(made.world / "chain" / "xor", made.ledger).complete
    with Reader(made.ledger) as reader:
        answer(made.world, reader, made.results)
    return made


@pytest.fixture(params=(1, 2, 3))
def case(request: pytest.FixtureRequest) -> Case:
    """The plot of three seeds."""
    return case_of(request.param)


@pytest.fixture(scope="module")
def tables(bazaar):
    """Truth tables and result files as lists of dicts."""
    truth = {name: read(bazaar.world / "truth" / f"{name}.csv") for name in ("entities", "scripts", "transactions")}
    truth |= {name: read(bazaar.world / "truth" / f"{name}.csv") for name in ("inputs", "outputs")}
    results = {path.stem: read(path) for path in bazaar.results.glob("*.csv")}
    return SimpleNamespace(truth=truth, results=results)


@pytest.fixture(scope="module")
def ideal(bazaar, tables, tmp_path_factory):
    """Result files of a product that makes no mistake."""
    folder = link(bazaar.results, tmp_path_factory.mktemp("ideal"))
    controllers = {row["entity_id"]: row["controller_id"] for row in tables.truth["entities"]}
    of_script = {row["script_hash"]: controllers[row["entity_id"]] for row in tables.truth["scripts"]
                 if row["entity_id"] in controllers}  # fmt: skip
    partition = [
        {"script_hash": row["script_hash"], "cluster_id": of_script.get(row["script_hash"], "-1")}
        for row in tables.results["partition"]
    ]
    write(folder / "partition.csv", partition)
    rounds = {row["txid"] for row in tables.truth["transactions"] if row["kind"] == "coinjoin"}
    verdicts = [row | {"class": "coinjoin" if row["txid"] in rounds else "none"} for row in tables.results["coinjoins"]]
    write(folder / "coinjoins.csv", verdicts)
    write(folder / "partition_l2.csv", partition)
    beside = Counter(row["txid"] for row in tables.truth["outputs"])
    change = [{"txid": row["txid"], "vout": row["vout"], "rule": "truth"} for row in tables.truth["outputs"]
              if row["is_change"] == "true" and beside[row["txid"]] > 1]  # fmt: skip
    write(folder / "changes.csv", change)
    (market,) = (row["entity_id"] for row in tables.truth["entities"] if row["kind"] == "market")
    held = [row["script_hash"] for row in tables.truth["scripts"]
            if row["entity_id"] == market and row["used"] == row["swept"] == "true"]  # fmt: skip
    write(folder / "cluster.csv", [{"purchase_no": number, "script_hash": script, "cluster_id": 7, "level": level}
                                   for number in (1, 2, 3) for level in ("L1", "L2") for script in held])  # fmt: skip
    (payjoin,) = (row["txid"] for row in tables.truth["transactions"] if row["label"] == "payjoin-merchant")
    write(folder / "merges.csv", [{"purchase_no": number, "txid": payjoin, "rank": 1, "reason": "a; \"b\"",
                                   "excluded": "true"} for number in (1, 2, 3)])  # fmt: skip
    tagged = {row["entity_id"]: row for row in tables.truth["entities"] if row["tagged"] == "true"}
    write(folder / "names.csv", [{"script_hash": row["script_hash"], "name": tagged[row["entity_id"]]["name"].lower(),
                                  "categories": tagged[row["entity_id"]]["kind"], "standing": "attributed"}
                                 for row in tables.truth["scripts"] if row["entity_id"] in tagged])  # fmt: skip
    for name in perfect_answers.NAMES:
        (folder / f"{name}.csv").unlink(missing_ok=True)
    shutil.rmtree(folder / "requests", ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def traced(bazaar, ideal, tmp_path_factory):
    """The same, with perfect answers about where money came from and went."""
    folder = link(ideal, tmp_path_factory.mktemp("traced"))
    perfect_answers.write_answers(bazaar.world, ideal / "cluster.csv", folder)
    return folder


@pytest.fixture(scope="module")
def traced_alone(traced, tmp_path_factory):
    """The same with almost nothing in the files about the whole ledger, which are long."""
    folder = link(traced, tmp_path_factory.mktemp("traced-alone"))
    for name in ("transactions", "outputs", "partition", "partition_l2", "changes", "coinjoins"):
        write(folder / f"{name}.csv", read(folder / f"{name}.csv")[:1])
    return folder


@pytest.fixture
def altered(bazaar, traced_alone, tmp_path):
    """Tables of perfect answers of which one file was changed: a context manager, given a file and the change."""
    results = link(traced_alone, tmp_path / "altered")

    def change_and_open(name, change):
        write(results / f"{name}.csv", change(read(traced_alone / f"{name}.csv")))
        return Tables(results, bazaar.world)

    return change_and_open


@pytest.fixture
def copy(bazaar, ideal, tmp_path):
    """Copies of the ideal results and of the truth, to be damaged."""
    results, world = link(ideal, tmp_path / "results"), link(bazaar.world, tmp_path / "world")

    def truth(name, change):
        path = world / "truth" / f"{name}.parquet"
        target = path.resolve()
        path.unlink()
        duckdb.execute(f"COPY ({change.format(table=f'read_parquet({str(target)!r})')}) TO '{path}' (FORMAT parquet)")

    def result(name, change):
        path = results / f"{name}.csv"
        write(path, change(read(path)))

    return SimpleNamespace(world=world, results=results, truth=truth, result=result)
