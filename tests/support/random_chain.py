"""Random chains that the kernel accepts: thousands of transactions a second, the same for the same seed.

The transactions have many or few inputs and outputs, spend outputs of their own block, use scripts again, pay
fees or none; coinbases leave rewards unclaimed. All of it is final and mature by construction.
"""

from random import Random

from chain_tree import (
    BLOCK_INTERVAL,
    COINBASE_MATURITY,
    FINAL_SEQUENCE,
    RegtestChain,
    UnspentOutput,
    is_mature,
    unspent_outputs_of,
)
from random_scripts import RandomScripts, lookalike

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput

DISABLED_RELATIVE_LOCK = 1 << 31
TIME_RELATIVE_LOCK = 1 << 22
LOCK_TIME_THRESHOLD = 500_000_000
WEIGHT_BUDGET = 3_900_000
VERSIONS = (1, 2, 2, 2, 2, 3, 0, -1, 0x7FFFFFFF)


class RandomWriter:
    """Extends one branch of a tree with random blocks."""

    def __init__(self, chain: RegtestChain, random: Random, tip: bytes | None = None) -> None:
        self.chain = chain
        self.random = random
        self.tip = tip or chain.tip
        self.scripts = RandomScripts(random)
        self._height = chain.height_of(self.tip) + 1
        spendable = [u for u in chain.unspent(self.tip).values() if u.script_pubkey in chain.locks]
        self._pool = [u for u in spendable if is_mature(u, self._height)]
        self._immature = sorted((u for u in spendable if not is_mature(u, self._height)), key=lambda u: u.height)

    def block(self, transactions: int) -> Block:
        """Build the next block.

        Args:
            transactions: how many besides the coinbase; fewer if nothing is left to spend or the block is full.
        """
        chain, random = self.chain, self.random
        while self._immature and is_mature(self._immature[0], self._height):
            self._pool.append(self._immature.pop(0))
        median = chain.median_time_past(self.tip)
        made: list[Transaction] = []
        reward, budget = chain.reward_sat(self._height, ()), WEIGHT_BUDGET
        while len(made) < transactions and self._pool and budget > 0:
            tx, fee = self._transaction(median)
            made.append(tx)
            reward += fee
            budget -= tx.weight
        step = random.randint(-900, 2_000) if random.random() < 0.3 else BLOCK_INTERVAL
        time = max(median + 1, chain.nodes[self.tip].block.header.time + step)
        commitment = True if random.random() < 0.2 else None
        outputs = self._coinbase_outputs(reward)
        block = chain.mine(made, parent=self.tip, outputs=outputs, time=time, commitment=commitment)
        self.tip = chain.tip
        node = chain.nodes[self.tip]
        coinbase = unspent_outputs_of(block.transactions[0], node.txids[0], self._height, is_coinbase=True)
        self._immature += [output for output in coinbase if output.script_pubkey in chain.locks]
        self._height += 1
        return block

    def _transaction(self, median: int) -> tuple[Transaction, int]:
        """A random transaction and its fee; its outputs can be spent at once."""
        random = self.random
        prevouts = self._take(self._input_count())
        total = sum(prevout.value_sat for prevout in prevouts)
        fee = 0 if random.random() < 0.2 else min(total, random.randint(0, 400 * (len(prevouts) + 2)))
        outputs = self._outputs(total - fee)
        version = random.choice(VERSIONS)
        sequences = self._sequences(prevouts, version)
        inputs = tuple(self._input(prevout, sequence) for prevout, sequence in zip(prevouts, sequences, strict=True))
        tx = Transaction(version, inputs, outputs, self._lock_time(sequences, median))
        locks = self.chain.locks
        for output in unspent_outputs_of(tx, tx.txid, self._height, is_coinbase=False):
            if output.script_pubkey in locks:
                self._pool.append(output)
        return tx, fee

    def _input_count(self) -> int:
        """Mostly one or two, at times many; more when the pool overflows."""
        pool, chance = len(self._pool), self.random.random()
        if pool > 5_000 or chance < 0.05:
            return min(pool, self.random.randint(2, 25))
        return min(pool, 1 if chance < 0.6 else self.random.randint(1, 4))

    def _take(self, count: int) -> list[UnspentOutput]:
        """Take outputs out of the pool: any, or with some preference the latest, which may be of this block."""
        pool, random = self._pool, self.random
        taken = []
        for _ in range(count):
            index = len(pool) - 1 if random.random() < 0.3 else random.randrange(len(pool))
            pool[index], pool[-1] = pool[-1], pool[index]
            taken.append(pool.pop())
        return taken

    def _outputs(self, total_sat: int) -> tuple[TransactionOutput, ...]:
        """Split a value over a random number of outputs: any shares, equal shares, round payment with change."""
        random = self.random
        count = self._output_count()
        kind = random.random()
        if kind < 0.1:
            values = [total_sat // count] * (count - 1)
            values.append(total_sat - sum(values))
        elif kind < 0.4 and count == 2 and total_sat > 100_000:
            round_to = 10 ** random.randint(3, len(str(total_sat)) - 1)
            values = [random.randrange(total_sat // round_to + 1) * round_to]
            values.append(total_sat - values[0])
            random.shuffle(values)
        else:
            cuts = sorted(random.randint(0, total_sat) for _ in range(count - 1))
            values = [high - low for low, high in zip([0, *cuts], [*cuts, total_sat], strict=True)]
        return tuple(TransactionOutput(value, self._script(value)) for value in values)

    def _output_count(self) -> int:
        """Mostly two, at times one, three to six, or up to sixty."""
        chance = self.random.random()
        if chance < 0.75:
            return 1 if chance < 0.15 else 2
        return self.random.randint(3, 6) if chance < 0.97 else self.random.randint(7, 60)

    def _script(self, value_sat: int) -> bytes:
        """A script for an output; a third of the small values is locked for good, of the large ones few are."""
        chance_of_lock = 0.3 if value_sat < 10_000_000 else 0.05
        lock = self.scripts.locked() if self.random.random() < chance_of_lock else self.scripts.spendable()
        if lock.is_spendable:
            self.chain.locks[lock.script_pubkey] = lock
        return lock.script_pubkey

    def _input(self, prevout: UnspentOutput, sequence: int) -> TransactionInput:
        """An input whose dropped items look like signatures and keys."""
        lock, random = self.chain.locks[prevout.script_pubkey], self.random
        drops = random.randrange(3) if lock.drops is None else lock.drops
        annex = b"\x50" + random.randbytes(random.randrange(9)) if lock.has_annex and random.random() < 0.1 else None
        script_sig, witness = lock.unlock([lookalike(random) for _ in range(drops)], annex)
        return TransactionInput(prevout.outpoint, script_sig, sequence, witness)

    def _sequences(self, prevouts: list[UnspentOutput], version: int) -> list[int]:
        """Random sequences that no relative lock (BIP68) forbids."""
        random = self.random
        chance = random.random()
        if chance < 0.5:
            return [random.choice((0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD))] * len(prevouts)
        if chance < 0.7:
            return [FINAL_SEQUENCE] * len(prevouts)
        sequences = []
        for prevout in prevouts:
            if version in (0, 1):
                sequences.append(random.getrandbits(32))
            elif random.random() < 0.5:
                sequences.append(DISABLED_RELATIVE_LOCK | random.getrandbits(31))
            else:
                age = min(self._height - prevout.height, 0xFFFF)
                sequences.append(random.choice((0, TIME_RELATIVE_LOCK, random.randint(0, age))))
        return sequences

    def _lock_time(self, sequences: list[int], median: int) -> int:
        """A random lock time that has passed, or any if no sequence enables it."""
        random = self.random
        chance = random.random()
        if chance < 0.4:
            return 0
        if all(sequence == FINAL_SEQUENCE for sequence in sequences):
            return random.getrandbits(32)
        if chance < 0.9:
            return random.randrange(max(0, self._height - 20), self._height)
        return random.randrange(LOCK_TIME_THRESHOLD, median)

    def _coinbase_outputs(self, reward_sat: int) -> list[TransactionOutput]:
        """Pay the reward to one or more scripts; at times a part or all of it is left unclaimed."""
        random = self.random
        chance = random.random()
        claim = 0 if chance < 0.01 else random.randint(0, reward_sat) if chance < 0.1 else reward_sat
        if random.random() < 0.8:
            return [TransactionOutput(claim, self._script(claim))]
        return list(self._outputs(claim))


def extend_randomly(
    chain: RegtestChain, random: Random, blocks: int, transactions_per_block: int, *, parent: bytes | None = None
) -> list[Block]:
    """Put random blocks on a block of the tree; the last one becomes the tip.

    Args:
        chain: the tree to extend.
        random: source of all choices.
        blocks: how many.
        transactions_per_block: on average, from half to one and a half times this.
        parent: hash of the block to build on, by default the tip.
    """
    writer = RandomWriter(chain, random, parent)
    low, high = transactions_per_block // 2, transactions_per_block + transactions_per_block // 2
    return [writer.block(random.randint(low, high)) for _ in range(blocks)]


def random_chain(
    random: Random, blocks: int, transactions_per_block: int, *, warm_up: int = COINBASE_MATURITY
) -> RegtestChain:
    """A chain of random blocks.

    Args:
        random: source of all choices; the same state gives the same bytes.
        blocks: blocks with transactions.
        transactions_per_block: on average, without the coinbase.
        warm_up: blocks with a coinbase only that come first, to have something mature to spend.
    """
    chain = RegtestChain()
    extend_randomly(chain, random, warm_up, 0)
    extend_randomly(chain, random, blocks, transactions_per_block)
    return chain


def forked_chain(
    random: Random, common: int, left: int, right: int, transactions_per_block: int
) -> tuple[RegtestChain, bytes, bytes]:
    """A random chain that splits into two branches with different spends.

    Args:
        random: source of all choices.
        common: shared blocks with transactions, after the warm-up.
        left: blocks of the first branch.
        right: blocks of the second branch.
        transactions_per_block: on average, without the coinbase.

    Returns:
        The tree and the tips of the two branches.
    """
    chain = random_chain(random, common, transactions_per_block)
    fork = chain.tip
    extend_randomly(chain, random, left, transactions_per_block, parent=fork)
    left_tip = chain.tip
    extend_randomly(chain, random, right, transactions_per_block, parent=fork)
    return chain, left_tip, chain.tip
