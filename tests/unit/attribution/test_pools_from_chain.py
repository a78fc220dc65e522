"""Pools named from the chain itself: whom each coinbase pays, by what it says, and what contradicts the list."""

import json
import tarfile
from pathlib import Path

import pytest
from regtest import RegtestChain
from vectors import real_blocks, shared_data

from cointrail.attribution.formats.pools import read_pools
from cointrail.attribution.tag import Statement, Subject, SubjectKind, Tag
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import display, script_hash
from cointrail.bitcoin.network import MAINNET, REGTEST
from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput
from cointrail.cli.main import run
from cointrail.errors import InputRefused, Unavailable
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.pools import PoolList, name_from_chain

COIN = 100_000_000
KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def pays_to(number):
    return b"\x00\x14" + bytes([number]) * 20


def listed(texts, payouts=()):
    def statement(name):
        return Statement(name, "a list", "trusted_provider", name.lower(), "mining_pool", is_cluster_definer=True)

    tags = [Tag(Subject(SubjectKind.COINBASE, text), statement(name)) for text, name in texts]
    return [*tags, *(Tag(Subject(SubjectKind.ADDRESS, address), statement(name)) for address, name in payouts)]


class SpeakingChain(RegtestChain):
    """A chain whose miners write a text into the coinbase."""

    says = ""

    def mine_saying(self, text, scripts):
        self.says = text
        outputs = [TransactionOutput(COIN, script) for script in scripts]
        return self.mine(outputs=outputs, commitment=True)

    def _coinbase(self, *args):
        made = super()._coinbase(*args)
        (only,) = made.inputs
        said = TransactionInput(only.outpoint, only.script_sig + self.says.encode(), only.sequence, only.witness)
        return Transaction(made.version, (said,), made.outputs, made.lock_time)


POOLS = listed([("/Alpha/", "Alpha"), ("/Alpha/Plus/", "Plus"), ("\U0001f41f", "Fish"), ("zz", "Short")])


@pytest.fixture
def chain():
    return SpeakingChain()


def test_scripts_are_named_by_the_text(chain, open_ledger):
    block = chain.mine_saying("mined by /Alpha/ 1", [pays_to(1)])
    chain.mine_saying("/Alpha/", [pays_to(1)])
    chain.mine_saying("/Alpha/Plus/", [pays_to(2)])
    chain.mine_saying("\U0001f41f", [b"\x21" + KEY + b"\xac"])
    chain.mine_saying("zz unknown", [pays_to(3)])
    named = name_from_chain(open_ledger(chain), POOLS)
    tags = list(named.pack.tags)
    assert [(tag.subject.kind, tag.subject.text, tag.statement.label) for tag in tags] == [
        (SubjectKind.ADDRESS, address_of(pays_to(1), REGTEST), "Alpha"),
        (SubjectKind.ADDRESS, address_of(pays_to(2), REGTEST), "Plus"),
        (SubjectKind.PUBKEY, KEY.hex(), "Fish"),
    ]
    first = tags[0].statement
    assert first.source == f"coinbase of block 1 of regtest, {display(block.transactions[0].txid)}"
    assert (first.confidence, first.category, first.actor) == ("service_data", "mining_pool", "alpha")
    assert all(tag.statement.is_cluster_definer is False for tag in tags)
    assert named.pack.skipped == {"no known text": 2}
    assert named.conflicts == []


def test_the_list_makes_it_speak_for_the_cluster(chain, open_ledger):
    chain.mine_saying("/Alpha/", [pays_to(1)])
    chain.mine_saying("/Alpha/", [pays_to(2)])
    pools = listed([("/Alpha/", "Alpha")], [(address_of(pays_to(1), REGTEST), "Alpha")])
    tags = name_from_chain(open_ledger(chain), pools).pack.tags
    assert [tag.statement.is_cluster_definer for tag in tags] == [True, False]


def test_a_contradiction_names_nobody_and_is_reported(chain, open_ledger):
    block = chain.mine_saying("/Alpha/", [pays_to(1)])
    pools = listed([("/Alpha/", "Alpha")], [(address_of(pays_to(1), REGTEST), "Beta")])
    named = name_from_chain(open_ledger(chain), pools)
    assert list(named.pack.tags) == []
    (conflict,) = named.conflicts
    assert (conflict.height, conflict.txid) == (1, display(block.transactions[0].txid))
    assert (conflict.text, conflict.by_text, conflict.by_address) == ("/Alpha/", "Alpha", "Beta")
    assert conflict.address == address_of(pays_to(1), REGTEST)
    assert named.pack.skipped == {"no known text": 1, "in conflict with the list": 1}


def test_members_and_lone_miners_are_not_named(chain, open_ledger):
    """Whoever shares a coinbase with others is not the pool because the pool put it together."""
    chain.mine_saying("/Alpha/", [pays_to(1), pays_to(2)])
    chain.mine_saying("/Alpha/", [b"\x51"])
    chain.mine_saying("/Alpha/", [b"\x6a\x01\x00"])
    chain.mine_saying("/Alpha/", [pays_to(3), pays_to(3)])
    named = name_from_chain(open_ledger(chain), POOLS)
    assert [tag.subject.text for tag in named.pack.tags] == [address_of(pays_to(3), REGTEST)]
    assert named.pack.skipped == {
        "no known text": 1,
        "pays several scripts": 1,
        "pays a script without address or key": 1,
        "pays nothing": 1,
    }


def test_heights_limit_what_is_read(chain, open_ledger):
    for number in range(1, 6):
        chain.mine_saying("/Alpha/", [pays_to(number)])
    reader = open_ledger(chain)
    tags = name_from_chain(reader, POOLS, first=2, last=3).pack.tags
    assert [tag.subject.text for tag in tags] == [address_of(pays_to(number), REGTEST) for number in (2, 3)]
    assert len(list(name_from_chain(reader, POOLS).pack.tags)) == 5
    for first, last in ((0, 6), (-1, 2), (3, 2)):
        with pytest.raises(InputRefused, match="are not in this ledger"):
            name_from_chain(reader, POOLS, first=first, last=last)
    with pytest.raises(InputRefused, match="no tag names a coinbase text"):
        name_from_chain(reader, listed([("zz", "Short")]))


def test_block_files_that_are_gone_are_an_error(chain, open_ledger, tmp_path):
    chain.mine_saying("/Alpha/", [pays_to(1)])
    reader = open_ledger(chain)
    for path in (tmp_path / "blocks").rglob("blk*.dat"):
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(Unavailable):
        list(name_from_chain(reader, POOLS).pack.tags)


def real_pools():
    return PoolList(read_pools(shared_data() / "tags" / "mining-pools-v2.json").tags)


def test_real_coinbases_say_what_the_list_of_addresses_says():
    """Two sources that do not know each other: where a real block has both a known text and a known payout."""
    pools, agreed = real_pools(), []
    for name, raw in real_blocks():
        if not name.startswith("mainnet/"):
            continue
        coinbase = Block.parse(raw).transactions[0]
        said = pools.in_coinbase(coinbase.inputs[0].script_sig)
        payouts = [pools.by_script.get(script_hash(output.script_pubkey)) for output in coinbase.outputs]
        for payout in filter(None, payouts):
            assert said is not None, name
            assert said[1].label == payout.label, name
            agreed.append(payout.label)
    assert len(agreed) >= 2


def test_nobody_is_named_in_mainnets_first_600_blocks(tmp_path: Path):
    """There were no pools in 2009: whatever is found there is a text that is too short."""
    archive = shared_data() / "blocks" / "mainnet-0-599" / "mainnet600.datadir.tar.gz"
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "node", filter="data")
    ingest(tmp_path / "node", tmp_path / "ledger")
    reader = Reader(tmp_path / "ledger")
    try:
        named = name_from_chain(reader, read_pools(shared_data() / "tags" / "mining-pools-v2.json").tags)
        assert list(named.pack.tags) == []
        assert named.pack.skipped == {"no known text": 600}
        (genesis,) = name_from_chain(reader, listed([("Chancellor on brink", "The Times")]), last=0).pack.tags
        assert genesis.subject.kind is SubjectKind.PUBKEY
        assert genesis.subject.text == reader.script_pubkey(0)[1:-1].hex()
        assert reader.snapshot.network == MAINNET.name
    finally:
        reader.close()


def test_the_command_imports_what_coinbases_say(chain, open_ledger, tmp_path, capsys):
    """As a collection of its own, the contradiction beside it; the same again changes nothing."""
    one, two = (address_of(pays_to(number), REGTEST) for number in (1, 2))
    pools = [
        {"id": 1, "name": "Alpha", "addresses": [one], "tags": ["/Alpha/"], "link": "https://a.invalid"},
        {"id": 2, "name": "Beta", "addresses": [two], "tags": ["/Beta/"], "link": "https://b.invalid"},
    ]
    (tmp_path / "pools.json").write_text(json.dumps(pools))
    chain.mine_saying("/Alpha/", [pays_to(1)])
    chain.mine_saying("/Alpha/", [pays_to(2)])
    ledger, database = open_ledger(chain).folder, tmp_path / "tags.sqlite"
    command = ["tags", "pools", str(tmp_path / "pools.json"), "--ledger", str(ledger), "--database", str(database)]
    assert run([*command, "--by", "tester", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["imported"]["version"]["collection"] == "coinbases of regtest, by pools.json"
    assert told["imported"]["version"]["tags"] == 1
    assert [(each["by_text"], each["by_address"], each["address"]) for each in told["conflicts"]] == [
        ("Alpha", "Beta", two)
    ]
    other = [*command[:-1], str(tmp_path / "other.sqlite"), "--by", "tester"]
    assert run(other) == 0
    assert "contradict" in capsys.readouterr().err
    assert run(other) == 0
    capsys.readouterr()
    assert run(["tags", "list", one, "--database", str(database), "--json"]) == 0
    (tag,) = json.loads(capsys.readouterr().out)["tags"]
    assert tag["source"].startswith("coinbase of block 1 of regtest, ")
    assert run([*command[:2], str(tmp_path), *command[3:], "--by", "tester"]) == 4
