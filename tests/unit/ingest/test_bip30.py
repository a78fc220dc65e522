"""Two transactions of one txid (RELIABILITY C10): coinbases repeated as mainnet did at 91,842 and 91,880.

The kernel forbids it in regtest, so the chains are written here; the truth is a replay by Core's rule, in which the
unspent outputs are a dictionary by outpoint and a repeated coinbase replaces what stands there.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ingest_runs import assert_same_ledger, build
from ledger_view import LedgerView, SeenOutput, read_back
from regtest import COINBASE_MATURITY, RegtestChain, UnspentOutput
from twin_coinbases import TRUE_SCRIPT, TWIN, coinbase, fill, mine, output_of, spend

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import MAINNET, REGTEST
from cointrail.bitcoin.transaction import Transaction, TransactionOutput
from cointrail.ingest.faults import BadBlock
from cointrail.ingest.parsed import parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.report import Options
from cointrail.ingest.resolve import BulkResolver, IndexResolver
from cointrail.ingest.timing import Stages
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer

# Both resolvers, with a batch of a few blocks and with everything at once.
WAYS = [Options(bulk=bulk, batch_bytes=size) for bulk in (True, False) for size in (1_500, 1 << 24)]


def repeated_unspent() -> RegtestChain:
    """Mainnet's case: nothing of the first is spent."""
    chain = RegtestChain()
    fill(chain, 3)
    mine(chain, TWIN)
    fill(chain, 5)
    mine(chain, TWIN)
    fill(chain, 3)
    return chain


def repeated_at_once() -> RegtestChain:
    """In two blocks that follow each other."""
    chain = RegtestChain()
    mine(chain, TWIN)
    mine(chain, TWIN)
    fill(chain, 2)
    return chain


def repeated_partly_spent() -> RegtestChain:
    """One output of the first is spent before, so only the others are overwritten."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    mine(chain, coinbase(b"1234"), [spend(chain, TWIN, 0)])
    mine(chain, TWIN)
    fill(chain, 2)
    return chain


def repeated_fully_spent() -> RegtestChain:
    """What BIP30 allows: nothing is left of the first, so nothing is overwritten."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    mine(chain, coinbase(b"1234"), [spend(chain, TWIN, 2, 0, 1)])
    mine(chain, TWIN)
    fill(chain, 2)
    return chain


def spent_and_repeated_in_one_block() -> RegtestChain:
    """The coinbase comes first in its block: the spender beside it spends the new outputs, which are immature ..."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY - 1)
    mine(chain, coinbase(b"1234"), [spend(chain, TWIN, 0, 1)])  # ... and are mature 100 blocks later
    return chain


def three_times_with_spends() -> RegtestChain:
    """Three of one id; the middle one is partly spent, the last one too; a child of the same id comes twice as well."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, 4)
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    child = spend(chain, TWIN, 2)
    mine(chain, coinbase(b"aaaa"), [child, spend_all(chain, child)])
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    mine(chain, coinbase(b"bbbb"), [child])
    fill(chain, 1)
    return chain


def spend_all(chain: RegtestChain, tx: Transaction) -> Transaction:
    for output in tx.outputs:
        chain.learn(replace(chain.default_lock, script_pubkey=output.script_pubkey))
    prevouts = [UnspentOutput(tx.txid, n, o.value_sat, o.script_pubkey, 0, False) for n, o in enumerate(tx.outputs)]
    return chain.spend(prevouts, [TransactionOutput(sum(o.value_sat for o in tx.outputs), b"\x54")])


CASES = {
    case.__name__: (case, overwritten)
    for case, overwritten in (
        (repeated_unspent, [(4, 0), (4, 1), (4, 2)]),
        (repeated_at_once, [(1, 0), (1, 1), (1, 2)]),
        (repeated_partly_spent, [(1, 1), (1, 2)]),
        (repeated_fully_spent, []),
        (spent_and_repeated_in_one_block, [(1, 0), (1, 1), (1, 2)]),
        (three_times_with_spends, [(1, 0), (1, 1), (1, 2), (6, 0), (6, 1)]),
    )
}


def replayed(chain: RegtestChain) -> tuple[list[tuple[int, int]], dict[tuple[bytes, int], SeenOutput]]:
    """(count and value at each height, unspent outputs at the tip) by Core's rule."""
    unspent: dict[tuple[bytes, int], SeenOutput] = {}
    sums = [(0, 0)]
    for node in chain.branch()[1:]:
        for number, tx in enumerate(node.block.transactions):
            for each in tx.inputs if number else ():
                del unspent[each.outpoint.txid, each.outpoint.vout]
            for vout, output in enumerate(tx.outputs):
                place = (node.txids[number], vout)
                unspent[place] = SeenOutput(output.value_sat, output.script_pubkey, node.height, number == 0)
        sums.append((len(unspent), sum(output.value_sat for output in unspent.values())))
    return sums, unspent


def overwritten_by_height(view: LedgerView) -> list[tuple[int, int]]:
    heights = {tx.tx_index: height for height, block in enumerate(view.blocks) for tx in block.transactions}
    return [(heights[tx_index], vout) for tx_index, vout in view.overwritten]


@pytest.mark.parametrize("name", CASES)
def test_repeated_coinbases(name, tmp_path):
    """Unspent outputs, sums at each height, marks and index are Core's, in every way of ingest."""
    make, overwritten = CASES[name]
    chain = make()
    one_block = [Options(bulk=bulk, batch_bytes=1) for bulk in (True, False)] if len(chain.branch()) < 50 else []
    views = []
    for number, options in enumerate([*WAYS, *one_block]):
        folder = tmp_path / str(number)
        report = build(folder, chain.serialized(), options=options)
        assert report.complete
        assert (report.refused, report.height) == ([], chain.height_of(chain.tip))
        assert verify(folder / "ledger") == []
        views.append(read_back(folder / "ledger"))
        with Reader(folder / "ledger") as reader:
            twins = reader.find_transactions(TWIN.txid)
            heights = reader.height_of_transactions(twins).tolist()
        assert heights == [node.height for node in chain.branch() if TWIN.txid in node.txids]
        assert len(twins) == 2 + (name == "three_times_with_spends")
    view = views[0]
    assert all(each == view for each in views)
    sums, unspent = replayed(chain)
    assert view.unspent == unspent
    assert [(block.unspent_outputs, block.unspent_value_sat) for block in view.blocks] == sums
    assert overwritten_by_height(view) == overwritten


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bulk", [True, False])
def test_block_by_block_in_runs_of_their_own(name, bulk, tmp_path):
    """Each run begins with what the ledger holds; the ways alternate."""
    chain = CASES[name][0]()
    raw = chain.serialized()
    heights = [node.height for node in chain.branch() if TWIN.txid in node.txids]
    for height in sorted({h + d for h in heights for d in (-1, 0, 1)} | {len(raw) - 1}):
        bulk = not bulk
        build(tmp_path, raw, options=Options(until=height, bulk=bulk))
    build(tmp_path / "fresh", raw)
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / "ledger")
    assert read_back(tmp_path / "ledger") == read_back(tmp_path / "fresh" / "ledger")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bulk", [True, False])
def test_rewind_across_a_repeat_restores_the_first(name, bulk, tmp_path):
    """For every height below the tip: a branch that leaves there makes the ledger what it would be without the rest."""
    chain = CASES[name][0]()
    raw, hashes = chain.serialized(), chain.block_hashes()
    top = chain.tip
    heights = [node.height for node in chain.branch() if TWIN.txid in node.txids]
    for number, fork in enumerate(sorted({h + d for h in heights for d in (-1, 0)})):
        folder = tmp_path / str(number)
        build(folder, raw, options=Options(bulk=bulk))
        chain.tip = hashes[fork]
        fill(chain, len(raw) - fork, b"\xff")
        report = build(folder, [*raw, *chain.serialized()[fork + 1 :]], options=Options(bulk=bulk))
        assert report.rewound == len(raw) - 1 - fork
        build(folder / "fresh", chain.serialized())
        assert_same_ledger(folder / "ledger", folder / "fresh" / "ledger")
        view = read_back(folder / "ledger")
        assert view == read_back(folder / "fresh" / "ledger")
        assert view.unspent == replayed(chain)[1]
        chain.tip = top


def test_time_travel_below_a_repeat(tmp_path):
    chain = repeated_unspent()
    build(tmp_path, chain.serialized())
    for height in (4, 9, 10, 13):
        with Reader(tmp_path / "ledger", height) as reader:
            twins = reader.find_transactions(TWIN.txid)
            assert len(twins) == (1 if height < 10 else 2)
            first, last = (np.array(reader.outputs_of(twins[position])) for position in (0, -1))
            assert reader.overwritten(first).tolist() == [height >= 10] * 3
            assert reader.unspent(first).tolist() == [height < 10] * 3
            assert reader.unspent(last).tolist() == [True] * 3
            assert reader.spenders(first).tolist() == [-1] * 3
            script = reader.find_script(TRUE_SCRIPT)
            history = list(reader.outputs_of_script(script))
            assert set(first.tolist()) | set(last.tolist()) <= set(history)


def test_the_survivor_is_what_a_later_spend_spends(tmp_path):
    chain = spent_and_repeated_in_one_block()
    build(tmp_path, chain.serialized())
    view = read_back(tmp_path / "ledger")
    spender = view.blocks[-1].transactions[1]
    assert [prevout.height for prevout in spender.prevouts] == [COINBASE_MATURITY + 2] * 2
    assert spender.outpoints == [(TWIN.txid, 0), (TWIN.txid, 1)]


@pytest.mark.parametrize("options", WAYS)
def test_overwritten_output_cannot_be_spent_any_more(options, tmp_path):
    """Its value is gone: a second spend finds the survivor spent."""
    chain = spent_and_repeated_in_one_block()
    sound = chain.serialized()
    mine(chain, coinbase(b"late"), [chain.spend([output_of(TWIN, 0)], [TransactionOutput(1, TRUE_SCRIPT)])])
    report = build(tmp_path, chain.serialized(), options=options)
    assert report.height == len(sound) - 1
    assert "bad-txns-inputs-missingorspent" in report.refused[0]


@pytest.mark.parametrize("options", WAYS)
def test_survivor_matures_from_its_own_height(options, tmp_path):
    """The first twin is 100 blocks old, the second is not: refused."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY - 2)
    mine(chain, TWIN)
    mine(chain, coinbase(b"1234"), [spend(chain, TWIN, 0)])
    report = build(tmp_path, chain.serialized(), options=options)
    assert report.height == COINBASE_MATURITY
    assert "bad-txns-premature-spend-of-coinbase" in report.refused[0]


@pytest.mark.parametrize("options", WAYS)
def test_other_transactions_must_not_repeat_what_is_unspent(options, tmp_path):
    """BIP30 proper: the child of a repeated coinbase has the id of the first child, whose outputs are unspent."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    child = spend(chain, TWIN, 0, 1, 2)
    mine(chain, coinbase(b"aaaa"), [child])
    mine(chain, TWIN)
    fill(chain, COINBASE_MATURITY)
    sound = chain.serialized()
    mine(chain, coinbase(b"bbbb"), [child])
    report = build(tmp_path, chain.serialized(), options=options)
    (text,) = report.refused
    assert "bad-txns-BIP30" in text
    assert display(child.txid) in text
    assert report.height == len(sound) - 1
    assert report.digest == build(tmp_path / "sound", sound).digest


@pytest.mark.parametrize("resolver", [BulkResolver, IndexResolver])
def test_mainnet_allows_its_two_repeats_only(resolver, tmp_path):
    """Where a network lists its repeats, a coinbase of an unspent id is refused at every other height."""
    assert [height for height, _ in MAINNET.bip30_repeats] == [91_842, 91_880]
    chain = repeated_unspent()
    raw = chain.serialized()
    build(tmp_path, raw, options=Options(until=9))
    buffer = np.frombuffer(raw[10] + bytes(64), np.uint8)
    parsed = parse(RawBlocks(buffer, np.array([0]), np.array([len(raw[10])]), [], 10), Stages())

    def marks(height: int) -> list[int]:
        network = replace(REGTEST, bip30_repeats=((height, parsed.block_hash[0].tobytes()),))
        with Writer(tmp_path / "ledger", "regtest") as writer:
            return resolver(writer, network).resolve(parsed).overwritten.tolist()

    assert len(marks(10)) == 3
    with pytest.raises(BadBlock, match="bad-txns-BIP30"):
        marks(11)


def test_index_survives_many_runs(tmp_path):
    """Both twins are found whatever runs of the index they lie in, and after the runs were merged."""
    chain = repeated_unspent()
    folder: Path = tmp_path / "ledger"
    for height in range(len(chain.serialized())):
        build(tmp_path, chain.serialized(), options=Options(until=height))
        with Reader(folder) as reader:
            assert len(reader.find_transactions(TWIN.txid)) == (height >= 4) + (height >= 10)
            latest = reader.find_latest_transactions(np.frombuffer(TWIN.txid, np.uint8).reshape(1, 32))
            assert latest.tolist() == [max(reader.find_transactions(TWIN.txid), default=-1)]
