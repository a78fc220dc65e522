"""Independent readers of key spellings and file formats, for tests of what the simulator plants. No product code.

Base58Check, bech32 (BIP173, BIP350), BIP39 checksums, public keys, BIP32, Berkeley DB pages, PSBT, PNG and QR codes,
each written from its specification and as strict as it.
"""

import hashlib
import hmac
import struct
import zlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def base58check(text):
    """The payload, or None."""
    if not text or any(character not in ALPHABET for character in text):
        return None
    number = 0
    for character in text:
        number = 58 * number + ALPHABET.index(character)
    raw = bytes(len(text) - len(text.lstrip("1"))) + number.to_bytes(-(-number.bit_length() // 8), "big")
    if len(raw) < 5:
        return None
    return raw[:-4] if hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:] else None


def bech32(text):
    """(hrp, version, program) if the text is a witness address with the checksum its version needs, or None."""
    if text not in (text.lower(), text.upper()) or "1" not in text:
        return None
    hrp, _, data = text.lower().rpartition("1")
    if len(data) < 8 or any(character not in CHARSET for character in data):
        return None
    values = [CHARSET.index(character) for character in data]
    check = 1
    for value in [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    if check != (1 if values[0] == 0 else 0x2BC830A3) or values[0] > 16:
        return None
    bits = "".join(f"{value:05b}" for value in values[1:-6])
    if len(bits) % 8 > 4 or "1" in bits[len(bits) // 8 * 8 :]:
        return None
    program = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))
    return hrp, values[0], program


def regtest_script(text):
    """The scriptPubKey of a regtest address, or None."""
    payload = base58check(text)
    if payload is not None and len(payload) == 21:
        return {
            111: b"\x76\xa9\x14" + payload[1:] + b"\x88\xac",
            196: b"\xa9\x14" + payload[1:] + b"\x87",
        }.get(payload[0])
    witness = bech32(text)
    if witness is None or witness[0] != "bcrt":
        return None
    return bytes((0x50 + witness[1] if witness[1] else 0, len(witness[2]))) + witness[2]


def is_phrase(text, words):
    """Whether twelve words pass BIP39's checksum."""
    parts = text.split(" ")
    if len(parts) != 12 or not all(part in words for part in parts):
        return False
    bits = "".join(f"{words.index(part):011b}" for part in parts)
    entropy = int(bits[:128], 2).to_bytes(16, "big")
    return f"{hashlib.sha256(entropy).digest()[0]:08b}"[:4] == bits[128:]


def point_sum(one, other):
    """Sum of two points, None being infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = 3 * one[0] ** 2 * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def public_key(secret):
    """The compressed public key of a secret number, by double and add."""
    total, power = None, G
    while secret:
        if secret & 1:
            total = point_sum(total, power)
        power, secret = point_sum(power, power), secret >> 1
    return bytes((2 + total[1] % 2,)) + total[0].to_bytes(32, "big")


def lifted(key):
    """The point of a compressed key."""
    x = int.from_bytes(key[1:], "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    return x, y if y % 2 == key[0] % 2 else P - y


def child_key(key, chain_code, number):
    """(public key, chain code) of a public child (BIP32)."""
    digest = hmac.digest(chain_code, key + number.to_bytes(4, "big"), hashlib.sha512)
    point = point_sum(lifted(public_key(int.from_bytes(digest[:32], "big"))), lifted(key))
    return bytes((2 + point[1] % 2,)) + point[0].to_bytes(32, "big"), digest[32:]


def berkeley_records(raw):
    """Key and value pairs of the database `main`, walking from the file's metadata page as Core's reader does."""

    def page(number):
        size = 4_096
        content = raw[size * number : size * (number + 1)]
        assert content[:8] == struct.pack("<II", 0, 1)
        assert struct.unpack_from("<I", content, 8)[0] == number
        return content

    def metadata(number):
        content = page(number)
        magic, version, size = struct.unpack_from("<III", content, 12)
        assert (magic, version, size, content[24], content[25]) == (0x53162, 9, 4_096, 0, 9)
        assert struct.unpack_from("<I", content, 48)[0] == 0x20
        assert struct.unpack_from("<I", content, 76)[0] == 2
        return content, struct.unpack_from("<I", content, 88)[0]

    def items(content):
        count, top = struct.unpack_from("<HH", content, 20)
        starts = struct.unpack_from(f"<{count}H", content, 26)
        assert min(starts) == top >= 26 + 2 * count
        return starts

    def leaf(content):
        texts = []
        for start in items(content):
            length, kind = struct.unpack_from("<HB", content, start)
            assert kind == 1
            texts.append(content[start + 3 : start + 3 + length])
        return texts

    outer, root = metadata(0)
    assert struct.unpack_from("<I", outer, 32)[0] == len(raw) // 4_096 - 1
    assert len(raw) % 4_096 == 0
    name, where = leaf(page(root))
    assert name == b"main"
    _, root = metadata(int.from_bytes(where, "big"))
    records, chain = [], []

    def walk(number, level):
        content = page(number)
        assert content[24] == level
        if content[25] == 5:
            assert level == 1
            texts = leaf(content)
            records.extend(zip(texts[::2], texts[1::2], strict=True))
            chain.append((number, *struct.unpack_from("<II", content, 12)))
            return
        assert content[25] == 3
        for start in items(content):
            walk(struct.unpack_from("<I", content, start + 4)[0], level - 1)

    walk(root, page(root)[24])
    numbers = [number for number, _, _ in chain]
    assert [before for _, before, _ in chain] == [0, *numbers[:-1]]
    assert [after for _, _, after in chain] == [*numbers[1:], 0]
    assert [key for key, _ in records] == sorted({key for key, _ in records})
    return records


def compact(raw, at):
    """(number, next position) of a compact size."""
    if raw[at] < 253:
        return raw[at], at + 1
    size = {253: 2, 254: 4, 255: 8}[raw[at]]
    return int.from_bytes(raw[at + 1 : at + 1 + size], "little"), at + 1 + size


def psbt_maps(raw):
    """All maps of a PSBT (BIP174), as dictionaries."""
    assert raw[:5] == b"psbt\xff"
    maps, current, at = [], {}, 5
    while at < len(raw):
        length, at = compact(raw, at)
        if length == 0:
            maps.append(current)
            current = {}
            continue
        key, at = raw[at : at + length], at + length
        length, at = compact(raw, at)
        assert key not in current
        current[key], at = raw[at : at + length], at + length
    assert not current
    return maps


def png_pixels(raw):
    """Rows of a one-bit greyscale PNG, True for black."""
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(raw):
        length, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        chunks[name] = raw[at + 8 : at + 8 + length]
        assert zlib.crc32(name + chunks[name]) == int.from_bytes(raw[at + 8 + length : at + 12 + length], "big")
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour) == (1, 0)
    lines, size = zlib.decompress(chunks[b"IDAT"]), 1 + -(-width // 8)
    assert len(lines) == size * height
    rows = []
    for start in range(0, len(lines), size):
        assert lines[start] == 0
        bits = "".join(f"{byte:08b}" for byte in lines[start + 1 : start + size])
        rows.append([bit == "0" for bit in bits[:width]])
    return rows


def modules_of(pixels):
    """Modules of a QR code in a picture: cropped to its dark bounding box, sampled by the finder's width of seven."""
    dark = [(row, column) for row, line in enumerate(pixels) for column, black in enumerate(line) if black]
    top, left = min(row for row, _ in dark), min(column for _, column in dark)
    right = max(column for _, column in dark)
    run = next(column for column in range(left, right + 2) if not pixels[top][column]) - left
    scale = run // 7
    size = (right + 1 - left) // scale
    assert left >= 4 * scale
    half = scale // 2
    return [[pixels[top + half + scale * r][left + half + scale * c] for c in range(size)] for r in range(size)]


_LEVEL_M_BLOCKS = {21: (1, 10), 25: (1, 16), 29: (1, 26), 33: (2, 18), 37: (2, 24), 41: (4, 16)}


def qr_bytes(modules):
    """Content of a QR code of level M in byte mode; every block must be free of errors."""
    size = len(modules)
    first = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    second = [(r, 8) for r in range(size - 1, size - 8, -1)] + [(8, c) for c in range(size - 8, size)]
    formats = {"".join("01"[modules[row][column]] for row, column in places) for places in (first, second)}
    assert len(formats) == 1, "the two copies of the format differ"
    bits = int(formats.pop(), 2) ^ 0b101010000010010
    remainder = bits
    for place in range(14, 9, -1):
        if remainder >> place & 1:
            remainder ^= 0b10100110111 << (place - 10)
    assert remainder == 0, "the format fails its BCH code"
    assert bits >> 13 == 0, "the level is not M"
    mask = bits >> 10 & 7
    assert modules[size - 8][8], "the dark module is light"

    def flips(i, j):
        return (
            (i + j) % 2, i % 2, j % 3, (i + j) % 3, (i // 2 + j // 3) % 2, i * j % 2 + i * j % 3,
            (i * j % 2 + i * j % 3) % 2, ((i + j) % 2 + i * j % 3) % 2,
        )[mask] == 0  # fmt: skip

    def taken(i, j):
        corner = (i < 9 and j < 9) or (i < 9 and j >= size - 8) or (i >= size - 8 and j < 9)
        alignment = size > 21 and abs(i - (size - 7)) < 3 and abs(j - (size - 7)) < 3
        return corner or alignment or i == 6 or j == 6

    stream, column, upwards = [], size - 1, True
    while column > 0:
        if column == 6:
            column -= 1
        for step in range(size):
            i = size - 1 - step if upwards else step
            stream += [modules[i][j] ^ flips(i, j) for j in (column, column - 1) if not taken(i, j)]
        column, upwards = column - 2, not upwards
    codewords = [int("".join("01"[bit] for bit in stream[at : at + 8]), 2) for at in range(0, len(stream) - 7, 8)]
    blocks, correction = _LEVEL_M_BLOCKS[size]
    data = len(codewords) - blocks * correction
    joined = b""
    for block in range(blocks):
        own = codewords[block:data:blocks]
        assert syndromes(own + codewords[data + block :: blocks], correction) == [0] * correction
        joined += bytes(own)
    assert joined[0] >> 4 == 4, "not in byte mode"
    length = (joined[0] & 15) << 4 | joined[1] >> 4
    shifted = int.from_bytes(joined, "big") << 4
    content = (shifted & (1 << 8 * len(joined)) - 1).to_bytes(len(joined), "big")[1 : 1 + length]
    rest = joined[2 + length :]
    assert rest == bytes((0xEC, 0x11)[at % 2] for at in range(len(rest)))
    return content


def syndromes(codewords, count):
    """Values of a received block's polynomial at the powers of two, in the field of 256 elements (0x11D)."""
    exponents, logarithms, value = [], {}, 1
    for exponent in range(255):
        exponents.append(value)
        logarithms[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    found = []
    for root in range(count):
        total = 0
        for codeword in codewords:
            total = (exponents[(logarithms[total] + root) % 255] if total else 0) ^ codeword
        found.append(total)
    return found
