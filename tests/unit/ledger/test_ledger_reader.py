"""Reading at any height gives what a ledger of that height would say; a reorganisation is noticed, damage too."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from chain_model import ChainModel
from effort import amount
from ledgers import content, copy_of, follow, small_chain, tiny_chain, write_model, write_source
from open_files import open_files
from regtest import zoo_chain

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.script import classify
from cointrail.errors import NotFound, SnapshotGone, Unavailable
from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import TABLES
from cointrail.ledger.writer import Writer

CHAINS = {
    "random": lambda: small_chain("reader", 12, 5).serialized(),
    "dense": lambda: tiny_chain(40, "dense"),
    "repeated coinbase": lambda: tiny_chain(16, "repeat", repeat=(4, 9)),
    "repeated at once": lambda: tiny_chain(12, "repeat 2", repeat=(5, 6)),
}


@pytest.fixture(scope="module", params=CHAINS)
def built(request, shared_place):
    """(a ledger, the model of its chain)."""
    model = ChainModel(CHAINS[request.param]())
    folder = shared_place / request.param.replace(" ", "-")
    write_model(folder, model, step=7)
    return folder, model


@pytest.fixture
def ledger(place):
    write_model(place / "ledger", ChainModel(tiny_chain()))
    return place / "ledger"


# Time travel.


def test_answers_at_every_height_are_those_of_the_chain_up_to_there(built):
    folder, model = built
    for height in range(len(model.blocks)):
        with Reader(folder, height) as reader:
            check_snapshot(reader, model, height)
            check_links(reader, model, height)
            check_order(reader, model, height)
            check_indexes(reader, model, height)
            reader.check_current()


def check_snapshot(reader: Reader, model: ChainModel, height: int) -> None:
    assert reader.height == height
    assert reader.snapshot.network == "regtest"
    assert reader.snapshot.block_hash == display(model.hashes[height])
    assert reader.snapshot.digest == model.blocks[height].digest.hex()
    assert reader.snapshot.counts == reader.counts == model.counts(height)
    for table in TABLES:
        for column in table.columns:
            cells = reader.column(table.name, column.name)
            assert len(cells) == reader.counts.of(table.name)
            if not (column.link or column.local):
                wanted = b"".join(
                    cell for block in model.blocks[: height + 1] for cell in block.cells[table.name, column.name]
                )
                assert cells.tobytes() == wanted


def check_links(reader: Reader, model: ChainModel, height: int) -> None:
    everything = np.arange(reader.counts.output)
    spenders, overwritten, unspent = model.spenders(height), model.overwritten(height), model.unspent(height)
    assert reader.spenders(everything).tolist() == spenders
    assert reader.overwritten(everything).tolist() == overwritten
    assert np.flatnonzero(reader.unspent(everything)).tolist() == unspent
    for output in (0, len(everything) - 1):  # one id alone, without an array
        assert int(reader.spenders(output)) == spenders[output]
        assert bool(reader.overwritten(output)) == overwritten[output]
        assert bool(reader.unspent(output)) == (output in unspent)
    assert len(unspent) == reader.column("block", "unspent_outputs")[height]
    values = reader.column("output", "value_sat")
    assert int(values[unspent].sum()) == reader.column("block", "unspent_value_sat")[height]
    for script in range(reader.counts.script):
        history = list(reader.outputs_of_script(script))
        wanted = model.history(model.scripts[script], height)
        assert history == wanted
        balance = sum(model.outputs[output].value_sat for output in wanted if output in unspent)
        assert int(values[history][reader.unspent(history)].sum()) == balance


def check_order(reader: Reader, model: ChainModel, height: int) -> None:
    counts = reader.counts
    assert reader.height_of_transactions(np.arange(counts.transaction)).tolist() == [
        at for at in model.tx_heights if at <= height
    ]
    owners = [output.transaction for output in model.outputs[: counts.output]]
    assert reader.transaction_of_outputs(np.arange(counts.output)).tolist() == owners
    inputs_of = [list(reader.inputs_of(tx)) for tx in range(counts.transaction)]
    assert [i for inputs in inputs_of for i in inputs] == list(range(counts.input))
    assert reader.transaction_of_inputs(np.arange(counts.input)).tolist() == [
        tx for tx, inputs in enumerate(inputs_of) for _ in inputs
    ]
    first, end = reader.output_bounds(np.arange(counts.transaction))
    for tx in range(counts.transaction):
        wanted = [place for place, owner in enumerate(owners) if owner == tx]
        assert list(reader.outputs_of(tx)) == wanted
        assert (first[tx], end[tx]) == (wanted[0], wanted[-1] + 1)
        assert reader.is_coinbase(tx) == (tx == 0 or model.tx_heights[tx] > model.tx_heights[tx - 1])


def check_indexes(reader: Reader, model: ChainModel, height: int) -> None:
    known = model.txids[: reader.counts.transaction]
    last = {txid: number for number, txid in enumerate(known)}
    for txid in dict.fromkeys(model.txids):
        assert reader.find_transactions(txid) == [number for number, each in enumerate(known) if each == txid]
    asked = [*model.txids, bytes(32), b"\xff" * 32]
    found = reader.find_latest_transactions(np.frombuffer(b"".join(asked), np.uint8).reshape(-1, 32))
    assert found.tolist() == [last.get(txid, -1) for txid in asked]
    assert reader.find_latest_transactions(np.empty((0, 32), np.uint8)).tolist() == []
    assert reader.find_transactions(bytes(32)) == []
    for at, block_hash in enumerate(model.hashes):
        assert reader.find_block(block_hash) == (at if at <= height else None)
    for number, script in enumerate(model.scripts):
        wanted = number if number < reader.counts.script else None
        assert reader.find_script(script) == wanted
        assert reader.find_script_hash(sha256(script).digest()) == wanted
        if wanted is not None:
            assert reader.script_pubkey(number) == script
            assert reader.script_type(number) == classify(script)
    assert reader.find_script(b"never paid") is None


def test_a_snapshot_says_the_same_as_a_ledger_that_ends_there(built, place):
    folder, model = built
    for height in range(len(model.blocks)):
        fresh = copy_of(folder, place / "fresh") if height == len(model.blocks) - 1 else place / f"at-{height}"
        if height < len(model.blocks) - 1:
            write_model(fresh, model, end=height + 1, step=50)
        assert content(fresh) == content(folder, height)


def test_a_snapshot_says_the_same_as_an_ingest_that_ended_there(place):
    raw = small_chain("reader", 12, 5).serialized()
    source = write_source(place / "blocks", raw)
    follow(source, place / "ledger")
    for height in (0, 1, 100, 104, len(raw) - 2)[:: amount(1, 2)]:
        follow(source, place / f"at-{height}", until=height)
        assert content(place / f"at-{height}") == content(place / "ledger", height)


def test_scripts_that_can_never_be_spent_are_known(place):
    model = ChainModel(zoo_chain().serialized())
    write_model(place, model, step=50)
    with Reader(place) as reader:
        found = reader.unspendable_scripts(np.arange(reader.counts.script)).tolist()
    assert found == [script.startswith(b"\x6a") or len(script) > 10_000 for script in model.scripts]
    assert {10_000, 10_001} <= {len(script) for script in model.scripts}


def test_two_ids_with_one_index_key_are_told_apart(place):
    model = ChainModel(tiny_chain())
    forged = [b"\x07" * 8 + txid[8:] if number % 2 else txid for number, txid in enumerate(model.txids)]
    for height, block in enumerate(model.blocks):
        block.cells["transaction", "txid"] = [t for t, at in zip(forged, model.tx_heights, strict=True) if at == height]
    model.txids[:] = forged
    write_model(place, model)
    with Reader(place) as reader:
        assert [reader.find_transactions(txid) for txid in forged] == [[number] for number in range(len(forged))]
        array = np.frombuffer(b"".join(forged), np.uint8).reshape(-1, 32)
        assert reader.find_latest_transactions(array).tolist() == list(range(len(forged)))
        assert reader.find_transactions(b"\x07" * 32) == []


# What lies beyond the snapshot.


def test_rows_and_links_that_are_not_published_do_not_exist(place):
    model = ChainModel(tiny_chain(30, "beyond"))
    write_model(place, model, end=15)
    before = content(place)
    with Reader(place) as reader, Writer(place, "regtest") as writer:
        writer.append(model.batch(15, 30))
        check_links(reader, model, 14)
        check_indexes(reader, model, 14)
        reader.check_current()
        assert content(place) == before
    assert content(place) == before


def test_a_reader_keeps_its_snapshot_while_the_ledger_grows(place):
    model = ChainModel(tiny_chain(40, "grow"))
    write_model(place, model, end=10)
    with Reader(place) as reader:
        for end in range(12, 40, 4):
            write_model(place, model, first=end - 2 if end == 12 else end - 4, end=end)
            check_links(reader, model, 9)
            check_snapshot(reader, model, 9)
            check_indexes(reader, model, 9)
            reader.check_current()


def test_a_link_whose_row_does_not_point_back_is_not_believed(ledger):
    with Reader(ledger) as reader:
        spenders = reader.spenders(np.arange(reader.counts.output))
        spent = np.flatnonzero(spenders >= 0)
        unspent = np.flatnonzero(reader.unspent(np.arange(reader.counts.output)))
    columns = ColumnSet(ledger, writable=True)
    links = columns["output", "spender"].map(len(spenders))
    links[unspent[0]] = spenders[spent[0]]
    links[unspent[1]] = -2 - 3  # says that transaction 3 repeats its txid, which is not so
    links[unspent[2]] = 10**9
    links[unspent[3]] = -(10**9)
    columns.close()
    with Reader(ledger) as reader:
        assert (reader.spenders(unspent[:4]) == -1).all()
        assert not reader.overwritten(unspent[:4]).any()
        assert reader.unspent(unspent[:4]).all()


def test_only_a_later_transaction_can_overwrite_an_earlier_one(place):
    model = ChainModel(CHAINS["repeated coinbase"]())
    write_model(place, model)
    (earlier,) = (number for number, output in enumerate(model.outputs) if output.overwriter)
    owner, repeat = model.outputs[earlier].transaction, model.outputs[earlier].overwriter[0]
    columns = ColumnSet(place, writable=True)
    columns["output", "spender"].map(len(model.outputs))[model.first_outputs[repeat]] = -2 - owner
    columns.close()
    with Reader(place) as reader:
        assert reader.overwritten([earlier, model.first_outputs[repeat]]).tolist() == [True, False]


# Reorganisations.


def rewind(folder: Path, height: int) -> None:
    with Writer(folder, "regtest") as writer:
        writer.rewind(height)


def test_a_rewind_below_a_snapshot_is_noticed_and_one_above_is_not(place):
    model = ChainModel(tiny_chain())
    write_model(place, model)
    readers = {height: Reader(place, height) for height in range(14)}
    for to in (12, 7, 3):
        rewind(place, to)
        for height, reader in readers.items():
            if height <= to:
                reader.check_current()
                check_links(reader, model, height)
            else:
                with pytest.raises(SnapshotGone, match=f"below height {height}") as raised:
                    reader.check_current()
                assert raised.value.exit_code == 3
                assert f"height {to}" in raised.value.hint
    write_model(place, model, first=4)
    for height, reader in readers.items():
        if height <= 3:
            reader.check_current()
            check_links(reader, model, height)
        reader.close()


def test_another_branch_of_the_same_length_is_noticed(place):
    model, other = ChainModel(tiny_chain()), ChainModel(tiny_chain(14, "other"))
    write_model(place, model)
    with Reader(place) as reader, Reader(place, 0) as genesis:
        rewind(place, 0)
        write_model(place, other, first=1)
        with pytest.raises(SnapshotGone):
            reader.check_current()
        genesis.check_current()
    assert content(place)["snapshot"].digest == other.blocks[-1].digest.hex()


def test_a_branch_that_went_and_came_back_is_noticed(place):
    # What was read while the other branch lay there belongs to no snapshot, although digests are the same again.
    model, other = ChainModel(tiny_chain()), ChainModel(tiny_chain(14, "other"))
    write_model(place, model)
    with Reader(place) as reader, Reader(place, 0) as genesis:
        rewind(place, 0)
        write_model(place, other, first=1)
        rewind(place, 0)
        write_model(place, model, first=1)
        with pytest.raises(SnapshotGone):
            reader.check_current()
        genesis.check_current()
    with Reader(place) as reader:
        reader.check_current()
        assert reader.snapshot.digest == model.blocks[-1].digest.hex()


def test_more_rewinds_than_are_remembered_count_as_gone(place):
    model = ChainModel(tiny_chain(5))
    write_model(place, model)
    with Reader(place, 1) as reader:
        with Writer(place, "regtest") as writer:
            for _ in range(150):
                writer.rewind(3)
                writer.append(model.batch(4, 5))
                writer.publish()
        with pytest.raises(SnapshotGone):
            reader.check_current()
    assert len(Reader(place).manifest.rewound_to) <= 100
    assert Reader(place).manifest.rewinds == 150


# What cannot be read.


@pytest.mark.parametrize("height", [-1, 14, 10**9])
def test_a_height_that_is_not_there(ledger, height):
    with pytest.raises(NotFound, match=f"height {height} is not in this ledger") as raised:
        Reader(ledger, height)
    assert "it holds heights 0 to 13" in raised.value.hint


def test_a_ledger_without_blocks(place):
    with Writer(place, "regtest") as writer:
        writer.publish()
    with pytest.raises(Unavailable, match="holds no block yet"):
        Reader(place)
    with pytest.raises(Unavailable, match="holds no block yet"):
        Reader(place, 0)


@pytest.mark.parametrize("damage", ["column", "cut", "run", "manifest", "height"])
def test_a_reader_that_cannot_be_made_leaves_nothing_open(ledger, damage):
    def open_and_fail() -> None:
        with pytest.raises((Unavailable, NotFound)):
            Reader(ledger, 99 if damage == "height" else None)

    if damage == "column":
        (ledger / "output" / "script.col").unlink()
    elif damage == "cut":
        (ledger / "block" / "digest.col").write_bytes(b"")
    elif damage == "run":
        next((ledger / "index").glob("*.run")).unlink()
    elif damage == "manifest":
        (ledger / "MANIFEST.json").write_bytes(b"{}")
    open_and_fail()
    before = open_files()
    for _ in range(5):
        open_and_fail()
    assert open_files() == before


def test_a_history_that_runs_in_a_circle_is_damage(ledger):
    with Reader(ledger) as reader:
        script = next(s for s in range(reader.counts.script) if len(list(reader.outputs_of_script(s))) > 1)
        newest, second = list(reader.outputs_of_script(script))[:2]
    columns = ColumnSet(ledger, writable=True)
    columns["output", "previous_same_script"].map(second + 1)[second] = newest
    columns.close()
    with Reader(ledger) as reader, pytest.raises(Unavailable, match="does not pay it"):
        list(reader.outputs_of_script(script))


def test_a_history_that_leads_to_another_script_is_damage(ledger):
    columns = ColumnSet(ledger, writable=True)
    with Reader(ledger) as reader:
        script = int(reader.column("output", "script")[20])
        wrong = [
            int(np.flatnonzero(reader.column("output", "script") != script)[-1]),
            reader.counts.output,
            10**12,
            -1,
            -(10**12),
        ]
        links = columns["script", "last_output"].map(reader.counts.script)
        for link in wrong:
            links[script] = link
            with pytest.raises(Unavailable, match="cannot be found") as raised:
                list(reader.outputs_of_script(script))
            assert "cointrail verify" in raised.value.hint
    columns.close()


def test_a_circle_beyond_the_snapshot_ends(place):
    # Rows beyond the counts are of no reader's concern, whatever they hold.
    model = ChainModel(tiny_chain())
    write_model(place, model)
    rewind(place, 9)
    with Reader(place) as reader:
        columns = ColumnSet(place, writable=True)
        output, script = reader.counts.output + 3, int(reader.column("output", "script")[5])
        columns["output", "script"].append(output, np.array([script]))
        columns["output", "previous_same_script"].append(output, np.array([output]))
        columns["script", "last_output"].map(reader.counts.script)[script] = output
        with pytest.raises(Unavailable, match="cannot be found"):
            list(reader.outputs_of_script(script))
        # Nor is a row followed that pays another script, even if it leads to one that pays this.
        columns["output", "script"].append(output, np.array([script + 1]))
        columns["output", "previous_same_script"].append(output, np.array([5]))
        columns.close()
        with pytest.raises(Unavailable, match="cannot be found"):
            list(reader.outputs_of_script(script))
