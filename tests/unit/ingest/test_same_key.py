"""Rows of the same_key table: every pair by hand in both orders, and random chains against a quadratic search."""

from itertools import permutations
from random import Random

import pytest
from chain_tree import RegtestChain
from effort import amount
from ingest_runs import build
from script_zoo import p2sh, push
from spelled_keys import Spelling, multisig, of_key, of_script, point

from cointrail.bitcoin.hashes import sha256
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.bitcoin.spelling import SameKeyKind, kind_between, revealed_spelling, spelling_hash, spelling_key
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.ingest.report import Options
from cointrail.ledger.indexes import SPELLING
from cointrail.ledger.reader import Reader

KEY, NESTED, KEY_FORM, SCRIPT = SameKeyKind
FINAL = 0xFFFFFFFF
COINS = 400
BATCHES = (Options(), Options(batch_bytes=1, publish_bytes=1 << 20), Options(batch_bytes=2_000, bulk=False))
SMALL = Options(batch_bytes=1_000, publish_bytes=1 << 20)
TAPROOT = Spelling("p2tr", b"\x51\x20" + point("taproot")[1][1:], b"", (bytes(64),))


class Economy:
    """A chain whose transactions pay and spend chosen spellings; nothing but the shapes of inputs is right."""

    def __init__(self):
        self.chain = RegtestChain()
        script = self.chain.default_lock.script_pubkey
        block = self.chain.mine(outputs=[TransactionOutput(1_000_000, script)] * COINS)
        self.chain.mine_empty(100)
        txid = block.transactions[0].txid
        self.coins = [(Outpoint(txid, vout), Spelling("coin", script, b"")) for vout in range(COINS)]
        self.waiting = []

    def pay(self, *spellings, spend=()):
        """A transaction in the next block; returns what it makes, to be spent: (outpoint, spelling)."""
        taken = [self.coins.pop(), *spend]
        inputs = tuple(TransactionInput(outpoint, each.script_sig, FINAL, each.witness) for outpoint, each in taken)
        outputs = tuple(TransactionOutput(1_000, each.script_pubkey) for each in spellings)
        tx = Transaction(2, inputs, outputs or (TransactionOutput(0, b"\x6a"),), 0)
        self.waiting.append(tx)
        return [(Outpoint(tx.txid, vout), each) for vout, each in enumerate(spellings)]

    def block(self):
        self.chain.mine(self.waiting)
        self.waiting = []


def rows_of(ledger):
    """[(tx_index, script_a, script_b, kind)] in stored order, and the scripts by id."""
    with Reader(ledger) as reader:
        names = ("tx_index", "script_a", "script_b", "kind")
        rows = list(zip(*(reader.column("same_key", name).tolist() for name in names), strict=True))
        return rows, [reader.script_pubkey(script) for script in range(reader.counts.script)]


def spelled(tmp_path, economy, options=None):
    """The rows with scripts instead of ids and the height instead of the transaction, from a whole ingest."""
    build(tmp_path, economy.chain.serialized(), options=options)
    rows, scripts = rows_of(tmp_path / "ledger")
    with Reader(tmp_path / "ledger") as reader:
        heights = reader.height_of_transactions([row[0] for row in rows]).tolist()
    return [(height, scripts[a], scripts[b], kind) for height, (_, a, b, kind) in zip(heights, rows, strict=True)]


def search(chain):
    """All rows a quadratic search finds, repeats included, from the blocks alone and in plain Python."""
    first_seen, scripts, outputs, rows = {}, [], {}, []
    index = 0
    for node in chain.branch():
        for tx in node.block.transactions:
            new = list(dict.fromkeys(o.script_pubkey for o in tx.outputs if o.script_pubkey not in first_seen))
            shown = []
            for script in new:
                first_seen[script] = len(scripts)
                earlier = [b for b, other in enumerate(scripts) if kind_between(script, other) is not None]
                if earlier:
                    rows.append((index, len(scripts), earlier[0], kind_between(script, scripts[earlier[0]])))
                if classify(script) is ScriptType.P2PK:
                    shown.append((script, revealed_spelling(script, b"", ()), len(scripts)))
                scripts.append(script)
            if not tx.is_coinbase:
                for each in tx.inputs:
                    script = outputs[each.outpoint]
                    shown.append((script, revealed_spelling(script, each.script_sig, each.witness), len(scripts)))
            for script, proof, known in shown:
                if proof is not None:
                    partners = [b for b in range(known) if spelling_hash(scripts[b]) == proof[0]]
                    rows += [(index, first_seen[script], b, proof[1]) for b in partners[:1]]
            outputs |= {Outpoint(tx.txid, vout): o.script_pubkey for vout, o in enumerate(tx.outputs)}
            index += 1
    return sorted(set(rows)), scripts


def firsts(rows):
    """For each pair and kind the first transaction that proves it."""
    found = {}
    for tx_index, *pair in rows:
        found.setdefault(tuple(pair), tx_index)
    return found


SAME_HASH = ("p2pk", "p2pkh", "p2wpkh", "nested_p2wpkh")


@pytest.mark.parametrize(("first", "second"), list(permutations(SAME_HASH, 2)))
@pytest.mark.parametrize("apart", [False, True])
def test_spellings_of_one_key_meet_at_the_second(tmp_path, first, second, apart):
    names, economy = of_key("alice"), Economy()
    economy.pay(names[first], TAPROOT)
    if apart:
        economy.block()
    economy.pay(of_key("bob")["p2wpkh"], names[second])
    economy.block()
    kind = NESTED if "nested_p2wpkh" in (first, second) else KEY
    a, b = names[second].script_pubkey, names[first].script_pubkey
    assert spelled(tmp_path, economy, SMALL) == [(102 + apart, a, b, kind)]


@pytest.mark.parametrize(("first", "second"), list(permutations(("p2wsh", "nested_p2wsh"))))
def test_nested_and_native_script_meet_at_the_second(tmp_path, first, second):
    names, economy = of_script(multisig("alice", "bob")), Economy()
    economy.pay(names[first], names[second])
    economy.block()
    a, b = names[second].script_pubkey, names[first].script_pubkey
    assert spelled(tmp_path, economy) == [(102, a, b, NESTED)]


def test_every_later_spelling_is_linked_with_the_first_one(tmp_path):
    names, economy = of_key("alice"), Economy()
    for name in SAME_HASH:
        economy.pay(names[name])
        economy.block()
    first = names["p2pk"].script_pubkey
    kinds = (KEY, KEY, NESTED)
    wanted = [(103 + k, names[name].script_pubkey, first, kinds[k]) for k, name in enumerate(SAME_HASH[1:])]
    assert spelled(tmp_path, economy) == wanted


@pytest.mark.parametrize("other", SAME_HASH)
@pytest.mark.parametrize("order", ["before", "between", "with the spend"])
def test_an_uncompressed_key_is_linked_when_a_spend_shows_it(tmp_path, other, order):
    names, economy = of_key("alice"), Economy()
    if order == "before":
        economy.pay(names[other])
        economy.block()
    (coin,) = economy.pay(names["long_p2pkh"])
    economy.block()
    if order == "between":
        economy.pay(names[other])
        economy.block()
    economy.pay(*([names[other]] if order == "with the spend" else []), spend=[coin])
    economy.block()
    height = 103 if order == "with the spend" else 104
    row = (height, names["long_p2pkh"].script_pubkey, names[other].script_pubkey, KEY_FORM)
    assert spelled(tmp_path, economy, SMALL) == [row]


def test_a_key_that_stands_in_its_script_needs_no_spend(tmp_path):
    names, economy = of_key("alice"), Economy()
    economy.pay(names["p2pkh"])
    (coin,) = economy.pay(names["long_p2pk"])
    economy.block()
    economy.pay(spend=[coin])
    economy.block()
    row = (102, names["long_p2pk"].script_pubkey, names["p2pkh"].script_pubkey, KEY_FORM)
    assert spelled(tmp_path, economy) == [row]


def test_a_key_that_stands_in_its_script_is_linked_at_the_spend_with_what_came_later(tmp_path):
    names, economy = of_key("alice"), Economy()
    (coin,) = economy.pay(names["long_p2pk"])
    economy.block()
    economy.pay(names["p2wpkh"])
    economy.block()
    economy.pay(spend=[coin])
    economy.block()
    row = (104, names["long_p2pk"].script_pubkey, names["p2wpkh"].script_pubkey, KEY_FORM)
    assert spelled(tmp_path, economy, SMALL) == [row]


def test_the_way_from_a_compressed_key_back_is_not_taken(tmp_path):
    names, economy = of_key("alice"), Economy()
    (coin,) = economy.pay(names["p2pkh"])
    economy.pay(names["long_p2pkh"])
    economy.block()
    economy.pay(spend=[coin])
    economy.block()
    assert spelled(tmp_path, economy) == []


@pytest.mark.parametrize(
    ("spent", "other"), [("p2sh", "p2wsh"), ("p2sh", "nested_p2wsh"), ("p2wsh", "p2sh"), ("nested_p2wsh", "p2sh")]
)
@pytest.mark.parametrize("other_first", [False, True])
def test_a_script_shown_by_a_spend_is_linked_with_its_other_wrapping(tmp_path, spent, other, other_first):
    names, economy = of_script(multisig("alice", "bob")), Economy()
    order = (other, spent) if other_first else (spent, other)
    coins = {each.name: (outpoint, each) for outpoint, each in economy.pay(*(names[name] for name in order))}
    economy.block()
    economy.pay(spend=[coins[spent]])
    economy.block()
    row = (103, names[spent].script_pubkey, names[other].script_pubkey, SCRIPT)
    assert spelled(tmp_path, economy) == [row]


def test_a_shared_key_links_no_scripts(tmp_path):
    names, economy = of_key("shared"), Economy()
    scripts = [of_script(multisig("shared", name)) for name in ("alice", "bob")]
    coins = economy.pay(names["p2pkh"], *(script[form] for script in scripts for form in ("p2sh", "p2wsh")))
    economy.block()
    economy.pay(spend=coins[:2])
    economy.pay(spend=coins[3:4])
    economy.block()
    found = spelled(tmp_path, economy)
    assert {(a, b) for _, a, b, _ in found} == {
        (script["p2sh"].script_pubkey, script["p2wsh"].script_pubkey) for script in scripts
    }


def test_data_that_does_not_fit_what_it_spends_proves_nothing(tmp_path):
    alice, bob, economy = of_key("alice"), of_key("bob"), Economy()
    script = of_script(multisig("alice"))
    economy.pay(alice["p2pkh"], bob["p2pkh"], script["p2wsh"])
    wrong_key = Spelling("wrong", bob["long_p2pkh"].script_pubkey, alice["long_p2pkh"].script_sig)
    wrong_script = Spelling("wrong", p2sh(b"\x51\x51"), script["p2sh"].script_sig)
    no_point = b"\x04" + point("alice")[0][1:64] + bytes([point("alice")[0][64] ^ 2])
    off_curve = Spelling("wrong", push(no_point) + b"\xac", b"\x01\x01")
    coins = economy.pay(wrong_key, wrong_script, off_curve)
    economy.block()
    economy.pay(spend=coins)
    economy.block()
    assert spelled(tmp_path, economy) == []


def test_a_script_spent_again_and_again_is_linked_once(tmp_path):
    names, economy = of_key("alice"), Economy()
    economy.pay(names["p2wpkh"])
    economy.block()
    for _ in range(10):
        coins = economy.pay(*[names["long_p2pkh"]] * 3)
        economy.block()
        economy.pay(spend=coins)
        economy.block()
    row = (104, names["long_p2pkh"].script_pubkey, names["p2wpkh"].script_pubkey, KEY_FORM)
    for number, options in enumerate(BATCHES):
        assert spelled(tmp_path / str(number), economy, options) == [row]


def random_economy(seed):
    """Few keys and scripts, often spent in the block that pays them."""
    random, economy = Random(seed), Economy()
    pool = [TAPROOT]
    for name in ("alice", "bob"):
        pool += of_key(name).values()
    for script in (multisig("alice", "bob"), push(point("carol")[1]) + b"\xac"):
        pool += of_script(script).values()
    unspent = []
    for _ in range(random.randint(5, 25)):
        for _ in range(random.randrange(5)):
            count = random.choice((0, 0, 1, 1, 2, 5))
            random.shuffle(unspent)
            taken, unspent = unspent[:count], unspent[count:]
            unspent += economy.pay(*random.choices(pool, k=random.choice((0, 1, 1, 2, 4))), spend=taken)
        economy.block()
    return economy


@pytest.mark.parametrize("seed", range(amount(12, 2)))
def test_random_chains_give_what_a_quadratic_search_finds_whatever_the_batches(tmp_path, seed):
    economy = random_economy(seed)
    wanted, scripts = search(economy.chain)
    found = []
    for number, options in enumerate(BATCHES):
        build(tmp_path / str(number), economy.chain.serialized(), options=options)
        rows, stored = rows_of(tmp_path / str(number) / "ledger")
        assert stored == scripts
        found.append(rows)
    assert found[0] == found[1] == found[2]
    rows = found[0]
    assert rows == sorted(set(rows))
    assert set(rows) <= set(wanted)
    assert firsts(rows) == firsts(wanted)


def test_the_chains_have_rows_of_every_kind():
    kinds = [row[3] for seed in range(amount(12, 2)) for row in search(random_economy(seed).chain)[0]]
    assert {kind: kinds.count(kind) > 3 for kind in SameKeyKind} == dict.fromkeys(SameKeyKind, True)


def test_every_script_is_in_the_spelling_index_under_its_key(tmp_path):
    economy = random_economy("index")
    build(tmp_path, economy.chain.serialized(), options=Options(batch_bytes=2_000))
    with Reader(tmp_path / "ledger") as reader:
        entries = sorted(
            (int(number), int(key))
            for run in reader.runs(SPELLING)
            for key, number in zip(run.keys, run.ids, strict=True)
        )
        scripts = [reader.script_pubkey(script) for script in range(reader.counts.script)]
    assert entries == [(number, spelling_key(script)) for number, script in enumerate(scripts)]
    assert spelling_key(b"\x6a") == int.from_bytes(sha256(b"\x6a")[:8], "little")
