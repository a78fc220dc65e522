"""The door to the regtest support: `from regtest import RegtestChain, random_chain, write_block_files ...`.

chain_tree      a tree of blocks with valid proof of work
random_chain    random blocks the kernel accepts
special_chains  chains made for one purpose
invalid_blocks  blocks that break one rule
block_files     blk files in layouts of our own
script_zoo      scripts with what spends them
"""

from block_files import Placement, obfuscate, read_record, write_block_files
from chain_tree import COINBASE_MATURITY, GENESIS, Node, RegtestChain, UnspentOutput, grind
from invalid_blocks import INVALID_BLOCKS, InvalidBlock
from random_chain import RandomWriter, extend_randomly, forked_chain, random_chain
from script_zoo import Form, Lock, anyone_can_spend, locked_zoo, spendable_zoo, zoo
from special_chains import mine_large_witness, mine_many_inputs, mine_many_outputs, prepared_chain, zoo_chain

__all__ = [
    "COINBASE_MATURITY",
    "GENESIS",
    "INVALID_BLOCKS",
    "Form",
    "InvalidBlock",
    "Lock",
    "Node",
    "Placement",
    "RandomWriter",
    "RegtestChain",
    "UnspentOutput",
    "anyone_can_spend",
    "extend_randomly",
    "forked_chain",
    "grind",
    "locked_zoo",
    "mine_large_witness",
    "mine_many_inputs",
    "mine_many_outputs",
    "obfuscate",
    "prepared_chain",
    "random_chain",
    "read_record",
    "spendable_zoo",
    "write_block_files",
    "zoo",
    "zoo_chain",
]
