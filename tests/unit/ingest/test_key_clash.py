"""Two unspent outpoints with one 64-bit key: found, never confused, and the table is built anew under another salt.

A salt whose third word is 0 leaves the output's number out of the key, so all outputs of a transaction clash. The
program never draws it (every word is odd); here it is put in by hand, and everything else is the real thing.
"""

from random import Random

import pytest
from ingest_runs import assert_same_ledger, build
from regtest import random_chain

from cointrail.bitcoin.network import REGTEST
from cointrail.ingest import pipeline
from cointrail.ingest.report import Options
from cointrail.ingest.resolve import BulkResolver, KeyClash
from cointrail.ledger.writer import Writer

BULK = Options(batch_bytes=20_000, bulk=True)


class Clashing(BulkResolver):
    """Clashes at the first transaction of two unspent outputs."""

    def _fill(self):
        self._salt[2] = 0
        super()._fill()


@pytest.fixture(scope="module")
def blocks():
    return random_chain(Random("clash"), 30, 10).serialized()


@pytest.fixture
def asked(monkeypatch):
    """The first resolver that an ingest asks for clashes; gives what was asked for."""
    asked = []

    def resolver(rows, network):
        asked.append(BulkResolver if asked else Clashing)
        return asked[-1](rows, network)

    monkeypatch.setattr(pipeline, "BulkResolver", resolver)
    return asked


def test_a_clash_in_a_batch_is_found_and_the_ledger_is_the_same(tmp_path, blocks, asked):
    build(tmp_path / "clashing", blocks, options=BULK)
    assert asked == [Clashing, BulkResolver]
    build(tmp_path / "plain", blocks)
    assert_same_ledger(tmp_path / "plain" / "ledger", tmp_path / "clashing" / "ledger")


def test_a_clash_among_the_outputs_of_a_ledger_is_found_and_the_ledger_is_the_same(tmp_path, blocks, asked):
    build(tmp_path / "clashing", blocks[: len(blocks) - 10], options=Options(bulk=False))
    with Writer(tmp_path / "clashing" / "ledger", REGTEST.name) as writer, pytest.raises(KeyClash):
        Clashing(writer, REGTEST)
    assert asked == []
    build(tmp_path / "clashing", blocks, options=BULK)
    assert asked == [Clashing, BulkResolver]
    build(tmp_path / "plain", blocks)
    assert_same_ledger(tmp_path / "plain" / "ledger", tmp_path / "clashing" / "ledger")
