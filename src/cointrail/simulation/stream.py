"""Named random streams: every choice comes from one, so a new actor does not shift the others.

A stream is SHAKE-256 of (seed, name, block counter), read as little-endian 64-bit words. Only integer arithmetic is
used on them, so nothing depends on a library's distributions, on the platform or on Python's hash seed.
"""

import hashlib
import struct
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

_T = TypeVar("_T")

_WORDS = 512
_UNPACK = struct.Struct(f"<{_WORDS}Q").unpack


class Stream:
    """Random words keyed by a seed and a name.

    Args:
        seed: the world's seed.
        name: the stream's name; equal names give equal words.
    """

    __slots__ = ("_at", "_block", "_key", "_words")

    def __init__(self, seed: int, name: str) -> None:
        self._key = hashlib.sha256(f"cointrail stream {seed} {name}".encode()).digest()
        self._block = 0
        self._words: tuple[int, ...] = ()
        self._at = _WORDS

    def word(self) -> int:
        """A number of 64 bits."""
        if self._at == _WORDS:
            raw = hashlib.shake_256(self._key + self._block.to_bytes(8, "little")).digest(8 * _WORDS)
            self._words, self._at, self._block = _UNPACK(raw), 0, self._block + 1
        word = self._words[self._at]
        self._at += 1
        return word

    def below(self, bound: int) -> int:
        """A number 0 <= n < bound, bound up to 2**32; uneven by less than bound / 2**64."""
        return self.word() * bound >> 64

    def between(self, low: int, high: int) -> int:
        """A number low <= n <= high."""
        return low + (self.word() * (high - low + 1) >> 64)

    def chance(self, numerator: int, denominator: int) -> bool:
        """True with that probability."""
        return self.word() * denominator >> 64 < numerator

    def pick(self, items: Sequence[_T]) -> _T:
        """One of the items."""
        return items[self.word() * len(items) >> 64]

    def weighted(self, items: Sequence[tuple[_T, int]]) -> _T:
        """One of the items, each with its weight."""
        left = self.below(sum(weight for _, weight in items))
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        raise AssertionError("weights were exhausted")

    def shuffle(self, items: MutableSequence[_T]) -> None:
        """Put the items into random order, in place."""
        for last in range(len(items) - 1, 0, -1):
            other = self.word() * (last + 1) >> 64
            items[last], items[other] = items[other], items[last]

    def heavy(self, low: int, high: int) -> int:
        """A number low <= n <= high (low >= 1) whose logarithm is about even: many small ones, few large ones."""
        octaves = (high // low).bit_length()
        while True:
            octave = self.below(octaves)
            number = (low << octave) + self.below(min(low << octave, 1 << 32))
            if number <= high:
                return number

    def hexadecimal(self, digits: int) -> str:
        """Random lower-case hex digits."""
        return "".join("0123456789abcdef"[self.below(16)] for _ in range(digits))
