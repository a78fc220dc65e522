"""secp256k1 in plain integers: public keys of secret numbers, and the sum of two public keys. Nothing here can sign.

Multiples of the generator come from a table of its multiples, one row for each window of the number, and many numbers
are worked on together, since then one modular inversion serves them all (Montgomery's trick). Not constant in time:
the secrets are those of an invented case. Method: SEC 1 and SEC 2.
"""

from collections.abc import Sequence
from functools import cache

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

Point = tuple[int, int]
"""A point of the curve that is not infinity, as (x, y)."""

_FEW = 64
_NARROW, _WIDE = 6, 10


def public_points(secrets: Sequence[int]) -> list[Point]:
    """The generator times each number.

    Args:
        secrets: numbers from 1 to ORDER - 1.
    """
    window = _NARROW if len(secrets) < _FEW else _WIDE
    rest = list(secrets)
    if not all(0 < secret < ORDER for secret in rest):
        raise ValueError("a secret key lies outside 1 .. order - 1")
    sums: list[Point | None] = [None] * len(rest)
    mask = (1 << window) - 1
    for row in _table(window):
        pairs: list[tuple[Point, Point]] = []
        places: list[int] = []
        for place, number in enumerate(rest):
            digit = number & mask
            rest[place] = number >> window
            if not digit:
                continue
            before = sums[place]
            if before is None:
                sums[place] = row[digit - 1]
            else:
                pairs.append((before, row[digit - 1]))
                places.append(place)
        # A partial sum is a smaller multiple than what is added, and together they stay below the order: never equal
        # or opposite points.
        for place, point in zip(places, _add_distinct(pairs), strict=True):
            sums[place] = point
    return [point for point in sums if point is not None]


def add(pairs: Sequence[tuple[Point, Point]]) -> list[Point | None]:
    """Sum of each pair of points; None stands for infinity."""
    plain = [number for number, (one, other) in enumerate(pairs) if one[0] != other[0]]
    sums: list[Point | None] = [None] * len(pairs)
    for number, point in zip(plain, _add_distinct([pairs[number] for number in plain]), strict=True):
        sums[number] = point
    for number, (one, other) in enumerate(pairs):
        if one == other:
            sums[number] = _double(one)
    return sums


def compress(point: Point) -> bytes:
    """The 33 bytes of a public key."""
    return bytes((2 + (point[1] & 1),)) + point[0].to_bytes(32, "big")


def decompress(key: bytes) -> Point:
    """The point of a compressed public key.

    Raises:
        ValueError: the bytes are no compressed key, or its x has no point on the curve.
    """
    x = int.from_bytes(key[1:], "big")
    square = (x * x * x + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if len(key) != 33 or key[0] not in (2, 3) or x >= FIELD or y * y % FIELD != square:
        raise ValueError("not a compressed public key")
    return x, y if y & 1 == key[0] & 1 else FIELD - y


def _add_distinct(pairs: Sequence[tuple[Point, Point]]) -> list[Point]:
    """Sums of pairs whose x differ."""
    product, products = 1, []
    for (x1, _), (x2, _) in pairs:
        products.append(product)
        product = product * (x2 - x1) % FIELD
    inverse = pow(product, -1, FIELD)
    sums = []
    for before, ((x1, y1), (x2, y2)) in zip(reversed(products), reversed(pairs), strict=True):
        slope = (y2 - y1) * before * inverse % FIELD
        inverse = inverse * (x2 - x1) % FIELD
        x = (slope * slope - x1 - x2) % FIELD
        sums.append((x, (slope * (x1 - x) - y1) % FIELD))
    sums.reverse()
    return sums


def _double(point: Point) -> Point:
    x, y = point
    slope = 3 * x * x * pow(2 * y, -1, FIELD) % FIELD
    double = (slope * slope - 2 * x) % FIELD
    return double, (slope * (x - double) - y) % FIELD


@cache
def _table(window: int) -> list[list[Point]]:
    """Row r holds 1 .. 2**window - 1 times 2**(window * r) times the generator."""
    rows: list[list[Point]] = [[base] for base in _bases(window)]
    for length in (1 << step for step in range(window)):
        # 1 .. length are known: twice the last, and the last plus each before it, are length + 1 .. 2 * length.
        wanted = min(2 * length, (1 << window) - 1)
        others = range(min(wanted - length, length - 1))
        sums = iter(_add_distinct([(row[length - 1], row[other]) for row in rows for other in others]))
        for row in rows:
            last = row[length - 1]
            row.extend([next(sums) for _ in others])
            if wanted == 2 * length:
                row.append(_double(last))
    return rows


def _bases(window: int) -> list[Point]:
    """The generator times 2**(window * r)."""
    bases, point = [], GENERATOR
    for _ in range(-(-256 // window)):
        bases.append(point)
        for _ in range(window):
            point = _double(point)
    return bases
