"""Made-up rows of a change model, from which a forest can learn."""

import numpy as np

from cointrail.cluster.learned.features import NAMES
from cointrail.cluster.learned.train import Examples


def examples(transactions: int, seed: int, noise: float = 0.4) -> Examples:
    """Rows of transactions with one change output each, which two features give away but for noise."""
    random = np.random.default_rng(seed)
    change = np.zeros((transactions, 2), np.bool_)
    change[np.arange(transactions), random.integers(0, 2, transactions)] = True
    rows = random.normal(size=(2 * transactions, len(NAMES))).astype(np.float32)
    rows[:, 3] += change.reshape(-1) * 3
    rows[:, 7] = np.where(random.random(2 * transactions) < noise, rows[:, 7], change.reshape(-1))
    return Examples(rows, change.reshape(-1))
