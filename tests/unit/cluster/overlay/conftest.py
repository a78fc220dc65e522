"""Ledgers of small economies, each opened at any height."""

from pathlib import Path

import pytest
from overlay_cases import WalletChain, clustered_ledger

SEEDS = (1, 2, 3)


@pytest.fixture(scope="session")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One ledger a seed."""
    return [clustered_ledger(tmp_path_factory.mktemp(f"wallets-{seed}"), WalletChain(seed).chain) for seed in SEEDS]
