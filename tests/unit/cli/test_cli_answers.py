"""Each command over real and random ledgers: the JSON's fields and the text's figures."""

import json
from itertools import islice

import pytest

COINBASE_9 = "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9"
PAYMENT = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
THREE_INPUTS = "a3b0e9e7cddbbe78270fa4182a7675ff00b92872d8df7d14265a2b1e379a9d33"
KEY_9 = (
    "0411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c"
    "b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3"
)


def has_types(document: dict, **types: type) -> bool:
    """True if the named fields are there with these types; a bool is no int."""
    assert {name: type(document[name]) for name in types} == types
    return True


def is_hex(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def is_utc(text: str) -> bool:
    return len(text) == 20 and text[10] == "T" and text.endswith("Z")


# status, block, config, ingest, verify


def test_status(cli, mainnet):
    answer = cli("status", "--ledger", str(mainnet), "--json").json
    assert has_types(
        answer, network=str, height=int, block_hash=str, blocks=int, transactions=int, inputs=int, outputs=int,
        scripts=int, unspent_outputs=int, unspent_value_sat=int, digest=str, refused=list,
    )  # fmt: skip
    assert (answer["network"], answer["height"], answer["blocks"]) == ("mainnet", 599, 600)
    assert (answer["transactions"], answer["unspent_outputs"]) == (616, 601)
    assert answer["unspent_value_sat"] == 2_995_000_000_000
    assert is_hex(answer["block_hash"])
    assert is_hex(answer["digest"])
    assert answer["basis"] == "fact"


def test_status_as_text(cli, mainnet):
    answer = cli("status", "--ledger", str(mainnet))
    assert answer.code == 0
    assert answer.err == ""
    assert "unspent       601 outputs, 29950.00000000 BTC" in answer.out
    assert "(miner-declared)" in answer.out


def test_status_as_of_is_bound_to_that_height(cli, mainnet):
    now = cli("status", "--ledger", str(mainnet), "--json").json
    then = cli("status", "--ledger", str(mainnet), "--as-of", "170", "--json").json
    assert then["height"] == then["snapshot"]["height"] == 170
    assert (then["blocks"], then["transactions"]) == (171, 172)
    assert then["digest"] != now["digest"]


def test_block_by_height_and_hash(cli, mainnet):
    by_height = cli("block", "170", "--ledger", str(mainnet), "--json").json
    by_hash = cli("block", by_height["block_hash"], "--ledger", str(mainnet), "--json").json
    assert by_hash == by_height
    assert by_height["txids"][1] == PAYMENT
    assert (
        by_height["previous_block_hash"] == cli("block", "169", "--ledger", str(mainnet), "--json").json["block_hash"]
    )
    assert cli("block", "0", "--ledger", str(mainnet), "--json").json["previous_block_hash"] is None


def test_block_pages(cli, mainnet):
    page = cli("block", "546", "--first", "1", "--limit", "2", "--ledger", str(mainnet), "--json").json
    everything = cli("block", "546", "--ledger", str(mainnet), "--json").json
    assert everything["transactions"] == len(everything["txids"]) == 4
    assert page["txids"] == everything["txids"][1:3]
    shown = cli("block", "546", "--limit", "2", "--ledger", str(mainnet))
    assert "showing 2 of 4 transactions" in shown.err
    assert "showing" not in shown.out


def test_config_shows_value_and_origin(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("COINTRAIL_LEDGER", "somewhere")
    answer = cli("config", "--json").json
    assert answer["ledger"] == {"value": "somewhere", "origin": "environment"}
    assert answer["home"] == {"value": str(tmp_path / "home"), "origin": "environment"}
    assert answer["config"] == {"value": str(tmp_path / "home" / "config.toml"), "origin": "default"}
    assert "COINTRAIL_LEDGER" in cli("config").out
    assert cli("config", "--ledger", "else", "--json").json["ledger"] == {"value": "else", "origin": "flag"}


def test_ingest_and_verify(cli, regtest, tmp_path):
    ledger = str(tmp_path / "ledger")
    first = cli("ingest", str(regtest.source), "--ledger", ledger, "--until", "50", "--json").json
    assert has_types(
        first, network=str, height=int, block_hash=str, digest=str, complete=bool, blocks=int, transactions=int,
        seconds=float, peak_anonymous_bytes=int, ledger_bytes=int, refused=list, damaged=list, orphans=list,
    )  # fmt: skip
    assert (first["network"], first["height"], first["blocks"]) == ("regtest", 50, 51)
    second = cli("ingest", str(regtest.source), "--ledger", ledger, "--json").json
    height = len(regtest.chain.branch()) - 1
    assert (second["height"], second["blocks"]) == (height, height - 50)
    again = cli("ingest", str(regtest.source), "--ledger", ledger)
    assert again.code == 0
    assert "added       0 blocks, 0 transactions" in again.out
    assert second["digest"] == cli("status", "--ledger", str(regtest.ledger), "--json").json["digest"]
    verified = cli("verify", "--ledger", ledger, "--json").json
    assert verified == {"ledger": ledger, "sound": True, "damages": []}


def test_verify_names_damage_with_code_5(cli, regtest, tmp_path):
    ledger = tmp_path / "ledger"
    cli("ingest", str(regtest.source), "--ledger", str(ledger))
    column = ledger / "output" / "value_sat.col"
    raw = bytearray(column.read_bytes())
    raw[17] ^= 1
    column.write_bytes(raw)
    answer = cli("verify", "--ledger", str(ledger), "--json")
    assert answer.code == 5
    document = json.loads(answer.out)
    assert not document["sound"]
    assert document["damages"][0]["where"] == "block 2"
    assert "is damaged in" in answer.err
    assert "block 2" in cli("verify", "--ledger", str(ledger)).out


# tx


def test_tx(cli, mainnet):
    answer = cli("tx", PAYMENT, "--ledger", str(mainnet), "--json").json
    assert has_types(
        answer, txid=str, height=int, block_hash=str, time_utc=str, coinbase=bool, fee_sat=int, size=int, weight=int
    )
    assert (answer["txid"], answer["height"], answer["coinbase"], answer["fee_sat"]) == (PAYMENT, 170, False, 0)
    assert is_utc(answer["time_utc"])
    (spent,) = answer["inputs"]
    assert {name: spent[name] for name in ("outpoint", "value_sat", "address", "script_type")} == {
        "outpoint": f"{COINBASE_9}:0", "value_sat": 50 * 10**8, "address": None, "script_type": "p2pk",
    }  # fmt: skip
    assert [(each["vout"], each["value_sat"], each["script_type"]) for each in answer["outputs"]] == [
        (0, 10 * 10**8, "p2pk"),
        (1, 40 * 10**8, "p2pk"),
    ]
    assert answer["outputs"][0]["spender"] is None
    assert answer["outputs"][0]["state"] == "unspent"
    assert has_types(answer["outputs"][1]["spender"], txid=str, vin=int)


def test_coinbase_spends_nothing(cli, mainnet):
    answer = cli("tx", COINBASE_9, "--ledger", str(mainnet), "--json").json
    assert answer["coinbase"]
    assert [answer["inputs"][0][name] for name in ("outpoint", "value_sat", "address", "script_type")] == [None] * 4
    assert answer["outputs"][0]["spender"] == {"txid": PAYMENT, "vin": 0}
    assert "new coins" in cli("tx", COINBASE_9, "--ledger", str(mainnet)).out


def test_tx_as_of_knows_no_later_spender(cli, mainnet):
    answer = cli("tx", COINBASE_9.upper(), "--as-of", "169", "--ledger", str(mainnet), "--json").json
    assert answer["outputs"][0]["spender"] is None
    assert answer["confirmations"] == 161
    assert cli("tx", PAYMENT, "--as-of", "169", "--ledger", str(mainnet)).code == 3


def test_tx_text_says_what_it_leaves_out(cli, mainnet):
    answer = cli("tx", THREE_INPUTS, "--limit", "2", "--ledger", str(mainnet))
    assert answer.code == 0
    assert "3 input(s)" in answer.out
    assert "showing 2 of 3 inputs" in answer.err


# address


def test_address_by_public_key(cli, mainnet):
    answer = cli("address", KEY_9, "--ledger", str(mainnet), "--json").json
    assert has_types(
        answer, script_type=str, received_sat=int, spent_sat=int, balance_sat=int, transactions=int,
        unspent_outputs=int, first_seen=dict, last_seen=dict,
    )  # fmt: skip
    assert answer["address"] is None
    assert has_types(answer["first_seen"], height=int, time_utc=str)
    assert (answer["first_seen"]["height"], answer["last_seen"]["height"]) == (9, 248)
    assert answer["received_sat"] - answer["spent_sat"] == answer["balance_sat"] == 18 * 10**8
    assert (answer["transactions"], answer["unspent_outputs"]) == (6, 1)
    by_script = cli("address", f"script:{answer['script_pubkey']}", "--ledger", str(mainnet), "--json").json
    assert by_script == answer


def test_address_of_each_type(cli, regtest):
    kinds = set()
    for address in regtest.addresses[:40]:
        answer = cli("address", address, "--ledger", str(regtest.ledger), "--json").json
        assert answer["address"] == address
        assert answer["received_sat"] == answer["spent_sat"] + answer["balance_sat"] + answer["unspendable_sat"]
        kinds.add(answer["script_type"])
    assert len(kinds) >= 3


def test_address_history_says_the_total_first(cli, regtest):
    address = regtest.addresses[0]
    answer = cli("address", address, "--history", "--ledger", str(regtest.ledger), "--json")
    head, *entries = map(json.loads, answer.out.splitlines())
    sums = cli("address", address, "--ledger", str(regtest.ledger), "--json").json
    assert head == {"total": sums["transactions"], "first": 0}
    assert len(entries) == sums["transactions"] > 2
    for entry in entries:
        assert has_types(entry, txid=str, height=int, time_utc=str, received_sat=int, spent_sat=int)
    assert sum(entry["received_sat"] for entry in entries) == sums["received_sat"]
    assert sum(entry["spent_sat"] for entry in entries) == sums["spent_sat"]
    assert [entry["height"] for entry in entries] == sorted(entry["height"] for entry in entries)
    page = cli(
        "address", address, "--history", "--first", "1", "--limit", "1", "--ledger", str(regtest.ledger), "--json"
    )
    assert list(map(json.loads, page.out.splitlines())) == [{"total": len(entries), "first": 1}, entries[1]]
    shown = cli("address", address, "--history", "--limit", "1", "--ledger", str(regtest.ledger))
    assert shown.out.splitlines()[0] == f"{len(entries)} transaction(s)"
    assert f"showing 1 of {len(entries)} transactions" in shown.err


# cluster


def test_cluster(cli, mainnet):
    script = cli("tx", THREE_INPUTS, "--ledger", str(mainnet), "--json").json["inputs"][0]["script_pubkey"]
    answer = cli("cluster", f"script:{script}", "--ledger", str(mainnet), "--json").json
    assert has_types(answer, level=str, size=int, members=list, received_sat=int, balance_sat=int, evidence=list)
    assert (answer["level"], answer["size"], len(answer["members"])) == ("L1", 3, 3)
    assert (answer["received_sat"], answer["balance_sat"]) == (61 * 10**8, 0)
    assert f"script:{script}" in answer["members"]
    assert answer["basis"] == "inference"
    assert {"id": "cospend", "version": 1} in answer["rules"]
    before = cli("cluster", f"script:{script}", "--as-of", "495", "--ledger", str(mainnet), "--json").json
    assert before["size"] == 1
    page = cli("cluster", f"script:{script}", "--first", "2", "--limit", "5", "--ledger", str(mainnet), "--json").json
    assert (page["size"], len(page["members"])) == (3, 1)


# trace


@pytest.mark.parametrize("policy", ["fifo", "haircut"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_trace(cli, mainnet, policy, direction):
    seed = f"{COINBASE_9 if direction == 'forward' else THREE_INPUTS}:0"
    answer = cli("trace", seed, f"--{direction}", "--policy", policy, "--ledger", str(mainnet), "--json").json
    assert has_types(answer, seeds=list, policies=list, snapshot=dict, steps=list, endpoints=list, traced_sat=int)
    assert (answer["seeds"], answer["direction"], answer["seed_outputs"]) == ([seed], direction, 1)
    (said,) = answer["policies"]
    assert has_types(said, policy=str, text=str, conserved=bool, fees_sat=int, ended=dict, complete=bool)
    assert (said["policy"], said["conserved"], answer["complete"]) == (policy, True, True)
    assert answer["rules"][0] == {"id": f"taint.{policy}", "version": 1}
    assert sum(said["ended"].values()) == answer["traced_sat"]
    for end in answer["endpoints"]:
        assert has_types(end, outpoint=str, value_sat=int, traced_sat=dict, reasons=dict, spread_sat=int)
        assert end["address"] is None
        assert 0 < end["traced_sat"][policy] <= end["value_sat"]
        assert end["spread_sat"] == 0
    held = sum(end["traced_sat"][policy] for end in answer["endpoints"])
    assert held + said["fees_sat"] == answer["traced_sat"]
    reasons = {reason for end in answer["endpoints"] for reason in end["reasons"].values()}
    assert reasons == ({"unspent"} if direction == "forward" else {"coinbase"})
    assert has_types(answer["steps"][0], txid=str, height=int, time_utc=str, traced_in_sat=int, fee_sat=int)


def test_policies_side_by_side(cli, mainnet):
    names = ["fifo", "haircut", "lifo", "tiho", "seniority", "purity", "poison"]
    options = [word for name in names for word in ("--policy", name)]
    asked = ("trace", f"{COINBASE_9}:0", *options, "--ledger", str(mainnet))
    answer = cli(*asked, "--json").json
    assert [each["policy"] for each in answer["policies"]] == names
    assert [each["conserved"] for each in answer["policies"]] == [True] * 6 + [None]
    for end in answer["endpoints"]:
        assert list(end["traced_sat"]) == names
        said = [end["traced_sat"][name] for name in names[:-1]]
        assert end["spread_sat"] == max(said) - min(said)
        assert end["traced_sat"]["poison"] in (0, end["value_sat"])
        assert set(end["reasons"]) == {name for name in names if end["traced_sat"][name]}
    text = cli(*asked).out
    assert "reach only" in text
    assert "spread" in text
    single = cli("trace", f"{COINBASE_9}:0", "--policy", "fifo", "--ledger", str(mainnet)).out
    assert "spread" not in single
    refused = cli("trace", f"{COINBASE_9}:0", "--backward", "--policy", "tiho", "--ledger", str(mainnet))
    assert (refused.code, "cannot be read backward" in refused.err) == (2, True)


def test_seeds_from_a_file_bear_labels(cli, regtest, tmp_path):
    first, second = [each for each in regtest.addresses if len(each) != 64][:2]
    file = tmp_path / "seized.csv"
    file.write_text(f"seed,label\n{first},Anna\n{second},Boris\n{'11' * 32},nobody\nnonsense\n\n", encoding="utf-8")
    answer = cli("trace", "--seeds", str(file), "--ledger", str(regtest.ledger), "--limits", "open", "--json").json
    read = answer["seed_file"]
    assert {key: read[key] for key in ("rows", "found", "absent", "refused", "unreadable")} == {
        "rows": 4, "found": 2, "absent": 1, "refused": 1, "unreadable": [5],
    }  # fmt: skip
    assert [each["label"] for each in answer["labels"]] == ["Anna", "Boris"]
    received = [
        cli("address", each, "--ledger", str(regtest.ledger), "--json").json["received_sat"] for each in (first, second)
    ]
    assert [each["seeded_sat"] for each in answer["labels"]] == received
    text = cli("trace", "--seeds", str(file), "--ledger", str(regtest.ledger))
    assert "2 of 4 rows of seized.csv; 1 are not on the chain; 1 are no seed (line 5)" in text.out


def test_services_of_a_file_end_a_trace(cli, regtest, tmp_path):
    chain = regtest.chain
    node = next(node for node in chain.branch() if len(node.block.transactions) > 2)
    txid = node.txids[1][::-1].hex()
    address, other = islice((each for each in regtest.addresses if len(each) != 64), 2)
    tags = tmp_path / "tags.csv"
    tags.write_text(f"address,actor,category\n{address},Shop,exchange\n{other},Home,charity\n", encoding="utf-8")
    asked = ("trace", address, "--tags", str(tags), "--ledger", str(regtest.ledger))
    answer = cli(*asked, "--json").json
    assert {end["service"] for end in answer["endpoints"]} == {"Shop"}
    assert {reason for end in answer["endpoints"] for reason in end["reasons"].values()} == {"service"}
    assert (answer["tags"]["used"], answer["tags"]["left_out"]) == (1, 1)
    assert len(answer["tags"]["digest"]) == 64
    (shop,) = answer["services"]
    ends = [end for end in answer["endpoints"] if end["service"]]
    assert (shop["statement"], shop["endpoints"]) == ("attributed to Shop by tags.csv", len(ends))
    for policy, sat in shop["traced_sat"].items():
        assert sat == sum(end["traced_sat"][policy] for end in ends if end["reasons"].get(policy) == "service") > 0
    assert "attributed to Shop" in cli(*asked).out
    tags.write_text("address,actor\nbc1qnonsense,Shop\n", encoding="utf-8")
    assert cli("trace", txid, "--tags", str(tags), "--ledger", str(regtest.ledger)).code == 4
    assert cli("trace", txid, "--tags", str(tmp_path), "--ledger", str(regtest.ledger)).code == 4


def test_a_trace_is_kept_and_goes_on(cli, mainnet, tmp_path):
    seed, kept = f"{COINBASE_9}:0", tmp_path / "kept.npz"
    whole = cli("trace", seed, "--ledger", str(mainnet), "--json").json
    stopped = cli("trace", seed, "--transactions", "2", "--save", str(kept), "--ledger", str(mainnet), "--json")
    assert (stopped.code, stopped.json["complete"]) == (0, False)
    assert f"--resume {kept}" in stopped.err
    gone_on = cli("trace", "--resume", str(kept), "--ledger", str(mainnet), "--json")
    assert gone_on.code == 0
    for name in ("steps", "endpoints", "seeds", "traced_sat", "totals", "complete"):
        assert gone_on.json[name] == whole[name], name
    assert cli("trace", seed, "--resume", str(kept), "--ledger", str(mainnet)).code == 2
    kept.write_bytes(kept.read_bytes()[:-100])
    broken = cli("trace", "--resume", str(kept), "--ledger", str(mainnet))
    assert (broken.code, "is no saved trace" in broken.err) == (4, True)


def test_trace_of_txid_outpoint_and_address(cli, regtest):
    chain = regtest.chain
    node = next(node for node in chain.branch() if len(node.block.transactions) > 2)
    txid = node.txids[1][::-1].hex()
    outputs = node.block.transactions[1].outputs
    whole = cli("trace", txid, "--hops", "0", "--ledger", str(regtest.ledger), "--json").json
    assert whole["traced_sat"] == sum(output.value_sat for output in outputs)
    first = cli("trace", f"{txid}:0", "--hops", "0", "--ledger", str(regtest.ledger), "--json").json
    assert first["traced_sat"] == outputs[0].value_sat
    address = next(each for each in regtest.addresses if len(each) != 64)
    sums = cli("address", address, "--ledger", str(regtest.ledger), "--json").json
    by_address = cli("trace", address, "--ledger", str(regtest.ledger), "--json").json
    assert by_address["traced_sat"] == sums["received_sat"]


def test_trace_of_an_address_as_long_as_a_txid(cli, regtest):
    """A P2WSH or P2TR address of regtest has 64 characters."""
    address = next(each for each in regtest.addresses if len(each) == 64)
    assert cli("trace", address, "--hops", "0", "--ledger", str(regtest.ledger)).code == 0


def test_trace_limits_are_in_the_answer(cli, mainnet):
    seed = f"{COINBASE_9}:0"
    limited = ("trace", seed, "--transactions", "2", "--ledger", str(mainnet))
    answer = cli(*limited, "--json")
    assert answer.json["complete"] is False
    assert answer.json["limits"]["transactions"] == 2
    assert "the trace was cut off after 2 transactions" in answer.err
    assert cli(*limited, "--require-complete").code == 7
    hops = cli("trace", seed, "--hops", "1", "--min-sat", "1", "--ledger", str(mainnet), "--json").json
    assert {reason for end in hops["endpoints"] for reason in end["reasons"].values()} == {"unspent", "hop limit"}
    shown = cli("trace", seed, "--limit", "1", "--ledger", str(mainnet))
    assert "showing 1 of 8 transactions" in shown.err
    assert "showing 1 of 5 endpoints" in shown.err
