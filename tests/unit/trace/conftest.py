"""Real ledgers for tracing tests: a chain is built, written to block files and ingested."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from regtest import RegtestChain, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Give a function that makes a ledger of a chain and opens it."""
    readers = []

    def make(chain: RegtestChain, height: int | None = None) -> Reader:
        ledger = tmp_path / "ledger"
        write_block_files(tmp_path / "blocks", chain.serialized(), REGTEST.magic)
        ingest(tmp_path / "blocks", ledger)
        readers.append(Reader(ledger, height))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def output_of() -> Callable[[Reader, Transaction, int], int]:
    """Give a function that finds the output_index of a transaction's output."""

    def find(reader: Reader, tx: Transaction, vout: int) -> int:
        return reader.outputs_of(reader.find_transactions(tx.txid)[-1])[vout]

    return find


@pytest.fixture
def chain() -> RegtestChain:
    """Three mature coinbases of 50 BTC."""
    chain = RegtestChain()
    chain.mine_empty(102)
    return chain


@pytest.fixture
def coinbases(chain: RegtestChain) -> list[Transaction]:
    return [node.block.transactions[0] for node in chain.branch()[1:]]
