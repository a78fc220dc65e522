"""Clopper-Pearson bounds of an error rate: what n checks with k errors prove about the rate (METHODS.md 10.5)."""

from math import exp, lgamma, log

_STEPS = 200
_SMALLEST = 1e-300


def clopper_pearson(errors: int, checks: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided bounds of a rate.

    Args:
        errors: how many of the checks failed.
        checks: how many were made.
        confidence: of the interval.

    Returns:
        (low, high); (0, 1) when nothing was checked.

    Method: Clopper and Pearson, Biometrika 26 (1934).
    """
    if checks == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else _quantile(tail, errors, checks - errors + 1)
    high = 1.0 if errors == checks else _quantile(1 - tail, errors + 1, checks - errors)
    return low, high


def upper_bound(errors: int, checks: int, significance: float = 0.05) -> float:
    """One-sided upper bound of a rate: `upper(k, n)` of METHODS.md 10.5."""
    return 1.0 if errors == checks else _quantile(1 - significance, errors + 1, checks - errors)


def _quantile(probability: float, a: int, b: int) -> float:
    """The point of a beta distribution below which a share `probability` lies, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _incomplete_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: int, b: int) -> float:
    """The regularised incomplete beta function by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: int, b: int) -> float:
    """The continued fraction, evaluated forward by Lentz's method."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d or _SMALLEST)
    result = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / ((1 + term * d) or _SMALLEST)
            c = (1 + term / c) or _SMALLEST
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result
