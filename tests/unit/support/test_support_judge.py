"""The judge leaves nothing behind: no output, no lock, no folder, no live kernel."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from judge import Judge, kernel
from regtest import GENESIS, RegtestChain

UNCLOSED = """
from judge import Judge
from regtest import RegtestChain
chain = RegtestChain()
chain.mine_empty(3)
judge = Judge()
judge.submit_all(chain.serialized()[1:])
"""


def test_genesis_is_the_kernels():
    with Judge() as judge:
        assert judge.active_chain() == [RegtestChain().tip]
        assert judge.block_bytes(judge.tip) == GENESIS
        assert judge.unspent() == {}


def test_verdicts_on_what_is_no_new_block():
    chain = RegtestChain()
    genesis, raw = chain.tip, chain.mine().serialize()
    with Judge() as judge:
        assert judge.submit(raw) == "valid"
        assert judge.submit(raw) == "duplicate"
        assert judge.submit(raw[:-1]) == "unreadable"
        assert judge.verdicts == {genesis: "valid", chain.tip: "valid"}


def test_temporary_folder_goes_with_the_judge():
    with Judge() as judge:
        folder = judge.folder
        assert judge.blocks_folder.is_dir()
        judge.close()
        assert (judge.blocks_folder / "blk00000.dat").exists()
    assert not folder.exists()


def test_given_folder_stays(tmp_path):
    with Judge(tmp_path) as judge:
        judge.close()
        judge.close()
    assert {path.name for path in (tmp_path / "blocks").iterdir()} == {"blk00000.dat", "rev00000.dat", "xor.dat"}


def test_closed_judge_says_so():
    judge = Judge()
    judge.close()
    with pytest.raises(RuntimeError, match="the judge is closed"):
        judge.active_chain()
    with pytest.raises(RuntimeError, match="the judge is closed"):
        judge.submit(GENESIS)


def test_collected_judge_releases_folder_and_files():
    folder = Judge().folder
    gc.collect()
    assert not folder.exists()
    open_files = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not any(str(folder) in name for name in open_files)


def test_judges_side_by_side_keep_their_own_reasons():
    chain = RegtestChain()
    good = chain.mine(move_tip=False).serialize()
    greedy = chain.mine(claim_sat=51 * 10**8).serialize()
    with Judge() as one, Judge() as two:
        assert (one.submit(good), two.submit(greedy)) == ("valid", "bad-cb-amount")
        assert (two.submit(good), one.submit(greedy)) == ("valid", "stored")
        assert one.active_chain() == two.active_chain()


def test_kernel_is_quiet(capfd):
    chain = RegtestChain()
    chain.mine(claim_sat=51 * 10**8)
    with Judge() as judge:
        judge.submit_all(chain.serialized()[1:])
    assert capfd.readouterr() == ("", "")


def test_interpreter_ends_cleanly_with_an_open_judge():
    done = subprocess.run(
        [sys.executable, "-c", UNCLOSED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_without_kernel_the_test_is_skipped_with_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pbk", None)
    with pytest.raises(pytest.skip.Exception, match="no consensus kernel"):
        kernel()
