"""Chains for tracing tests."""

from collections.abc import Callable

import pytest
from regtest import RegtestChain

from cointrail.bitcoin.transaction import Transaction
from cointrail.ledger.reader import Reader


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
