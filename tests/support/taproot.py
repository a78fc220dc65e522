"""The curve arithmetic that a Taproot output needs, and no more: no keys, no signatures.

Every output made here has the NUMS point of BIP341 as internal key, for which nobody knows a secret: it can
be spent by its script path alone. Method: BIP340 (lift_x, tagged hashes), BIP341 (tweak, control block).
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
NUMS = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")
TAPSCRIPT = 0xC0

Point = tuple[int, int]


def tagged_hash(tag: str, message: bytes) -> bytes:
    """Hash a message under a tag (BIP340)."""
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + message).digest()


def add(left: Point | None, right: Point | None) -> Point | None:
    """Add two points in affine coordinates; None is the point at infinity."""
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        if (y1 + y2) % FIELD == 0:
            return None
        slope = 3 * x1 * x1 * pow(2 * y1, -1, FIELD) % FIELD
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, FIELD) % FIELD
    x3 = (slope * slope - x1 - x2) % FIELD
    return x3, (slope * (x1 - x3) - y1) % FIELD


@cache
def _doublings() -> list[Point]:
    """Generator times 1, 2, 4 ... 2**255."""
    point: Point | None = GENERATOR
    points = []
    for _ in range(256):
        assert point is not None
        points.append(point)
        point = add(point, point)
    return points


def times_generator(scalar: int) -> Point | None:
    """Multiply the generator by a scalar."""
    total: Point | None = None
    for bit, point in enumerate(_doublings()):
        if scalar >> bit & 1:
            total = add(total, point)
    return total


def lift_x(x_only: bytes) -> Point:
    """Give the point with this x coordinate and an even y.

    Raises:
        ValueError: no point of the curve has this x coordinate.
    """
    x = int.from_bytes(x_only, "big")
    square = (pow(x, 3, FIELD) + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if x >= FIELD or y * y % FIELD != square:
        raise ValueError(f"not an x coordinate of the curve: {x_only.hex()}")
    return x, y if y % 2 == 0 else FIELD - y


def leaf_hash(script: bytes, leaf_version: int = TAPSCRIPT) -> bytes:
    """Hash a leaf of the script tree."""
    size = len(script)
    length = bytes([size]) if size < 0xFD else b"\xfd" + size.to_bytes(2, "little")
    return tagged_hash("TapLeaf", bytes([leaf_version]) + length + script)


def script_path(script: bytes, path: Sequence[bytes] = (), leaf_version: int = TAPSCRIPT) -> tuple[bytes, bytes]:
    """Commit to a script in a Taproot output.

    Args:
        script: the leaf's script.
        path: the siblings on the way from the leaf up to the root, 32 bytes each.
        leaf_version: the even byte that names the leaf's rules.

    Returns:
        The 32-byte output key and the control block that opens this leaf.
    """
    root = leaf_hash(script, leaf_version)
    for sibling in path:
        root = tagged_hash("TapBranch", min(root, sibling) + max(root, sibling))
    tweak = int.from_bytes(tagged_hash("TapTweak", NUMS + root), "big") % ORDER
    point = add(lift_x(NUMS), times_generator(tweak))
    assert point is not None
    control = bytes([leaf_version | point[1] & 1]) + NUMS + b"".join(path)
    return point[0].to_bytes(32, "big"), control
