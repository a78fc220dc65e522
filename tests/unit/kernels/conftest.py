"""Kernels run as plain Python too; scalar arithmetic that wraps on purpose then warns."""

import numpy as np
import pytest
from effort import PLAIN


@pytest.fixture(autouse=True, scope="session")
def _wrapping_is_meant():
    with np.errstate(over="ignore" if PLAIN else "warn"):
        yield
