"""Addresses of many scripts at once are those of each alone, of every type and on every network."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.reader import Reader
from cointrail.service.profiles import spelled

PROGRAMS = {
    ScriptType.P2WPKH: (b"\x00\x14", 20),
    ScriptType.P2WSH: (b"\x00\x20", 32),
    ScriptType.P2TR: (b"\x51\x20", 32),
}


@given(data=st.binary(min_size=32, max_size=32), network=st.sampled_from(sorted(NETWORKS)))
def test_each_program_is_spelled_as_alone(data, network):
    many = np.tile(np.frombuffer(data, np.uint8), (60, 1))
    many[1:] ^= np.arange(1, 60, dtype=np.uint8)[:, None]
    for kind, (head, size) in PROGRAMS.items():
        columns = {("script", "type"): np.full(60, int(kind), np.uint8), ("script", "payload"): many}
        reader = SimpleNamespace(
            column=lambda table, name, columns=columns: columns[table, name],
            snapshot=SimpleNamespace(network=network),
        )
        expected = [address_of(head + row[:size].tobytes(), NETWORKS[network]) for row in many]
        assert spelled.addresses(reader, np.arange(60)) == expected


@pytest.mark.parametrize("name", ["one", "simulated"])
def test_all_scripts_of_a_ledger(cases, name):
    with Reader(cases(name).ledger) as reader:
        everything = np.arange(reader.counts.script)
        found = spelled.names(reader, everything)
        scripts = [reader.script_pubkey(each) for each in everything.tolist()]
        network = NETWORKS[reader.snapshot.network]
    assert found == [address_of(each, network) or f"script:{each.hex()}" for each in scripts]
