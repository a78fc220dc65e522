"""What the product says about two addresses: the way, what speaks against it, and a proof from the block files."""

import shutil
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from kin_chain import KinChain, co_spend_groups, kin_chain
from regtest import write_block_files

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.disputes import TEXT, Reason
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.overlay.entries import Kind
from cointrail.cluster.proof import document as documents
from cointrail.errors import InputRefused, NotFound, Unavailable, UsageError
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.ledger.writer import Writer
from cointrail.service import overlays, proofs
from cointrail.service.ledgers import open_ledger
from cointrail.service.stored_blocks import StoredBlocks


class Kin(NamedTuple):
    chain: KinChain
    source: Path
    ledger: Path


def built(folder: Path, key: bytes | None) -> Kin:
    chain = kin_chain(Random(7), 40)
    write_block_files(folder / "blocks", chain.chain.serialized(), REGTEST.magic, xor_key=key, per_file=30)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return Kin(chain, folder / "blocks", folder / "ledger")


@pytest.fixture(scope="module", params=[None, b"\x07\x01\x02\x03\x04\x05\x06\xff"], ids=["plain", "xored"])
def kin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kin:
    return built(tmp_path_factory.mktemp("proofs"), request.param)


def named(script: bytes) -> str:
    return f"script:{script.hex()}"


def test_raw_blocks_and_transactions_come_back_as_they_were_written(kin):
    chain = kin.chain.chain.serialized()
    with Reader(kin.ledger) as reader, StoredBlocks(reader) as blocks:
        tx_index = 0
        for height, raw in enumerate(chain):
            assert blocks.block(height) == raw
            for transaction in Block.parse(raw).transactions:
                assert blocks.transaction(tx_index) == transaction
                tx_index += 1


def test_two_that_were_spent_together_are_explained(kin):
    for group in co_spend_groups(kin.chain, 10**6):
        one, two = sorted(group.scripts)[:2]
        with open_ledger(kin.ledger) as ledger:
            answer = ledger.explain(named(one), named(two), raw=True, check=True)
        assert answer.linked
        assert len(answer.steps) == 1
        (step,) = answer.steps
        assert step.height <= group.height
        assert step.basis == ("fact" if step.rule == "same_key" else "inference") == answer.basis
        assert answer.check.valid
        assert documents.read(documents.write(answer.document)) == answer.document


def test_before_the_transaction_they_are_not_linked(kin):
    group = min(co_spend_groups(kin.chain, 10**6), key=lambda each: each.height)
    for one in sorted(group.scripts):
        for two in sorted(group.scripts):
            with open_ledger(kin.ledger, group.height - 1) as ledger:
                answer = ledger.explain(named(one), named(two), raw=True, check=True)
            if all(step.basis == "fact" for step in answer.steps) and answer.linked:
                continue
            assert not answer.linked
            assert answer.steps == ()
            assert (answer.document, answer.check) == (None, None)
            assert answer.note == (
                f"not linked at L1 up to height {group.height - 1}; that is no proof that others control them"
            )


def test_co_spends_that_are_not_believed_are_named(kin):
    """Every transaction that spends two scripts is a step, or is listed with a reason."""
    kinds = set()
    made = {}
    believed = {group.txid: group.scripts for group in co_spend_groups(kin.chain, 10**6)}
    for node in kin.chain.chain.branch():
        for txid, tx in zip(node.txids, node.block.transactions, strict=True):
            made[txid] = tx
            if tx.is_coinbase:
                continue
            scripts = sorted({made[each.outpoint.txid].outputs[each.outpoint.vout].script_pubkey for each in tx.inputs})
            for one, two in pairwise(scripts):
                with open_ledger(kin.ledger) as ledger:
                    answer = ledger.explain(named(one), named(two))
                assert answer.suppressed_complete
                listed = {each.txid: each for each in answer.suppressed}
                assert (txid[::-1].hex() in listed) == (not {one, two} <= believed.get(txid, frozenset()))
                kinds |= {each.kind for each in answer.suppressed}
                assert all(each.reason for each in answer.suppressed)
    assert "anyonecanpay" in kinds
    assert kinds > {"anyonecanpay"}


def test_disputes_of_a_step_are_shown_inside_the_snapshot_only(tmp_path):
    kin = built(tmp_path, None)
    for group in co_spend_groups(kin.chain, 10**6):
        one, two = sorted(group.scripts)[:2]
        with open_ledger(kin.ledger) as ledger:
            if [step.txid for step in ledger.explain(named(one), named(two)).steps] == [group.txid[::-1].hex()]:
                break
    with Writer(kin.ledger, "regtest") as writer:
        (disputed,) = writer.find_transactions(group.txid)
        last = writer.counts.transaction - 1
        cells = {"decided_at": np.array([last]), "tx_index": np.array([disputed]), "reason": np.array([1])}
        writer.extend("dispute", cells)
        writer.publish()
    with open_ledger(kin.ledger) as ledger:
        answer = ledger.explain(named(one), named(two))
        tip = ledger.reader.height
    (dispute,) = answer.disputes
    assert (dispute.txid, dispute.height) == (group.txid[::-1].hex(), tip)
    assert dispute.reason == TEXT[Reason.LIGHTNING]
    with open_ledger(kin.ledger, tip - 1) as ledger:
        assert ledger.explain(named(one), named(two)).disputes == ()
    overlays.new(tmp_path / "case.json", name="case", author="A", network="regtest")
    with open_ledger(kin.ledger) as ledger:
        before = ledger.cluster(named(one), overlay=tmp_path / "case.json")
        overlays.add(tmp_path / "case.json", Kind.RULE_OFF, ["lightning"], author="A", reason="both say so")
        after = ledger.cluster(named(one), overlay=tmp_path / "case.json")
    assert ([each.txid for each in before.disputes], after.disputes) == ([dispute.txid], ())
    assert {rule.id for rule in before.rules} - {rule.id for rule in after.rules} == {"lightning"}
    assert after.members == before.members


def test_block_files_that_are_gone_or_changed(tmp_path):
    kin = built(tmp_path, None)
    group = co_spend_groups(kin.chain, 10**6)[0]
    one, two = map(named, sorted(group.scripts)[:2])
    moved = kin.source.rename(tmp_path / "moved")
    with Reader(kin.ledger) as reader:
        assert proofs.explain(reader, one, two).linked
        with pytest.raises(Unavailable, match="cannot be read"):
            proofs.explain(reader, one, two, raw=True)
        shutil.copytree(moved, kin.source)
        (kin.source / "blk00003.dat").unlink()
        with pytest.raises(Unavailable, match=r"block file 3, .* is gone"):
            proofs.explain(reader, one, two, raw=True)
        for path in moved.iterdir():
            raw = bytearray(path.read_bytes())
            raw[100::150] = bytes(each ^ 1 for each in raw[100::150])
            (kin.source / path.name).write_bytes(raw)
        with pytest.raises(Unavailable, match=r"another block|another hash|are damaged|cannot be read"):
            proofs.explain(reader, one, two, raw=True)


def test_other_levels_and_unknown_scripts(kin):
    with Reader(kin.ledger) as reader:
        with pytest.raises(UsageError, match="no level L4"):
            proofs.explain(reader, "script:51", "script:51", level="L4")
        with pytest.raises(NotFound, match="no output up to height"):
            proofs.explain(reader, "script:0102", "script:0102")


def test_clusters_that_do_not_reach_the_snapshot(tmp_path):
    chain = kin_chain(Random(7), 2)
    write_block_files(tmp_path / "blocks", chain.chain.serialized(), REGTEST.magic)
    ingest(tmp_path / "blocks", tmp_path / "ledger")
    with Reader(tmp_path / "ledger") as reader:
        script = reader.script_pubkey(1)
        with pytest.raises(Unavailable, match="clusters of this ledger reach 0 blocks"):
            proofs.explain(reader, named(script), named(script))


def test_a_proof_file_is_never_overwritten(kin, tmp_path):
    script = named(sorted(co_spend_groups(kin.chain, 10**6)[0].scripts)[0])
    with open_ledger(kin.ledger) as ledger:
        document = ledger.explain(script, script, raw=True).document
    target = tmp_path / "proof.json"
    proofs.write_proof(document, target)
    assert proofs.check_proof(proofs.read_proof(target)).valid
    with pytest.raises(InputRefused, match="is there already"):
        proofs.write_proof(document, target)
    with pytest.raises(Unavailable, match="cannot read"):
        proofs.read_proof(tmp_path / "other.json")
    with pytest.raises(Unavailable, match="cannot write"):
        proofs.write_proof(document, tmp_path / "nowhere" / "proof.json")
