"""Wallet files as the programs write them: Core's legacy key pool, Core's descriptor wallet, Electrum's JSON.

Records follow Core `src/wallet/walletdb.cpp`; the Electrum file is that of versions 4 (`seed_version` 18 and later
differ in what they add, not in what is here). Their finds are located by searching the finished file.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.encoding import write_compact_size
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.network import REGTEST
from cointrail.simulation.inputs.formats import berkeley, sqlite
from cointrail.simulation.inputs.seized.exhibit import Draft, Find
from cointrail.simulation.inputs.seized.spellings import branch_descriptor, with_checksum
from cointrail.simulation.plot.bip32 import ExtendedKey

Record = tuple[bytes, bytes]

_KEY_HEAD = bytes.fromhex("3081d30201010420")
_KEY_MIDDLE = bytes.fromhex(
    "a08185308182020101302c06072a8648ce3d0101022100ffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "fefffffc2f300604010004010704210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817980221"
    "00fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141020101a124032200"
)
"""Between secret and public key: the curve's parameters, as OpenSSL wrote them into every private key (RFC 5915)."""

_LEGACY_VERSION, _LEGACY_MINIMUM = 180_100, 60_000
_DESCRIPTOR_VERSION, _DESCRIPTOR_MINIMUM = 290_000, 169_900
_WATCH_ONLY_DESCRIPTORS = 1 << 32 | 1 << 34
_BECH32_OUTPUTS = b"\x02"
_VPUB, _VPRV = bytes.fromhex("045f1cf6"), bytes.fromhex("045f18bc")
"""SLIP132 versions of P2WPKH accounts on test networks, as Electrum writes them."""


@dataclass(frozen=True, slots=True)
class PoolKey:
    """A key of the legacy pool; `label` is empty if it still waits there, else the name it was given out under."""

    secret: bytes = field(repr=False)
    public_key: bytes
    script_pubkey: bytes
    label: str = ""


def legacy_wallet(keys: Sequence[PoolKey], created: int, file_id: bytes) -> tuple[bytes, list[Find]]:
    """A `wallet.dat` of Berkeley DB.

    Args:
        keys: in order of the pool.
        created: when the keys were made, seconds since 1970.
        file_id: 20 bytes.
    """
    records: list[Record] = [
        (_string("version"), _u32(_LEGACY_VERSION)),
        (_string("minversion"), _u32(_LEGACY_MINIMUM)),
        (_string("bestblock"), _u32(_LEGACY_VERSION) + b"\x00"),
        (_string("orderposnext"), bytes(8)),
        (_string("defaultkey"), _vector(keys[0].public_key)),
    ]
    for number, key in enumerate(keys, start=1):
        public_key = _vector(key.public_key)
        record = _private_key_record(key.secret, key.public_key)
        check = double_sha256(key.public_key + record)
        records.append((_string("key") + public_key, _vector(record) + check))
        records.append((_string("keymeta") + public_key, _u32(1) + _u64(created)))
        if key.label:
            spelled = _string(_address(key.script_pubkey))
            records.append((_string("name") + spelled, _string(key.label)))
            records.append((_string("purpose") + spelled, _string("receive")))
        else:
            records.append((_string("pool") + _u64(number), _u32(_LEGACY_VERSION) + _u64(created) + public_key))
    content = berkeley.btree_file(records, file_id)
    finds = [_whole(content, "wallet_bdb")]
    secrets = _positions(content, _KEY_HEAD)
    for key in keys:
        script_hash = hashlib.sha256(key.script_pubkey).digest()
        digest = hashlib.sha256(key.secret).digest()
        finds.append(Find(secrets[key.secret], 32, "private_key", digest, is_secret=True, script_hash=script_hash))
        if key.label:
            # Key `name` + address, not `purpose` + address.
            address = _address(key.script_pubkey)
            marked = _string("name") + _string(address)
            finds.append(_found(content, marked, address, "address", script_hash))
    return content, finds


def descriptor_wallet(account: ExtendedKey, origin: str, created: int) -> tuple[bytes, list[Find]]:
    """Core's SQLite wallet that watches an account: P2WPKH, external and change branch, no private keys.

    Args:
        account: the account; its secret is not written.
        origin: master fingerprint and path, in brackets.
        created: seconds since 1970.
    """
    flags = (_string("flags"), _u64(_WATCH_ONLY_DESCRIPTORS))
    records: list[Record] = [
        (_string("version"), _u32(_DESCRIPTOR_VERSION)),
        (_string("minversion"), _u32(_DESCRIPTOR_MINIMUM)),
        flags,
    ]
    descriptors = [branch_descriptor(account, branch, origin) for branch in (0, 1)]
    for branch, descriptor in enumerate(descriptors):
        number = _descriptor_id(descriptor)
        record = _string(descriptor) + _u64(created) + _u32(0) + _u32(0) + _u32(1_000)
        records.append((_string("walletdescriptor") + number, record))
        parent = account.neuter().child(branch)
        cached = bytes((parent.depth,)) + parent.parent_fingerprint + parent.child_number.to_bytes(4, "big")
        cached += parent.chain_code + parent.public_key
        records.append((_string("walletdescriptorcache") + number + _u32(0), _vector(cached)))
        name = "activeinternalspk" if branch else "activeexternalspk"
        records.append((_string(name) + _BECH32_OUTPUTS, number))
    records.append((_string("bestblock"), _u32(_DESCRIPTOR_VERSION) + b"\x00"))
    content = sqlite.key_value_file(records, int.from_bytes(REGTEST.magic, "big"))
    finds = [_whole(content, "wallet_sqlite")]
    finds += [_found(content, descriptor.encode(), descriptor, "descriptor") for descriptor in descriptors]
    return content, finds


def electrum_wallet(
    account: ExtendedKey, history: Sequence[tuple[bytes, bool, Sequence[tuple[str, int]]]], height: int
) -> Draft:
    """Electrum's JSON of a wallet with its private key, not encrypted.

    Args:
        account: the key its addresses derive from.
        history: (scriptPubKey, whether it is change, [(txid as shown, height)]) of every address, in order.
        height: of the chain when it was last open.
    """
    addresses = {
        name: [_address(script) for script, change, _ in history if change is wanted]
        for name, wanted in (("change", True), ("receiving", False))
    }
    content = {
        "addr_history": {_address(script): [list(entry) for entry in entries] for script, _, entries in history},
        "addresses": addresses,
        "keystore": {
            "derivation": "m/0h",
            "pw_hash_version": 1,
            "root_fingerprint": account.parent_fingerprint.hex(),
            "type": "bip32",
            "xprv": account.serialize(private=_VPRV),
            "xpub": account.neuter().serialize(public=_VPUB),
        },
        "labels": {},
        "seed_version": 18,
        "stored_height": height,
        "use_encryption": False,
        "wallet_type": "standard",
    }
    draft = Draft()
    draft.text(json.dumps(content, indent=4, sort_keys=True))
    draft.whole("wallet_electrum")
    text = bytes(draft.content)
    keystore = content["keystore"]
    assert isinstance(keystore, dict)
    for field_name, kind in (("xprv", "extended_private_key"), ("xpub", "extended_public_key")):
        value = str(keystore[field_name])
        draft.finds.append(_found(text, value.encode(), value, kind, secret=field_name == "xprv"))
    start = text.index(b'"addresses"')
    for script, _, _ in history:
        address = _address(script)
        script_hash = hashlib.sha256(script).digest()
        draft.finds.append(_found(text, address.encode(), address, "address", script_hash, start=start))
    return draft


def _private_key_record(secret: bytes, public_key: bytes) -> bytes:
    """A private key as Core keeps it: DER with the curve's parameters, 214 bytes."""
    return _KEY_HEAD + secret + _KEY_MIDDLE + public_key


def _descriptor_id(descriptor: str) -> bytes:
    """Core's number of a descriptor: SHA-256 of its text with `'` for hardened steps."""
    return hashlib.sha256(
        with_checksum(descriptor.split("#")[0].replace("h/", "'/").replace("h]", "']")).encode()
    ).digest()


def _positions(content: bytes, head: bytes) -> dict[bytes, int]:
    """Where each 32-byte secret stands that follows `head`."""
    found, at = {}, content.find(head)
    while at >= 0:
        start = at + len(head)
        found[content[start : start + 32]] = start
        at = content.find(head, start)
    return found


def _found(
    content: bytes,
    marked: bytes,
    value: str,
    kind: str,
    script_hash: bytes = b"",
    *,
    secret: bool = False,
    start: int = 0,
) -> Find:
    """The find of a text that ends a marked stretch of the content."""
    offset = content.index(marked, start) + len(marked) - len(value)
    return Find(offset, len(value), kind, hashlib.sha256(value.encode()).digest(), secret, script_hash)


def _whole(content: bytes, kind: str) -> Find:
    return Find(0, len(content), kind, hashlib.sha256(content).digest())


def _address(script_pubkey: bytes) -> str:
    address = address_of(script_pubkey, REGTEST)
    assert address is not None, "a wallet's scripts have addresses"
    return address


def _string(text: str) -> bytes:
    return _vector(text.encode())


def _vector(content: bytes) -> bytes:
    return write_compact_size(len(content)) + content


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")
