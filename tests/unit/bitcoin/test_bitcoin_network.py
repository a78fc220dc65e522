"""The networks: names, magics and the constants that blocks of the shared data confirm."""

import pytest
from vectors import load_json

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import MAINNET, NETWORKS, REGTEST, TESTNET3, by_magic, network_named
from cointrail.errors import UsageError


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_found_by_name_and_by_magic(name):
    network = NETWORKS[name]
    assert network_named(name) is network
    assert by_magic(network.magic) is network


def test_core_names():
    assert network_named("main") is MAINNET
    assert network_named("test") is TESTNET3


@pytest.mark.parametrize("name", ["", "Mainnet", "testnet", "bitcoin", "main\n", "\u200bmain"])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(UsageError, match="unknown network") as caught:
        network_named(name)
    assert caught.value.hint == "networks are mainnet, testnet3, testnet4, signet, regtest"


@pytest.mark.parametrize("magic", [b"", bytes(4), bytes.fromhex("d9b4bef9"), bytes.fromhex("f9beb4d900")])
def test_an_unknown_magic_has_no_network(magic):
    assert by_magic(magic) is None


def test_networks_differ_where_they_must():
    networks = NETWORKS.values()
    for attribute in ("name", "magic", "genesis_hash", "block_folder"):
        assert len({getattr(network, attribute) for network in networks}) == len(networks)
    assert (MAINNET.halving_interval, REGTEST.halving_interval) == (210_000, 150)
    assert MAINNET.block_folder == ""
    assert {network.wif_prefix for network in networks} == {128, 239}


def test_the_overwritten_coinbases_come_before_their_repeats():
    assert [height for height, _ in MAINNET.bip30_overwritten] == [91_722, 91_812]
    assert [height for height, _ in MAINNET.bip30_repeats] == [91_842, 91_880]
    assert all(not network.bip30_repeats for network in NETWORKS.values() if network is not MAINNET)


def test_block_91722_has_the_stated_hash():
    expected = load_json("oracles/prevouts/full_91721.json")["expected"]
    height, block_hash = MAINNET.bip30_overwritten[0]
    assert (expected["block_height"], expected["best_block_hash"]) == (height, display(block_hash))
