"""How much a test does: less where kernels run as plain Python, more in the wide run of `make check-full`."""

import os

from hypothesis import HealthCheck, settings

PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
"""Kernels run as plain Python, hundreds of times slower."""

WIDE = os.environ.get("COINTRAIL_HYPOTHESIS") == "wide"


def amount(normal: int, plain: int) -> int:
    """How many cases, or how large a case: `normal` for compiled kernels, `plain` for interpreted ones."""
    return plain if PLAIN else normal


def examples(normal: int, plain: int | None = None) -> settings:
    """Hypothesis settings for that many examples, twenty times as many in the wide run; never timed."""
    count = amount(normal * 20 if WIDE else normal, plain or max(1, normal // 20))
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
