"""Small files of the market's operator: notes, exports in other encodings, a picture, a log, a nested backup."""

import base64
import hashlib
from collections.abc import Sequence

from cointrail.bitcoin.hashes import display
from cointrail.simulation.inputs.formats import qr
from cointrail.simulation.inputs.formats.archives import gzip, zip_file
from cointrail.simulation.inputs.formats.png import picture
from cointrail.simulation.inputs.seized.exhibit import Draft, Find

Address = tuple[str, bytes]
"""An address and its scriptPubKey."""

_LINE = 76


def packing_list(phrase: str, script_pubkey: bytes) -> Draft:
    """The operator's notes with a seed phrase; signs around it keep the words of other lines apart."""
    draft = Draft()
    draft.text("TO PACK\n-------\n[x] 2 shirts, 1 jacket\n[x] charger (the long one)\n[ ] passport!!\n\n#7 ==>\n")
    draft.plant(phrase, "mnemonic", secret=True, script_pubkey=script_pubkey)
    draft.text("\n<== #7\n\n[ ] call M. (22:00)\n")
    return draft


def export(addresses: Sequence[Address]) -> Draft:
    """Addresses in UTF-16 with a byte order mark, as an office program exports them."""
    draft = Draft("utf-16-le")
    draft.text("\ufeffNo;Address\r\n")
    for number, (address, script_pubkey) in enumerate(addresses, start=1):
        draft.text(f"{number};")
        draft.plant(address, "address", script_pubkey=script_pubkey)
        draft.text("\r\n")
    return draft


def message(addresses: Sequence[Address]) -> Draft:
    """A mail whose body is base64: the finds lie inside it."""
    body = Draft()
    body.text("Hi,\n\nnew ones for this week:\n")
    for address, script_pubkey in addresses:
        body.text("  ")
        body.plant(address, "address", script_pubkey=script_pubkey)
        body.text("\n")
    body.text("\nDelete this.\n")
    draft = Draft()
    draft.text("Subject: (none)\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n")
    at = len(draft.content)
    encoded = base64.b64encode(body.content).decode("ascii")
    draft.text("".join(f"{encoded[start : start + _LINE]}\n" for start in range(0, len(encoded), _LINE)))
    draft.finds += [find.inside("base64", at) for find in body.finds]
    return draft


def sticker(address: Address) -> Draft:
    """A picture of a QR code with a payment URI (BIP21)."""
    text, script_pubkey = address
    inner = Draft()
    inner.text("bitcoin:")
    inner.plant(text, "address", script_pubkey=script_pubkey)
    content = picture(qr.encode(bytes(inner.content)), scale=6, border=4)
    return Draft(content=bytearray(content), finds=[find.inside("qr") for find in inner.finds])


def watch_list(descriptor: str) -> Draft:
    """A descriptor with its checksum."""
    draft = Draft()
    draft.text("# import with timestamp 0\n")
    draft.plant(descriptor, "descriptor")
    draft.text("\n")
    return draft


def unsigned(content: bytes, script_pubkey: bytes) -> Draft:
    """A PSBT as a binary file."""
    digest = hashlib.sha256(content).digest()
    find = Find(0, len(content), "psbt", digest, script_hash=hashlib.sha256(script_pubkey).digest())
    return Draft(content=bytearray(content), finds=[find])


def debug_log(events: Sequence[tuple[str, bytes, Address]]) -> Draft:
    """A node's log.

    Args:
        events: (time as text, txid, address it paid), in order of time.
    """
    draft = Draft()
    for time, txid, (address, script_pubkey) in events:
        draft.text(f"{time} [scheduler] [bazaar] AddToWallet ")
        draft.plant(display(txid), "txid")
        draft.text(f"  new\n{time} [scheduler] [bazaar] walletnotify ")
        draft.plant(address, "address", script_pubkey=script_pubkey)
        draft.text("\n")
    return draft


def backup(extended_key: str) -> Draft:
    """A ZIP file that holds `old.gz`, which holds notes with an extended private key."""
    notes = Draft()
    notes.text("server is gone, this is what is left of it\nroot: ")
    notes.plant(extended_key, "extended_private_key", secret=True)
    notes.text("\n(do NOT put this online again)\n")
    content = zip_file([("old.gz", gzip(bytes(notes.content)))])
    return Draft(
        content=bytearray(content), finds=[find.inside("gzip").inside("zip", 0, "old.gz") for find in notes.finds]
    )
