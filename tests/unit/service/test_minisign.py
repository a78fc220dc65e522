"""Signatures of minisign: the two examples of the minisign-verify package's documentation, and every byte of them."""

import pytest

from cointrail.errors import InputRefused
from cointrail.service.minisign import verify

KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
PREHASHED = """untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1633700835\tfile:test\tprehashed
wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==
"""
LEGACY = """untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
"""


@pytest.mark.parametrize("signature", [PREHASHED, LEGACY], ids=["prehashed", "legacy"])
def test_published_signatures_are_accepted(signature):
    found = verify(b"test", signature, KEY)
    assert found.key_id == "E7620F1842B4E81F"
    assert found.comment == signature.splitlines()[2].removeprefix("trusted comment: ")
    assert verify(b"test", signature, f"untrusted comment: minisign public key\n{KEY}\n") == found


@pytest.mark.parametrize("signature", [PREHASHED, LEGACY], ids=["prehashed", "legacy"])
def test_another_file_comment_or_signature_is_refused(signature):
    with pytest.raises(InputRefused, match="is not that of key E7620F1842B4E81F"):
        verify(b"Test", signature, KEY)
    with pytest.raises(InputRefused, match="is not that of key"):
        verify(b"test", signature.replace("file:test", "file:text"), KEY)
    lines = signature.splitlines()
    for number in (1, 3):
        for place in range(16, len(lines[number]) - 2, 5):
            changed = "A" if lines[number][place] != "A" else "B"
            damaged = [*lines]
            damaged[number] = lines[number][:place] + changed + lines[number][place + 1 :]
            with pytest.raises(InputRefused):
                verify(b"test", "\n".join(damaged), KEY)


@pytest.mark.parametrize(
    ("signature", "key", "words"),
    [
        (PREHASHED, "RWQf6LRCGA9i5", "the public key is not 42 bytes"),
        (PREHASHED, "", "the public key is not 42 bytes"),
        (
            PREHASHED,
            "RWRf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
            "signed by key E7620F1842B4E81F, not by",
        ),
        (PREHASHED, "UWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", "of another algorithm"),
        ("", KEY, "four lines"),
        (PREHASHED + "more", KEY, "four lines"),
        (PREHASHED.replace("trusted comment: ts", ""), KEY.lower(), "public key"),
        (PREHASHED.replace("RUQf", "****"), KEY, "the signature is not 74 bytes"),
    ],
)
def test_what_is_no_signature_is_refused_in_words(signature, key, words):
    with pytest.raises(InputRefused, match=words):
        verify(b"test", signature, key)
