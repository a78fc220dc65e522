"""Exact large counts as residues: primes below 2^31, inverses, and the way back by the Chinese remainder theorem."""

from collections.abc import Sequence
from functools import cache
from math import isqrt, lgamma, log, log2, prod

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]

_EXACT_BOUND = 300
_ROOM_BITS = 2
"""Added to a bound that was computed in floating point."""


def bits_at_most(inputs: int, outputs: int) -> float:
    """A bound on log2 of the number of interpretations, whatever the amounts.

    Inputs in k groups, and each output given to one of them: the sum over k of S(inputs, k) k^outputs, S a Stirling
    number of the second kind. Beyond some hundred inputs k^inputs / k! takes the place of S.
    """
    if max(inputs, outputs) <= _EXACT_BOUND:
        groups = [1]  # S(n, 0 .. n)
        for n in range(1, inputs + 1):
            groups = [0, *(k * groups[k] + groups[k - 1] for k in range(1, n)), 1]
        return log2(max(1, sum(number * k**outputs for k, number in enumerate(groups))))
    return (
        log2(inputs)
        + _ROOM_BITS
        + max(((inputs + outputs) * log(k) - lgamma(k + 1)) / log(2) for k in range(1, inputs + 1))
    )


@cache
def primes_for(bits: float) -> tuple[int, ...]:
    """Primes below 2^31, the largest first, whose product is above 2^bits."""
    found: list[int] = []
    candidate, product = (1 << 31) - 1, 1
    while product.bit_length() <= bits + 1:
        if all(candidate % divisor for divisor in range(3, isqrt(candidate) + 1, 2)):
            found.append(candidate)
            product *= candidate
        candidate -= 2
    return tuple(found)


def number_of_primes(bits: float) -> int:
    """At least as many as `primes_for` finds, without finding them."""
    return int((bits + 2) / 30.9) + 1


def inverses(most: int, primes: Sequence[int]) -> U64:
    """Inverses of 0 .. most modulo each prime, uint64 (most + 1, k); that of 0 is given as 0."""
    return np.array([[pow(n, -1, prime) if n else 0 for prime in primes] for n in range(most + 1)], np.uint64)


def factorials_modulo(counts: Sequence[int], primes: Sequence[int]) -> list[int]:
    """The product of the factorials of some numbers, modulo each prime."""
    found = []
    for prime in primes:
        value = 1
        for count in counts:
            for factor in range(2, count + 1):
                value = value * factor % prime
        found.append(value)
    return found


def whole(residues: Sequence[int], primes: Sequence[int]) -> int:
    """The number below the primes' product that leaves these residues."""
    product = prod(primes)
    total = 0
    for residue, prime in zip(residues, primes, strict=True):
        others = product // prime
        total += residue * others * pow(others, -1, prime)
    return total % product
