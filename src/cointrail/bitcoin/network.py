"""The five networks and the constants in which they differ.

Sources: Core `kernel/chainparams.cpp` (message start, prefixes, genesis), `validation.cpp` (`IsBIP30Repeat`,
`IsBIP30Unspendable`), BIP94 (testnet4), BIP325 (signet). Testnet3, testnet4, signet and regtest share their base58
prefixes, and the first three share ``tb``: an address text does not say which of them it is for.
"""

from dataclasses import dataclass

from cointrail.bitcoin.hashes import parse_hash
from cointrail.errors import UsageError


@dataclass(frozen=True, slots=True)
class Network:
    """Constants of one network.

    Attributes:
        name: the glossary's name.
        magic: four bytes before every record of a block file.
        pubkey_hash_prefix: base58 version byte of a P2PKH address.
        script_hash_prefix: base58 version byte of a P2SH address.
        bech32_prefix: human-readable part of witness addresses.
        wif_prefix: base58 version byte of a private key; known in order to refuse it by name.
        genesis_hash: hash of block 0, internal order.
        pow_limit_bits: the easiest target allowed, in compact form.
        halving_interval: blocks between two halvings of the subsidy.
        segwit_height: first height at which witness commitments are checked.
        block_folder: folder under the node's data directory that holds ``blocks``; empty for mainnet.
        bip30_repeats: (height, block hash) of the blocks whose coinbase repeats an earlier txid.
        bip30_overwritten: (height, block hash) of the blocks whose coinbase outputs were overwritten by a repeat.
    """

    name: str
    magic: bytes
    pubkey_hash_prefix: int
    script_hash_prefix: int
    bech32_prefix: str
    wif_prefix: int
    genesis_hash: bytes
    pow_limit_bits: int
    halving_interval: int
    segwit_height: int
    block_folder: str
    bip30_repeats: tuple[tuple[int, bytes], ...] = ()
    bip30_overwritten: tuple[tuple[int, bytes], ...] = ()


MAINNET = Network(
    name="mainnet",
    magic=bytes.fromhex("f9beb4d9"),
    pubkey_hash_prefix=0,
    script_hash_prefix=5,
    bech32_prefix="bc",
    wif_prefix=128,
    genesis_hash=parse_hash("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    pow_limit_bits=0x1D00FFFF,
    halving_interval=210_000,
    segwit_height=481_824,
    block_folder="",
    bip30_repeats=(
        (91_842, parse_hash("00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec")),
        (91_880, parse_hash("00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721")),
    ),
    bip30_overwritten=(
        (91_722, parse_hash("00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e")),
        (91_812, parse_hash("00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f")),
    ),
)

TESTNET3 = Network(
    name="testnet3",
    magic=bytes.fromhex("0b110907"),
    pubkey_hash_prefix=111,
    script_hash_prefix=196,
    bech32_prefix="tb",
    wif_prefix=239,
    genesis_hash=parse_hash("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
    pow_limit_bits=0x1D00FFFF,
    halving_interval=210_000,
    segwit_height=834_624,
    block_folder="testnet3",
)

TESTNET4 = Network(
    name="testnet4",
    magic=bytes.fromhex("1c163f28"),
    pubkey_hash_prefix=111,
    script_hash_prefix=196,
    bech32_prefix="tb",
    wif_prefix=239,
    genesis_hash=parse_hash("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
    pow_limit_bits=0x1D00FFFF,
    halving_interval=210_000,
    segwit_height=1,
    block_folder="testnet4",
)

SIGNET = Network(
    name="signet",
    magic=bytes.fromhex("0a03cf40"),
    pubkey_hash_prefix=111,
    script_hash_prefix=196,
    bech32_prefix="tb",
    wif_prefix=239,
    genesis_hash=parse_hash("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
    pow_limit_bits=0x1E0377AE,
    halving_interval=210_000,
    segwit_height=1,
    block_folder="signet",
)

REGTEST = Network(
    name="regtest",
    magic=bytes.fromhex("fabfb5da"),
    pubkey_hash_prefix=111,
    script_hash_prefix=196,
    bech32_prefix="bcrt",
    wif_prefix=239,
    genesis_hash=parse_hash("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    pow_limit_bits=0x207FFFFF,
    halving_interval=150,
    segwit_height=0,
    block_folder="regtest",
)

NETWORKS = {network.name: network for network in (MAINNET, TESTNET3, TESTNET4, SIGNET, REGTEST)}

# The names Core gives its first two networks in -chain= and in RPC answers.
_CORE_NAMES = {"main": MAINNET, "test": TESTNET3}


def network_named(text: str) -> Network:
    """Return the network called `text`.

    Args:
        text: a key of `NETWORKS`, or Core's names ``main`` and ``test``.

    Raises:
        UsageError: no network has this name.
    """
    network = NETWORKS.get(text) or _CORE_NAMES.get(text)
    if network is None:
        raise UsageError(f"unknown network {text!a}", hint=f"networks are {', '.join(NETWORKS)}")
    return network


def by_magic(magic: bytes) -> Network | None:
    """Return the network whose block records start with `magic`, or None."""
    for network in NETWORKS.values():
        if network.magic == magic:
            return network
    return None
