"""Hand-made chains as ledgers."""

from collections.abc import Callable

import pytest
from peel_cases import PeelStage
from regtest import UnspentOutput

from cointrail.ledger.reader import Reader


@pytest.fixture
def stage() -> PeelStage:
    return PeelStage()


@pytest.fixture
def row() -> Callable[[Reader, UnspentOutput], int]:
    """Give a function that finds the output_index of an output."""

    def find(reader: Reader, output: UnspentOutput) -> int:
        return reader.outputs_of(reader.find_transactions(output.txid)[-1])[output.vout]

    return find
