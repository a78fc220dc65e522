"""What the synthetic chain draws from: a counted random stream, and the distributions that give the chain its shape.

Integers only, so the same seed gives the same bytes on any machine.

Shape of 2,000,000 transactions, seed 1, as `check_chain.py` measures it:

| what | aimed at | measured |
|---|---|---|
| bytes a transaction | 400 to 550 | 451 |
| transactions a block, median (after 120 blocks of a coinbase only) | 2,000 to 2,500 | 2,211 |
| inputs: mean; with 1, 2, more than 10; most | 2.3; 73 %, 14 %, 1.8 %; 300 | 2.32; 72 %, 14 %, 1.8 %; 294 |
| outputs: mean; with 1, 2, more than 10; most | 2.6; 22 %, 68 %, 1.0 %; 400 | 2.54; 22 %, 69 %, 1.0 %; 480 |
| P2WPKH, P2PKH, P2TR, P2SH, P2WSH, % of outputs | 45, 20, 15, 12, 4 | 44.5, 19.9, 15.1, 12.1, 4.0 |
| OP_RETURN, bare multisig, P2PK, % of outputs | 3, rare, rare | 3.1, 0.6, 0.6 |
| transactions with a witness | | 84 % |
| spent in the same block; within 1, 6, 144 blocks | many young, some old | 17 %; 36 %, 60 %, 97 % |
| unspent outputs a transaction | 0.12 to 0.3 | 0.14 |
| distinct scripts a transaction | | 1.36 |
| outputs that pay a seen script; the most popular one | 45 to 50 %; heavy-tailed | 46.5 %; 0.15 % |

The chain has 1,012 blocks; 480 outputs have the transactions that split the first coins. In a shorter
one the prelude and the splits weigh more, and outputs are spent younger.
"""

# Compiled functions: array arguments are described in words.
# ruff: noqa: ANN001, ANN201

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

_HERE = Path(__file__).parent
_SOURCES = b"".join(path.read_bytes() for path in sorted(_HERE.glob("chain*.py")))
_CACHE = _HERE / "__pycache__" / f"chain-{hashlib.sha256(_SOURCES).hexdigest()[:12]}"


def compiled(function: Callable[..., Any]) -> Any:
    """Compile, with a cache for these very sources.

    numba looks only at the file of the function itself: with its own cache, a constant changed here would not reach the
    compiled callers in the other files, and a seed would give other bytes on another machine.
    """
    usual = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_CACHE)
    try:
        return numba.njit(cache=True)(function)
    finally:
        numba.config.CACHE_DIR = usual


P2PK, P2PKH, P2SH, MULTISIG, P2WPKH, P2WSH, P2TR = 1, 2, 3, 4, 6, 7, 8

# Share of each kind among outputs that can be spent, in 1/1000; OP_RETURN is drawn per transaction.
SCRIPT_MIX = {P2WPKH: 459, P2PKH: 205, P2TR: 157, P2SH: 125, P2WSH: 42, P2PK: 6, MULTISIG: 6}

# (from, to, share in 1/10,000): inside a range the share of k falls as 1/k.
INPUT_COUNTS = ((1, 1, 7250), (2, 2, 1400), (3, 3, 500), (4, 4, 250), (5, 10, 418), (11, 50, 156), (51, 300, 26))
OUTPUT_COUNTS = ((1, 1, 2240), (2, 2, 6780), (3, 3, 390), (4, 4, 145), (5, 10, 340), (11, 100, 98), (101, 400, 7))

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32, _S50 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32), np.uint64(50)

# How near `distance` looks closely: the first 2**n share one draw evenly, each doubling beyond is equally likely.
BY_AGE, BY_POPULARITY = 11, 3


def quantiles(ranges: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """Quantile table of a count: 16,384 equally likely entries."""
    values: list[int] = []
    weights: list[int] = []
    for first, last, share in ranges:
        inverse = [10**9 // k for k in range(first, last + 1)]
        values += range(first, last + 1)
        weights += [share * 10**6 * w // sum(inverse) for w in inverse]
    bounds = np.cumsum(weights, dtype=np.int64)
    middle = (np.arange(16384, dtype=np.int64) * 2 + 1) * bounds[-1] // 32768
    return np.array(values, np.int64)[np.searchsorted(bounds, middle, side="right")]


def kinds() -> np.ndarray:
    """Script kind by thousandth."""
    return np.repeat(np.array(list(SCRIPT_MIX), np.uint8), list(SCRIPT_MIX.values()))


_INPUTS = quantiles(INPUT_COUNTS)
_OUTPUTS = quantiles(OUTPUT_COUNTS)
_KINDS = kinds()


@compiled
def mix(z):
    """A bijection of uint64 that scatters (the finaliser of splitmix64)."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@compiled
def draw(stream):
    """Next 64 random bits; `stream` is uint64 (1,), advanced."""
    stream[0] += _GAMMA
    return mix(stream[0])


@compiled
def below(stream, n):
    """Random integer 0..n-1; n < 2**32."""
    return np.int64(((draw(stream) >> _S32) * np.uint64(n)) >> _S32)


@compiled
def input_count(stream):
    return _INPUTS[np.int64(draw(stream) >> _S50)]


@compiled
def output_count(stream):
    return _OUTPUTS[np.int64(draw(stream) >> _S50)]


@compiled
def distance(stream, n, lowest):
    """Heavy-tailed integer 0..n-1: an age, or a rank of popularity."""
    if n <= 1 << lowest:
        return below(stream, n)
    octaves = 0
    while (n >> (lowest + octaves)) > 0:
        octaves += 1
    while True:
        size = np.int64(1) << (lowest + below(stream, octaves))
        d = size - (1 << lowest) + below(stream, size)
        if d < n:
            return d


@compiled
def kind_of(script):
    """Kind of a script number: spread evenly, so any run of numbers has the wanted mix."""
    return np.int64(_KINDS[np.int64(((script * _GAMMA) >> _S32) * np.uint64(1000) >> _S32)])


@compiled
def word_of(script, salt, n):
    """The n-th 8 bytes that belong to a script: its hash (0..3) and its keys (8..)."""
    return mix(mix(script ^ salt) + np.uint64(n) * _GAMMA)
