"""The table of unspent outputs against a dict: any keys, also those that share a home and wrap around."""

from functools import cache
from random import Random

import numpy as np
from effort import PLAIN, amount, examples
from hypothesis import given
from hypothesis import strategies as st
from regtest import random_chain, zoo_chain

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.script import is_unspendable
from cointrail.ingest.parsed import ParsedBlocks, parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.timing import Stages
from cointrail.kernels import unspent
from cointrail.kernels.unspent import MISSING, SHARDS, apply_events, batch_events, live_events, move_entries

SALT = np.array([0x0123456789ABCDEF, 0xFEDCBA9876543211, 0x9E3779B97F4A7C15], np.uint64)

# The home of a key is its lower half scaled to the capacity, so these few halves make homes at both ends and a crowd.
LOW_HALVES = st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xE0000000, 0xFFFFFFFE, 0xFFFFFFFF])
CRAFTED = st.builds(lambda high, low: (high << 32 | low) or 1, st.integers(0, 7), LOW_HALVES)
ANY_KEY = st.integers(1, 2**64 - 1)


def content(slots: np.ndarray) -> dict[int, int]:
    """All entries of a table; a key stands there once."""
    pairs = [(int(key), int(entry)) for key, entry in slots.reshape(-1, 2) if key]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


class Table:
    """The kernel's table and a dict side by side."""

    def __init__(self, capacity: int) -> None:
        self.slots = np.zeros(2 * capacity, np.uint64)
        self.model: dict[int, int] = {}
        self.used = 0

    @property
    def room(self) -> int:
        return len(self.slots) // 2 - 1 - len(self.model)

    def run(self, keys: list[int], refs: list[int], *, take: bool = False) -> None:
        """Apply events as ingest does; at a taken key the new entry is left out, or takes the old one's place."""
        refs_array = np.array(refs, np.int64)
        keys_array = np.array(keys, np.uint64)
        inputs = 1 + max((-ref - 1 for ref in refs if ref < 0), default=-1)
        spent = np.full(inputs, -99, np.int64)
        expected, taken = self._expected(keys, refs, inputs, take=take)
        clashes, begin = [], 0
        while begin < len(keys):
            used, begin, entry = apply_events(self.slots, keys_array, refs_array, begin, len(keys), self.used, spent)
            self.used = int(used)
            if begin < len(keys):
                clashes.append((int(begin), int(entry)))
                if take:
                    unspent.replace_entry(self.slots, keys_array[begin], refs_array[begin])
                begin += 1
        assert clashes == taken
        assert spent.tolist() == expected
        assert content(self.slots) == self.model
        assert self.used == len(self.model)

    def _expected(
        self, keys: list[int], refs: list[int], inputs: int, *, take: bool
    ) -> tuple[list[int], list[tuple[int, int]]]:
        spent, taken = [-99] * inputs, []
        for event, (key, ref) in enumerate(zip(keys, refs, strict=True)):
            if ref < 0:
                spent[-ref - 1] = self.model.pop(key, MISSING)
            elif key in self.model:
                taken.append((event, self.model[key]))
                if take:
                    self.model[key] = ref
            else:
                self.model[key] = ref
        return spent, taken

    def grow(self, capacity: int) -> None:
        larger = np.zeros(2 * capacity, np.uint64)
        before = self.slots.copy()
        move_entries(self.slots, larger)
        assert (self.slots == before).all()
        self.slots = larger
        assert content(self.slots) == self.model


@examples(250, plain=60)
@given(st.data(), st.integers(2, 12), st.sampled_from([CRAFTED, st.one_of(CRAFTED, ANY_KEY)]), st.booleans())
def test_any_events_agree_with_a_dict(data, capacity, keys, take):
    table = Table(capacity)
    next_ref = 0
    for _ in range(data.draw(st.integers(1, 6))):
        events: list[tuple[int, int]] = []
        room, spends = table.room, 0
        for key, enters in data.draw(st.lists(st.tuples(keys, st.booleans()), max_size=25)):
            if enters and room:
                events.append((key, next_ref))
                next_ref, room = next_ref + 1, room - 1
            elif not enters:
                spends += 1
                events.append((key, -spends))
        table.run([key for key, _ in events], [ref for _, ref in events], take=take)
        if data.draw(st.booleans()):
            table.grow(len(table.slots) // 2 + data.draw(st.integers(0, 9)))


def test_long_runs_stay_exact_at_any_load():
    random = Random("load")
    for capacity, share in ((64, 0.5), (64, 0.95), (256, 0.8), (1_000, 0.99)):
        table, live = Table(capacity), []
        for _ in range(amount(30, 6)):
            keys, refs = [], []
            room = int(share * capacity) - len(live)
            for number in range(room):
                key = random.getrandbits(64) | 1
                if random.random() < 0.5:  # crowd the end of the table, so that runs of entries wrap around
                    key |= 0xFFFF0000
                keys.append(key)
                refs.append(number)
                live.append(key)
            random.shuffle(live)
            for spend in range(len(live) // 3):
                keys.append(live.pop())
                refs.append(-spend - 1)
            table.run(keys, refs)
            missing = random.getrandbits(64) | 1
            table.run([missing], [-1])
        assert table.used == len(live)


def test_entries_behind_a_hole_move_back_over_the_end_of_the_table():
    # All keys have their home in the last slot: they fill it and the first ones, and every removal order must work.
    keys = [high << 32 | 0xFFFFFFFF for high in range(1, 6)]
    random = Random("wrap")
    for _ in range(amount(120, 20)):
        table = Table(8)
        order = random.sample(keys, len(keys))
        table.run(order, list(range(len(keys))))
        for key in random.sample(keys, len(keys)):
            table.run([key], [-1])
        assert not table.slots[::2].any()


def test_a_spent_output_can_come_again():
    table = Table(4)
    table.run([5, 5, 5, 5, 5], [10, -1, 11, -2, -3])
    assert table.model == {}


# From blocks to events.


def parsed_chain(raw_blocks: list[bytes]) -> ParsedBlocks:
    sizes = np.array([len(raw) for raw in raw_blocks], np.int64)
    ends = np.cumsum(sizes)
    raw = np.frombuffer(bytearray(b"".join(raw_blocks) + bytes(64)), np.uint8)
    return parse(RawBlocks(raw, ends - sizes, ends, (), 0), Stages())


def events_of(parsed: ParsedBlocks, base: int, salt: np.ndarray = SALT) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    most = len(parsed.input_outpoint) + len(parsed.output_value)
    keys, refs = np.zeros(most, np.uint64), np.zeros(most, np.int64)
    first = batch_events(
        parsed.blocks.raw,
        parsed.txid,
        parsed.tx_first_input,
        parsed.tx_first_output,
        parsed.input_outpoint,
        parsed.output_spendable,
        parsed.tx_coinbase,
        base,
        salt,
        keys,
        refs,
    )
    return keys, refs, first


def plain_events(raw_blocks: list[bytes], base: int) -> list[tuple[tuple[bytes, int], int]]:
    """(outpoint, ref) in chain order, as the kernel's description says; nobody can spend the genesis output."""
    events, inputs, outputs = [], 0, base
    for height, raw in enumerate(raw_blocks):
        for position, transaction in enumerate(Block.parse(raw).transactions):
            for each in transaction.inputs:
                if position:
                    events.append(((each.outpoint.txid, each.outpoint.vout), -inputs - 1))
                inputs += 1
            for vout, output in enumerate(transaction.outputs):
                if height and not is_unspendable(output.script_pubkey):
                    events.append(((transaction.txid, vout), outputs * 2 + (position == 0)))
                outputs += 1
    return events


@cache
def chains() -> list[list[bytes]]:
    """A random chain and, unless kernels are slow, all scripts of the zoo; the last one is the smaller."""
    generated = random_chain(Random("unspent"), amount(30, 4), amount(40, 10)).serialized()
    return [generated] if PLAIN else [zoo_chain().serialized(), generated]


def test_events_are_those_of_the_chain_in_stable_groups():
    for raw_blocks in chains():
        keys, refs, first = events_of(parsed_chain(raw_blocks), base=1_000)
        plain = plain_events(raw_blocks, base=1_000)
        assert first[0] == 0
        assert first[-1] == len(plain)
        key_of = {}
        for outpoint, ref in plain:
            key_of.setdefault(outpoint, set()).update(keys[: len(plain)][refs[: len(plain)] == ref].tolist())
        assert all(len(found) == 1 for found in key_of.values()), "an outpoint has one key, spent or made"
        assert len(set().union(*key_of.values())) == len(key_of), "different outpoints have different keys"
        assert 0 not in set().union(*key_of.values())
        wanted: list[list[int]] = [[] for _ in range(SHARDS)]
        for outpoint, ref in plain:
            wanted[min(key_of[outpoint]) >> 58].append(ref)
        groups = [refs[first[shard] : first[shard + 1]].tolist() for shard in range(SHARDS)]
        assert groups == wanted
        assert sum(map(bool, groups)) > SHARDS // 2


def test_every_word_of_the_salt_gives_other_keys():
    parsed = parsed_chain(chains()[-1])
    keys = set(events_of(parsed, 0)[0].tolist()) - {0}
    for word in range(3):
        salt = SALT.copy()
        salt[word] ^= np.uint64(2)
        other = set(events_of(parsed, 0, salt)[0].tolist()) - {0}
        assert len(other) == len(keys)
        # The last word is mixed with the output's number, so that of a transaction's first output has no part in it.
        assert len(keys & other) <= (len(parsed.txid) if word == 2 else 0)
        assert len(keys - other) > 50


def test_live_outputs_get_the_same_keys_as_the_events():
    raw_blocks = chains()[-1]
    parsed = parsed_chain(raw_blocks)
    keys, refs, first = events_of(parsed, 7)
    made = [(outpoint, ref) for outpoint, ref in plain_events(raw_blocks, 7) if ref >= 0]
    live_keys, live_refs = np.empty(len(made), np.uint64), np.empty(len(made), np.int64)
    live_events(
        np.frombuffer(b"".join(txid for (txid, _), _ in made), np.uint8).reshape(-1, 32),
        np.array([vout for (_, vout), _ in made], np.int64),
        np.array([ref >> 1 for _, ref in made], np.int64),
        np.array([ref & 1 for _, ref in made], np.bool_),
        SALT,
        live_keys,
        live_refs,
    )
    entered = refs[: first[-1]] >= 0
    assert live_keys.tolist() == keys[: first[-1]][entered].tolist()
    assert live_refs.tolist() == refs[: first[-1]][entered].tolist()


def test_every_input_of_a_chain_finds_its_output():
    for raw_blocks in chains():
        parsed = parsed_chain(raw_blocks)
        keys, refs, first = events_of(parsed, 0)
        spent = np.full(len(parsed.input_outpoint), -99, np.int64)
        left = {}
        for shard in range(SHARDS):
            begin, end = int(first[shard]), int(first[shard + 1])
            slots = np.zeros(2 * (end - begin + 1), np.uint64)
            used, following, _ = apply_events(slots, keys, refs, begin, end, 0, spent)
            assert following == end
            left |= content(slots)
            assert used == len(content(slots))
        unspent_outputs: dict[tuple[bytes, int], int] = {}
        wanted = [-99] * len(spent)
        for outpoint, ref in plain_events(raw_blocks, 0):
            if ref < 0:
                wanted[-ref - 1] = unspent_outputs.pop(outpoint)
            else:
                unspent_outputs[outpoint] = ref
        assert spent.tolist() == wanted
        assert sorted(left.values()) == sorted(unspent_outputs.values())
