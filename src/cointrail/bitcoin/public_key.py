"""Public keys of secp256k1: which byte strings are one. SEC 1 section 2.3.4; Core accepts hybrid keys, too.

Nothing is computed with keys here; whether a coordinate lies on the curve is Euler's criterion.
"""

_FIELD = 2**256 - 2**32 - 977


def is_public_key(data: bytes) -> bool:
    """Return whether these are the 33 or 65 bytes of a point of the curve."""
    if len(data) == 33 and data[0] in (2, 3):
        return is_x_coordinate(data[1:])
    if len(data) == 65 and data[0] in (4, 6, 7):
        x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
        hybrid_fits = data[0] == 4 or data[0] & 1 == y & 1
        return x < _FIELD and y < _FIELD and hybrid_fits and (y * y - x * x * x - 7) % _FIELD == 0
    return False


def is_x_coordinate(data: bytes) -> bool:
    """Return whether these 32 bytes are the x of a point of the curve, as taproot writes a key (BIP340)."""
    x = int.from_bytes(data, "big")
    # No point has y = 0: -7 is no cube in this field.
    return len(data) == 32 and x < _FIELD and pow(x * x * x + 7, (_FIELD - 1) // 2, _FIELD) == 1
