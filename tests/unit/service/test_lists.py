"""Signed lists: they keep scripts apart, survive an ingest, and nobody else's file is taken for one."""

import os

import numpy as np
import pytest
from ingest_runs import lay_out
from minisigner import Minisigner
from regtest import RegtestChain
from signed_spends import ALL, owned_lock, spend, unspent_of

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.forest.view import Forest
from cointrail.errors import InputRefused, NotFound, Unavailable, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service import overlays
from cointrail.service.lists import add_list, lists, remove_list
from cointrail.service.maintenance import ingest, verify


@pytest.fixture
def case(tmp_path):
    """A ledger in which one transaction joins four scripts, and the files it was made from."""
    chain = RegtestChain()
    chain.mine_empty(101)
    locks = [chain.learn(owned_lock(b"%d" % number)) for number in range(4)]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(9_000 + n, lock.script_pubkey) for n, lock in enumerate(locks)]
    )
    joining = spend(chain, unspent_of(funding)[:4], [TransactionOutput(1, b"\x51")], [ALL] * 4)
    chain.mine([funding, joining])
    lay_out(tmp_path / "files", chain.serialized())
    ingest(tmp_path / "files", tmp_path / "ledger", network="regtest")
    return tmp_path, chain, [lock.script_pubkey for lock in locks], display(joining.txid)


def largest(ledger):
    with Reader(ledger) as reader:
        return int(np.bincount(Forest(reader).partition()).max())


def written(folder, text, signer=None):
    file = folder / "trades.txt"
    file.write_bytes(text.encode())
    signer = signer or Minisigner()
    (folder / "trades.txt.minisig").write_text(signer.sign(text.encode()))
    return file


def test_a_list_keeps_scripts_apart_until_it_is_removed(case):
    folder, chain, _, joining = case
    ledger = folder / "ledger"
    assert largest(ledger) == 4
    assert lists(ledger).lists == ()
    file = written(folder, f"# known trades\n\n{joining}  # first seen in a report\n{'ab' * 32}\n")
    added = add_list(ledger, file, Minisigner().public_key)
    assert (added.name, added.transactions, added.key_id) == ("trades.txt", 2, "01" * 8)
    assert largest(ledger) == 1
    assert [each.sha256 for each in lists(ledger).lists] == [added.sha256]
    assert verify(ledger).sound
    with pytest.raises(UsageError, match=r"trades\.txt is in force already"):
        add_list(ledger, file, Minisigner().public_key)

    chain.mine_empty(2)  # the next ingest keeps to it, from the ledger's own copy
    file.unlink()
    lay_out(folder / "files", chain.serialized())
    ingest(folder / "files", ledger)
    assert largest(ledger) == 1
    with pytest.raises(NotFound, match="no list of mine is in force"):
        remove_list(ledger, "of mine")
    assert remove_list(ledger, "trades.txt").sha256 == added.sha256
    assert largest(ledger) == 4
    assert lists(ledger).lists == ()


def test_a_list_that_nobody_trusted_signed_is_refused(case):
    folder, _, _, joining = case
    file = written(folder, joining, Minisigner(2))
    with pytest.raises(InputRefused, match="signed by key 0202020202020202, not by 0101010101010101"):
        add_list(folder / "ledger", file, Minisigner(1).public_key)
    file.write_text(joining + "\n")
    with pytest.raises(InputRefused, match="is not that of key"):
        add_list(folder / "ledger", file, Minisigner(2).public_key)
    (folder / "trades.txt.minisig").unlink()
    with pytest.raises(Unavailable, match=r"cannot read .*trades\.txt\.minisig"):
        add_list(folder / "ledger", file, Minisigner(2).public_key)
    assert largest(folder / "ledger") == 4


def test_only_a_regular_file_is_a_list(case):
    folder = case[0]
    os.mkfifo(folder / "pipe.txt")
    for path in (folder / "pipe.txt", folder):
        with pytest.raises(InputRefused, match="is no regular file"):
            add_list(folder / "ledger", path, Minisigner().public_key)


def test_overlay_answers_name_the_lists_in_force(case):
    folder, _, _, joining = case
    ledger, file = folder / "ledger", folder / "case.json"
    with Reader(ledger) as reader:
        overlays.new(file, name="case", author="A", reader=reader)
        assert overlays.apply(reader, file).lists == ()
    added = add_list(ledger, written(folder, joining), Minisigner().public_key)
    with Reader(ledger) as reader:
        for answer in (overlays.apply(reader, file), overlays.compare(reader, file, file)):
            assert [(each.name, each.sha256) for each in answer.lists] == [("trades.txt", added.sha256)]


@pytest.mark.parametrize("line", ["abc", "é", f"{'ab' * 32} {'cd' * 32}", "\x00"])
def test_a_line_that_is_no_txid_is_named(case, line):
    folder, _, _, joining = case
    with pytest.raises(InputRefused, match=r"list trades\.txt, line 2"):
        add_list(folder / "ledger", written(folder, f"{joining}\n{line}\n"), Minisigner().public_key)


def test_a_changed_copy_stops_the_next_ingest(case):
    folder, _, _, joining = case
    ledger = folder / "ledger"
    added = add_list(ledger, written(folder, joining), Minisigner().public_key)
    (ledger / "lists" / f"{added.sha256}.txt").write_text("")
    for ask in (lists, verify, lambda path: ingest(folder / "files", path)):
        with pytest.raises(Unavailable, match=r"the ledger's copy of list trades\.txt was changed"):
            ask(ledger)
