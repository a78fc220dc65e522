"""Spends whose inputs carry signature-shaped items of chosen hash types: what the owner filter looks at."""

from chain_tree import unspent_outputs_of
from regtest import Form, anyone_can_spend

from cointrail.bitcoin.transaction import Transaction, TransactionInput

FINAL = 0xFFFFFFFF
# The outer form of a DER signature; its last byte is the hash type.
SIGNATURE = b"\x30\x44\x02\x20" + b"\x01" * 32 + b"\x02\x20" + b"\x02" * 32
ALL, ALL_ANYONE, SINGLE_ANYONE = b"\x01", b"\x81", b"\x83"


def owned_lock(name):
    """A script that is spent with one item of the spender's choice, here a signature."""
    return anyone_can_spend(Form.P2WSH, name, drops=1)


def spend(chain, prevouts, outputs, hash_types):
    """Spend outputs, each input with a signature of its own hash type."""
    inputs = []
    for prevout, hash_type in zip(prevouts, hash_types, strict=True):
        lock = chain.locks[prevout.script_pubkey]
        script_sig, witness = lock.unlock([SIGNATURE + hash_type] * (lock.drops or 0))
        inputs.append(TransactionInput(prevout.outpoint, script_sig, FINAL, witness))
    return Transaction(2, tuple(inputs), tuple(outputs), 0)


def unspent_of(tx):
    return unspent_outputs_of(tx, tx.txid, 0, is_coinbase=False)
