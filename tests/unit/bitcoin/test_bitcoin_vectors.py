"""Every published vector file: each case passes, or is left out with a reason that the vector page states.

One judge a file returns a tally; `docs/reference/vectors.md` must hold exactly the tallies' numbers.
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from vectors import assemble, bip_lists, block_records, core_cases, load_json, real_blocks, shared_data

from cointrail.bitcoin import base58, bech32
from cointrail.bitcoin.address import address_of, script_of
from cointrail.bitcoin.bech32 import Encoding
from cointrail.bitcoin.block import Block, BlockHeader, check_proof_of_work, median_time_past, target, work
from cointrail.bitcoin.fingerprint import input_flags
from cointrail.bitcoin.hashes import NULL_HASH, display, hash160, parse_hash
from cointrail.bitcoin.merkle import check_witness_commitment, merkle_root, witness_commitment
from cointrail.bitcoin.network import MAINNET, NETWORKS, REGTEST, SIGNET, TESTNET3, by_magic, network_named
from cointrail.bitcoin.script import ScriptType, classify, disassemble, is_unspendable, script_from_payload
from cointrail.bitcoin.transaction import (
    Outpoint,
    Transaction,
    TransactionInput,
    TransactionOutput,
    check_transaction,
)
from cointrail.errors import AddressError, InputRefused

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "vectors.md"

WIF = "private keys: the product decodes none in this room; each is refused as an address"
EXTENDED_KEYS = "extended and private keys: nothing is derived in this room; each is refused as an address"
EXECUTION = "invalid only when scripts are executed: each parses"
OP_RETURN_FIRST = (
    "OP_RETURN followed by no clean pushes: `nonstandard` in Core, `op_return` here because it is unspendable"
)

CORE_TYPES = {
    "nonstandard": ScriptType.NONSTANDARD,
    "pubkey": ScriptType.P2PK,
    "pubkeyhash": ScriptType.P2PKH,
    "scripthash": ScriptType.P2SH,
    "multisig": ScriptType.MULTISIG,
    "nulldata": ScriptType.OP_RETURN,
    "witness_v0_keyhash": ScriptType.P2WPKH,
    "witness_v0_scripthash": ScriptType.P2WSH,
    "witness_v1_taproot": ScriptType.P2TR,
    "witness_unknown": ScriptType.WITNESS_UNKNOWN,
}
ESPLORA_TYPES = {
    "p2pk": ScriptType.P2PK,
    "p2pkh": ScriptType.P2PKH,
    "p2sh": ScriptType.P2SH,
    "multisig": ScriptType.MULTISIG,
    "op_return": ScriptType.OP_RETURN,
    "v0_p2wpkh": ScriptType.P2WPKH,
    "v0_p2wsh": ScriptType.P2WSH,
    "v1_p2tr": ScriptType.P2TR,
}


@dataclass
class Tally:
    """What became of the cases of one file."""

    checked: str
    passed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def judge(self, name: object, *, ok: bool) -> None:
        if ok:
            self.passed += 1
        else:
            self.failures.append(str(name))

    @property
    def cases(self) -> int:
        return self.passed + self.left_out.total() + len(self.failures)

    def row(self, path: str) -> str:
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.left_out.items()) or "-"
        return f"| `{path}` | {self.checked} | {self.cases} | {self.passed} | {self.left_out.total()} | {reasons} |"


def refuses(function: Callable[..., object], *arguments: object) -> bool:
    try:
        function(*arguments)
    except InputRefused:
        return True
    return False


def refused_everywhere(text: str) -> bool:
    """Whether no network takes the text for an address and no refusal repeats a text that may be secret."""
    for network in NETWORKS.values():
        try:
            script_of(text, network)
        except AddressError as error:
            if len(text) > 40 and not re.match(r"(bc|tb|bt|tc|bcrt)1", text.lower()) and text in str(error):
                return False
            continue
        return False
    return True


def key_io_valid() -> Tally:
    tally = Tally("address to script and back, also with the case flipped where Core allows it")
    for text, script_hex, facts in core_cases("key_io_valid.json"):
        if facts["isPrivkey"]:
            assert refused_everywhere(text)
            tally.left_out[WIF] += 1
            continue
        network, script = network_named(facts["chain"]), bytes.fromhex(script_hex)
        ok = script_of(text, network) == script and address_of(script, network) == text
        if facts.get("tryCaseFlip"):
            ok = ok and script_of(text.swapcase(), network) == script
        tally.judge(text, ok=ok)
    return tally


def key_io_invalid() -> Tally:
    tally = Tally("refused as an address on all five networks")
    for (text,) in load_json("vectors/core/key_io_invalid.json"):
        tally.judge(text, ok=refused_everywhere(text))
    return tally


def base58_encode_decode() -> Tally:
    tally = Tally("encode and decode")
    for data_hex, text in core_cases("base58_encode_decode.json"):
        data = bytes.fromhex(data_hex)
        tally.judge(text, ok=base58.encode(data) == text and base58.decode(text, longest=400) == data)
    return tally


def tx_valid() -> Tally:
    tally = Tally("parses, re-serialises to the same bytes, passes `check_transaction`")
    for _, raw_hex, _ in core_cases("tx_valid.json"):
        transaction = Transaction.parse(bytes.fromhex(raw_hex))
        check_transaction(transaction)
        tally.judge(raw_hex, ok=transaction.serialize().hex() == raw_hex.lower() and len(transaction.txid) == 32)
    return tally


def tx_invalid() -> Tally:
    tally = Tally("those of flag BADTX are refused by `check_transaction`")
    for _, raw_hex, flags in core_cases("tx_invalid.json"):
        transaction = Transaction.parse(bytes.fromhex(raw_hex))
        if flags == "BADTX":
            tally.judge(raw_hex, ok=refuses(check_transaction, transaction))
            continue
        check_transaction(transaction)
        assert transaction.serialize().hex() == raw_hex.lower()
        tally.left_out[EXECUTION] += 1
    return tally


def sighash() -> Tally:
    tally = Tally("the transaction parses and re-serialises; the signature hash is not computed")
    for raw_hex, script_hex, *_ in core_cases("sighash.json"):
        classify(bytes.fromhex(script_hex))
        tally.judge(raw_hex, ok=Transaction.parse(bytes.fromhex(raw_hex)).serialize().hex() == raw_hex)
    return tally


def script_tests() -> Tally:
    tally = Tally("classification, disassembly and fingerprint of every script, none raises; nothing is executed")
    for case in core_cases("script_tests.json"):
        witness_hex, rest = (case[0][:-1], case[1:]) if isinstance(case[0], list) else ([], case)
        if any("#" in text for text in (*witness_hex, rest[1])):
            tally.left_out["scripts with a placeholder for a taproot output"] += 1
            continue
        script_sig, script_pubkey = assemble(rest[0]), assemble(rest[1])
        disassemble(script_sig)
        disassemble(script_pubkey)
        is_unspendable(script_pubkey)
        flags = input_flags(script_sig, tuple(bytes.fromhex(item) for item in witness_hex))
        tally.judge(case, ok=isinstance(classify(script_pubkey), ScriptType) and 0 <= flags < 1 << 12)
    return tally


def rpc_decodescript() -> Tally:
    tally = Tally("type, text and address as Core's decodescript answers on regtest")
    for script_hex, answer in load_json("vectors/core/rpc_decodescript.json"):
        script = bytes.fromhex(script_hex)
        assert disassemble(script) == answer["asm"]
        if answer["type"] == "nonstandard" and script[0] == 0x6A:
            assert classify(script) is ScriptType.OP_RETURN
            tally.left_out[OP_RETURN_FIRST] += 1
            continue
        same_type = classify(script) is CORE_TYPES[answer["type"]]
        tally.judge(script_hex, ok=same_type and address_of(script, REGTEST) == answer.get("address"))
    return tally


def block_filters(path: str) -> Tally:
    tally = Tally("the testnet3 block parses, hash and merkle root fit, re-serialises; filters are not built")
    for _, block_hash, raw_hex, scripts, *_ in load_json(path)[1:]:
        raw = bytes.fromhex(raw_hex)
        for script in scripts:
            classify(bytes.fromhex(script))
        tally.judge(block_hash, ok=_block_is_sound(raw, parse_hash(block_hash)))
    return tally


def bip341(path: str) -> Tally:
    tally = Tally("scriptPubKey to address and back")
    vectors = load_json(path)
    for case in vectors["scriptPubKey"]:
        expected = case["expected"]
        script, text = bytes.fromhex(expected["scriptPubKey"]), expected["bip350Address"]
        key = bytes.fromhex(case["intermediary"]["tweakedPubkey"])
        ok = address_of(script, MAINNET) == text and script_of(text, MAINNET) == script
        tally.judge(text, ok=ok and script_from_payload(ScriptType.P2TR, key) == script)
    tally.left_out["key path spending: nothing is signed in this room"] += len(vectors["keyPathSpending"])
    return tally


def bip173() -> Tally:
    return _bech32_lists("bip-0173.mediawiki", Encoding.BECH32)


def bip350() -> Tally:
    return _bech32_lists("bip-0350.mediawiki", Encoding.BECH32M)


def _bech32_lists(name: str, encoding: Encoding) -> Tally:
    tally = Tally("strings and addresses of the test vector section, valid and invalid")
    for heading, bullets in bip_lists(name).items():
        for text, *rest in bullets:
            if "strings are valid" in heading:
                hrp, values, found = bech32.decode_values(text)
                again = bech32.encode_values(hrp, values, found)
                tally.judge(text, ok=found is encoding and again == text.lower())
            elif "string are not valid" in heading:
                tally.judge(text, ok=refuses(bech32.decode_values, text))
            elif "invalid segwit addresses" in heading:
                tally.judge(text, ok=refused_everywhere(text))
            elif "valid segwit addresses" in heading:
                _judge_segwit_address(tally, text, bytes.fromhex(rest[0]), encoding)
    return tally


def _judge_segwit_address(tally: Tally, text: str, script: bytes, encoding: Encoding) -> None:
    network = MAINNET if text.lower().startswith("bc1") else TESTNET3
    if encoding is Encoding.BECH32 and script[0] != 0:
        with pytest.raises(AddressError, match=r"checksum is bech32, witness version \d+ needs bech32m"):
            script_of(text, network)
        tally.left_out["addresses of version 1 and later, which BIP350 withdrew: each is refused by name"] += 1
        return
    tally.judge(text, ok=script_of(text, network) == script and address_of(script, network) == text.lower())


def bip84() -> Tally:
    tally = Tally("public key to P2WPKH address")
    text = (shared_data() / "vectors/bips/bip-0084.mediawiki").read_text("utf-8")
    for key_hex, address in re.findall(r"pubkey +=\s*(\S+)\s+address += (\S+)", text):
        script = script_from_payload(ScriptType.P2WPKH, hash160(bytes.fromhex(key_hex)))
        tally.judge(address, ok=address_of(script, MAINNET) == address and script_of(address, MAINNET) == script)
    _leave_out_keys(tally, text)
    return tally


def bip86() -> Tally:
    tally = Tally("scriptPubKey to P2TR address")
    text = (shared_data() / "vectors/bips/bip-0086.mediawiki").read_text("utf-8")
    for script_hex, address in re.findall(r"scriptPubKey += (\S+)\s+address += (\S+)", text):
        script = bytes.fromhex(script_hex)
        tally.judge(address, ok=address_of(script, MAINNET) == address and script_of(address, MAINNET) == script)
    _leave_out_keys(tally, text)
    return tally


def bip32(path: str) -> Tally:
    tally = Tally("nothing")
    _leave_out_keys(tally, (shared_data() / path).read_text("utf-8"))
    return tally


def _leave_out_keys(tally: Tally, text: str) -> None:
    for key in re.findall(r"\b(?:[xyz](?:pub|prv)[1-9A-Za-z]{100,}|[KL5][1-9A-HJ-NP-Za-km-z]{50,51})\b", text):
        assert refused_everywhere(key)
        tally.left_out[EXTENDED_KEYS] += 1


def bip39_json() -> Tally:
    tally = Tally("nothing")
    for cases in load_json("vectors/bip39_test_vectors.json").values():
        tally.left_out["no seed words in this room"] += len(cases)
    return tally


def bip380() -> Tally:
    tally = Tally("nothing")
    tally.left_out["no output descriptors in this room"] += sum(map(len, bip_lists("bip-0380.mediawiki").values()))
    return tally


def descriptor_checksums() -> Tally:
    tally = Tally("nothing")
    tally.left_out["no output descriptors in this room"] += len(load_json("vectors/descriptor_checksums.json"))
    return tally


def rpc_psbt() -> Tally:
    tally = Tally("nothing")
    for cases in load_json("vectors/core/rpc_psbt.json").values():
        tally.left_out["no partially signed transactions in this room"] += len(cases)
    return tally


def single_blocks(folder: str) -> Tally:
    network = folder.split("/")[1].removesuffix("-singles")
    tally = Tally("hash is the file's name, proof of work, merkle root, witness commitment, re-serialises")
    for name, raw in real_blocks():
        found, height_and_hash = name.split("/")
        if found != network:
            continue
        height, block_hash = height_and_hash.split("_")
        block = Block.parse(raw)
        check_proof_of_work(block.header, NETWORKS[network])
        check_witness_commitment(block)
        has_commitment = witness_commitment(block.transactions[0]) is not None
        sound = _block_is_sound(raw, parse_hash(block_hash))
        tally.judge(name, ok=sound and (has_commitment or int(height) < NETWORKS[network].segwit_height))
    return tally


def chain_file(path: str) -> Tally:
    tally = Tally("network by its magic, the chain is linked, proof of work, merkle root, re-serialises")
    previous = NULL_HASH
    for magic, raw in block_records(path.removeprefix("blocks/")):
        network = by_magic(magic)
        assert network is (SIGNET if "signet" in path else TESTNET3)
        header = Block.parse(raw).header
        check_proof_of_work(header, network)
        is_genesis = header.block_hash == network.genesis_hash
        linked = header.previous_hash == previous and is_genesis == (previous == NULL_HASH)
        previous = header.block_hash
        tally.judge(display(previous), ok=linked and _block_is_sound(raw, previous))
    return tally


def getblock_v2() -> Tally:
    tally = Tally("transaction ids, sizes, scripts' types, texts and addresses as a node answered")
    blocks = {name.split("_")[-1]: raw for name, raw in real_blocks()}
    for file in sorted((shared_data() / "oracles/getblock-v2").glob("*.json.gz")):
        answer = load_json(str(file))
        block = Block.parse(blocks[answer["hash"]])
        sizes = (block.base_size, block.size, block.weight)
        same = sizes == (answer["strippedsize"], answer["size"], answer["weight"])
        same = same and len(block.transactions) == len(answer["tx"])
        tally.judge(file.name, ok=same and all(map(_as_node_says, block.transactions, answer["tx"])))
    return tally


def getblock_v3() -> Tally:
    tally = Tally("header, target, chain work, median time, ids, sizes and scripts as a node answered")
    times: list[int] = []
    chain_work = 0
    packed = (shared_data() / "oracles/mainnet_0_599_getblock_v3.jsonl.gz").read_bytes()
    for line in gzip.decompress(packed).splitlines():
        answer = json.loads(line)
        header = BlockHeader(
            answer["version"],
            parse_hash(answer["previousblockhash"]) if times else NULL_HASH,
            parse_hash(answer["merkleroot"]),
            answer["time"],
            int(answer["bits"], 16),
            answer["nonce"],
        )
        times.append(header.time)
        chain_work += work(header.bits)
        block = Block(header, tuple(Transaction.parse(bytes.fromhex(entry["hex"])) for entry in answer["tx"]))
        check_proof_of_work(header, MAINNET)
        same = target(header.bits) == int(answer["target"], 16) and chain_work == int(answer["chainwork"], 16)
        same = same and median_time_past(times) == answer["mediantime"]
        same = same and (block.base_size, block.weight) == (answer["strippedsize"], answer["weight"])
        same = same and all(map(_as_node_says, block.transactions, answer["tx"]))
        sound = _block_is_sound(block.serialize(), parse_hash(answer["hash"]))
        tally.judge(answer["height"], ok=same and sound)
    return tally


def _as_node_says(transaction: Transaction, answer: dict) -> bool:
    ids = (display(transaction.txid), display(transaction.wtxid)) == (answer["txid"], answer["hash"])
    sizes = (transaction.size, transaction.vsize, transaction.weight)
    same = ids and sizes == (answer["size"], answer["vsize"], answer["weight"])
    for output, expected in zip(transaction.outputs, answer["vout"], strict=True):
        script, said = output.script_pubkey, expected["scriptPubKey"]
        same = same and classify(script) is CORE_TYPES[said["type"]] and disassemble(script) == said["asm"]
        addresses = said.get("addresses", [])
        if said["type"] == "pubkey":  # this old node printed the address of the key, which the script does not pay to
            addresses = []
        same = same and [address_of(script, MAINNET)] == (addresses or [None])
    return same


def single_transactions() -> Tally:
    tally = Tally("rebuilt from its fields: txid, size and weight; type and address of every script")
    for file in sorted((shared_data() / "transactions").glob("*.json")):
        answer = load_json(str(file))
        transaction = Transaction(
            answer["version"],
            tuple(map(_esplora_input, answer["vin"])),
            tuple(TransactionOutput(out["value"], bytes.fromhex(out["scriptpubkey"])) for out in answer["vout"]),
            answer["locktime"],
        )
        scripts = [item["prevout"] for item in answer["vin"]] + answer["vout"]
        ok = display(transaction.txid) == answer["txid"] and Transaction.parse(transaction.serialize()) == transaction
        ok = ok and (transaction.size, transaction.weight) == (answer["size"], answer["weight"])
        for entry in scripts:
            script = bytes.fromhex(entry["scriptpubkey"])
            ok = ok and classify(script) is ESPLORA_TYPES[entry["scriptpubkey_type"]]
            ok = ok and address_of(script, MAINNET) == entry.get("scriptpubkey_address")
        tally.judge(file.name, ok=ok)
    return tally


def _esplora_input(entry: dict) -> TransactionInput:
    return TransactionInput(
        Outpoint(parse_hash(entry["txid"]), entry["vout"]),
        bytes.fromhex(entry["scriptsig"]),
        entry["sequence"],
        tuple(bytes.fromhex(item) for item in entry.get("witness", [])),
    )


def _block_is_sound(raw: bytes, block_hash: bytes) -> bool:
    block = Block.parse(raw)
    root, mutated = merkle_root([transaction.txid for transaction in block.transactions])
    return (
        block.block_hash == block_hash
        and root == block.header.merkle_root
        and not mutated
        and block.serialize() == raw
        and block.size == len(raw)
    )


JUDGES: dict[str, Callable[[], Tally]] = {
    "vectors/core/key_io_valid.json": key_io_valid,
    "vectors/core/key_io_invalid.json": key_io_invalid,
    "vectors/core/base58_encode_decode.json": base58_encode_decode,
    "vectors/core/tx_valid.json": tx_valid,
    "vectors/core/tx_invalid.json": tx_invalid,
    "vectors/core/sighash.json": sighash,
    "vectors/core/script_tests.json": script_tests,
    "vectors/core/rpc_decodescript.json": rpc_decodescript,
    "vectors/core/rpc_psbt.json": rpc_psbt,
    "vectors/core/blockfilters.json": lambda: block_filters("vectors/core/blockfilters.json"),
    "vectors/core/bip341_wallet_vectors.json": lambda: bip341("vectors/core/bip341_wallet_vectors.json"),
    "vectors/bips/bip-0158/testnet-19.json": lambda: block_filters("vectors/bips/bip-0158/testnet-19.json"),
    "vectors/bips/bip-0341/wallet-test-vectors.json": lambda: bip341("vectors/bips/bip-0341/wallet-test-vectors.json"),
    "vectors/bips/bip-0173.mediawiki": bip173,
    "vectors/bips/bip-0350.mediawiki": bip350,
    "vectors/bips/bip-0084.mediawiki": bip84,
    "vectors/bips/bip-0086.mediawiki": bip86,
    "vectors/bips/bip-0032.mediawiki": lambda: bip32("vectors/bips/bip-0032.mediawiki"),
    "vectors/bips/bip-0039.mediawiki": lambda: Tally("nothing: the text holds no vectors"),
    "vectors/bips/bip-0380.mediawiki": bip380,
    "vectors/bip32_test_vectors.json": lambda: bip32("vectors/bip32_test_vectors.json"),
    "vectors/bip39_test_vectors.json": bip39_json,
    "vectors/descriptor_checksums.json": descriptor_checksums,
    "blocks/mainnet-singles": lambda: single_blocks("blocks/mainnet-singles"),
    "blocks/testnet3-singles": lambda: single_blocks("blocks/testnet3-singles"),
    "blocks/testnet3-0-113/blk00000.dat": lambda: chain_file("blocks/testnet3-0-113/blk00000.dat"),
    "blocks/signet-0-120/blk00000.dat": lambda: chain_file("blocks/signet-0-120/blk00000.dat"),
    "oracles/getblock-v2": getblock_v2,
    "oracles/mainnet_0_599_getblock_v3.jsonl.gz": getblock_v3,
    "transactions": single_transactions,
}


@pytest.mark.parametrize("path", JUDGES)
def test_every_case_passes_and_the_page_says_so(path):
    tally = JUDGES[path]()
    assert not tally.failures
    assert tally.row(path) in PAGE.read_text("utf-8").splitlines()


def test_every_vector_file_has_a_judge():
    vectors = shared_data() / "vectors"
    files = {f"vectors/{file.relative_to(vectors).as_posix()}" for file in vectors.rglob("*") if file.is_file()}
    assert files == {path for path in JUDGES if path.startswith("vectors/")}


def test_the_page_has_no_row_that_nobody_judges():
    rows = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(rows) == sorted(JUDGES)
