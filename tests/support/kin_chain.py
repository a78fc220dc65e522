"""Random chains in which few keys are spelled in many ways and spent together: what clusters are made of.

Co-spends of one to five inputs, inputs signed ANYONECANPAY, shapes that the gate takes for collaborative, and every
spelling of a key or a script. Nothing is signed, and no rule of consensus but the scripts' own is broken. The chain's
blocks are the truth: `groups` reads them back without any ledger.
"""

from collections import defaultdict, deque
from functools import cache
from random import Random
from typing import NamedTuple

from chain_tree import COINBASE_MATURITY, FINAL_SEQUENCE, RegtestChain, unspent_outputs_of
from mixing_gate import collaborative

from cointrail.bitcoin.hashes import hash160, sha256
from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput

FIELD = 2**256 - 2**32 - 977
SIGNATURE = b"\x30\x44\x02\x20" + b"\x01" * 32 + b"\x02\x20" + b"\x02" * 32
ALL, ALL_ANYONE = b"\x01", b"\x81"


class Spelling(NamedTuple):
    """A scriptPubKey and what stands in an input that spends it, before and behind the signature."""

    script_pubkey: bytes
    script_sig: bytes | None = None
    witness: tuple[bytes, ...] | None = None
    behind: bytes = b""

    def unlock(self, hash_type: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        """(scriptSig, witness) with a signature-shaped item."""
        signature = SIGNATURE + hash_type
        if self.witness is not None:
            return self.script_sig or b"", (signature, *self.witness)
        return push(signature) + self.behind, ()


def push(data: bytes) -> bytes:
    return bytes([len(data)]) + data


@cache
def key_spellings(number: int) -> tuple[Spelling, ...]:
    """Six scripts of one key, two of them of its uncompressed form."""
    x = number + 1
    while pow(x**3 + 7, (FIELD - 1) // 2, FIELD) != 1:
        x += 1_000
    y = pow(x**3 + 7, (FIELD + 1) // 4, FIELD)
    short = bytes([2 + y % 2]) + x.to_bytes(32, "big")
    long = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    program = b"\x00\x14" + hash160(short)
    return (
        Spelling(b"\x76\xa9" + push(hash160(short)) + b"\x88\xac", behind=push(short)),
        Spelling(program, witness=(short,)),
        Spelling(b"\xa9" + push(hash160(program)) + b"\x87", push(program), (short,)),
        Spelling(push(short) + b"\xac"),
        Spelling(b"\x76\xa9" + push(hash160(long)) + b"\x88\xac", behind=push(long)),
        Spelling(push(long) + b"\xac"),
    )


@cache
def script_spellings(number: int) -> tuple[Spelling, ...]:
    """Three scripts of one inner script."""
    inner = push(number.to_bytes(4, "little")) + b"\x75\x51"
    program = b"\x00\x20" + sha256(inner)
    return (
        Spelling(b"\xa9" + push(hash160(inner)) + b"\x87", behind=push(inner)),
        Spelling(program, witness=(inner,)),
        Spelling(b"\xa9" + push(hash160(program)) + b"\x87", push(program), (inner,)),
    )


class KinChain(NamedTuple):
    """A chain and the (txid, vin) of inputs that are signed ANYONECANPAY."""

    chain: RegtestChain
    open_inputs: set[tuple[bytes, int]]


class _Economy:
    """Spends of a pool, at random."""

    def __init__(self, random: Random, keys: int) -> None:
        self.random, self.chain = random, RegtestChain()
        self.open_inputs: set[tuple[bytes, int]] = set()
        spellings = (script_spellings(n) if n % 5 == 4 else key_spellings(n) for n in range(keys))
        self.known = {each.script_pubkey: each for several in spellings for each in several}
        self.scripts = list(self.known)
        first = self.chain.mine(outputs=[self.output(70_000_000) for _ in range(60)])
        self.chain.mine_empty(COINBASE_MATURITY - 1)
        self.pool = unspent_outputs_of(first.transactions[0], first.transactions[0].txid, 1, is_coinbase=True)

    def output(self, value_sat: int) -> TransactionOutput:
        return TransactionOutput(value_sat, self.random.choice(self.scripts))

    def spend(self) -> Transaction:
        """One to five inputs; one in five has three equal outputs, which is a mix if enough scripts come in."""
        random = self.random
        random.shuffle(self.pool)
        taken = [self.pool.pop() for _ in range(min(len(self.pool), random.choice((1, 1, 2, 2, 3, 5))))]
        total = sum(each.value_sat for each in taken) - 1_000
        count = random.choice((1, 2, 2, 3, 4))
        odd = [self.output(total // count - n) for n in range(count)]
        outputs = [self.output(total // 3) for _ in range(3)] if random.random() < 0.2 else odd
        types = [ALL_ANYONE if random.random() < 0.15 else ALL for _ in taken]
        inputs = []
        for each, hash_type in zip(taken, types, strict=True):
            script_sig, witness = self.known[each.script_pubkey].unlock(hash_type)
            inputs.append(TransactionInput(each.outpoint, script_sig, FINAL_SEQUENCE, witness))
        tx = Transaction(2, tuple(inputs), tuple(outputs), 0)
        self.open_inputs |= {(tx.txid, vin) for vin, hash_type in enumerate(types) if hash_type == ALL_ANYONE}
        self.pool += unspent_outputs_of(tx, tx.txid, 0, is_coinbase=False)
        return tx


def kin_chain(random: Random, blocks: int = 12, keys: int = 12, transactions: int = 4) -> KinChain:
    """A chain whose first hundred blocks hold nothing but a coinbase.

    Args:
        random: of all choices.
        blocks: with transactions.
        keys: how many keys and inner scripts share the money.
        transactions: most in a block.
    """
    economy = _Economy(random, keys)
    for _ in range(blocks):
        economy.chain.mine([economy.spend() for _ in range(random.randrange(transactions + 1))])
    return KinChain(economy.chain, economy.open_inputs)


class Group(NamedTuple):
    """Scripts that one transaction links."""

    height: int
    txid: bytes
    scripts: frozenset[bytes]


def co_spend_groups(kin: KinChain, height: int) -> list[Group]:
    """The believed co-spends up to a height, read from the blocks alone."""
    made: dict[bytes, Transaction] = {}
    groups = []
    for node in kin.chain.branch()[: height + 1]:
        for txid, tx in zip(node.txids, node.block.transactions, strict=True):
            made[txid] = tx
            if tx.is_coinbase:
                continue
            spent = [made[each.outpoint.txid].outputs[each.outpoint.vout] for each in tx.inputs]
            if (
                collaborative(*([(o.value_sat, o.script_pubkey) for o in side] for side in (spent, tx.outputs)))
                != "none"
            ):
                continue
            owned = {o.script_pubkey for vin, o in enumerate(spent) if (txid, vin) not in kin.open_inputs}
            if len(owned) > 1:
                groups.append(Group(node.height, txid, frozenset(owned)))
    return groups


def distances(groups: list[Group], source: bytes) -> dict[bytes, int]:
    """The fewest groups between a script and every other that it is linked with: a plain breadth-first search."""
    having = defaultdict(list)
    for group in groups:
        for script in group.scripts:
            having[script].append(group)
    found, waiting = {source: 0}, deque([source])
    while waiting:
        here = waiting.popleft()
        for group in having[here]:
            for script in group.scripts - found.keys():
                found[script] = found[here] + 1
                waiting.append(script)
    return found
