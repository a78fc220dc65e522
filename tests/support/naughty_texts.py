"""Texts that people and other programs put into search boxes: controls, other scripts, near misses, secrets."""

import re

WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"  # published in the Bitcoin wiki
XPRV = (  # BIP32, test vector 1
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
)

SECRETS = (
    WIF, WIF[:-1] + "K", "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617", XPRV, XPRV[:-1] + "j",
    "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg", "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy",
    " ".join(["abandon"] * 11 + ["about"]), "\n".join(f"{n}. zoo" for n in range(1, 25)),
    f"pkh({WIF})", f"wpkh([deadbeef/84h]{XPRV}/0/*)", "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
)  # fmt: skip
"""Private keys and seed words, all published as examples, and mistyped ones."""

NAUGHTY = (
    "", " ", "nan", "NaN", "-inf", "1e9", "0x10", "٣", "²", "1_000", "9" * 30, "\0", "a\0b", "😀" * 10, "x" * 1_000_000,
    "1" * 1_000_000, "0" * 63, "0" * 65, "g" * 64, "\udcff", "../../etc/passwd", "script:", "script:zz", "script:6a",
    "script:" + "00" * 500_000, "%s%n", "' OR 1=1", "\n\r\t", "\x1b[31mred", "\x9b31m", ":", "::", "bc1qqqq", "pk(",
    "addr()", "raw(zz)", "\u202egnp", "cluster:", "\u200b" * 1_000, "<script>alert(1)</script>", "${jndi:ldap://x}",
    "2024-02-30", "2024-01-01T99:99:99Z", "9999999999", "1" * 13, "block 99999999999", "xpub" + "6" * 107,
)  # fmt: skip


def telling_parts(secret):
    """Pieces of a secret that are long enough to matter."""
    return re.findall(r"[0-9A-Za-z]{20,}", secret) or [secret]
