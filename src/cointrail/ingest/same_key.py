"""Which scripts of a batch are spellings of one key or script: the rows of the same_key table, facts all of them.

Two occasions. *First sight*: a new script has the spelling hash of an earlier one. *Reveal*: an input shows an
uncompressed key, a redeem script or a witness script, and with it the spelling hash of another form that is on chain.
The rows depend on the chain alone, never on where batches end. Rules: METHODS.md 1.1, `bitcoin.spelling`,
docs/methods/same-key.md. The ledger's blocks are taken as a node validated them: a spend fits what it spends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.bitcoin.spelling import Reveal, SameKeyKind, proven_spelling, spelling_hash
from cointrail.ingest.intern import Interned
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ingest.resolve import Resolved
from cointrail.ingest.spellings import Spellings, hash160s, nested_keys, nested_scripts
from cointrail.ledger.columns import Array
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_SHAPE_FLAGS = 1 | 64  # InputFlag.WITNESS, UNCOMPRESSED_KEY


@dataclass(frozen=True, slots=True, eq=False)
class SameKeys:
    """What a batch adds.

    Attributes:
        rows: cells of the same_key table by column, ordered by (tx_index, script_a, script_b); all of equal length.
        keys, ids: uint64 (n,) and uint32 (n,), spelling index entries of the batch's new scripts, sorted by key.
    """

    rows: Mapping[str, Array]
    keys: npt.NDArray[np.uint64]
    ids: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """Data that proves a further spelling of a script.

    Attributes:
        inputs: int64 (m,), the batch's input that shows it, NONE for a key that stands in a new script.
        scripts: int64 (m,), that script, NONE for an input.
        what: uint8 (m,), `Reveal`.
        hashes: uint8 (m, 20), the spelling hash of the other form.
        data: where it lies, for the check: (start, length) in the blocks, length 0 for a key that stands in a script.
    """

    inputs: I64
    scripts: I64
    what: U8
    hashes: U8
    start: I64
    length: I64


def find_same_keys(rows: Rows, parsed: ParsedBlocks, resolved: Resolved, interned: Interned) -> SameKeys:
    """Find the spellings that a batch brings together.

    Args:
        rows: the ledger before the batch.
        parsed: the batch's columns.
        resolved: what its inputs spend.
        interned: its scripts.

    Returns:
        One row a new script that has an earlier spelling (with the smallest such script_id), and one a script and
        transaction that reveals a further form of it (with the smallest script_id of that form).

    Method: METHODS.md 1.1.
    """
    spellings = Spellings(rows, parsed, interned)
    first_sights = _first_sights(spellings, parsed, interned)
    reveals = _Reveals(rows, parsed, resolved, interned, spellings).rows()
    cells = np.concatenate((first_sights, reveals))
    cells = cells[np.lexsort((cells[:, 2], cells[:, 1], cells[:, 0]))]
    cells[:, 0] += rows.counts.transaction
    names = {"tx_index": np.uint32, "script_a": np.uint32, "script_b": np.uint32, "kind": np.uint8}
    columns = {name: cells[:, k].astype(dtype) for k, (name, dtype) in enumerate(names.items())}
    return SameKeys(columns, spellings.keys, spellings.ids)


def _first_sights(spellings: Spellings, parsed: ParsedBlocks, interned: Interned) -> I64:
    """Rows of new scripts that have an earlier spelling: int64 (n, 4), transactions counted from the batch's first."""
    scripts, earlier = spellings.earlier_twins()
    if not len(scripts):
        return np.empty((0, 4), np.int64)
    seen = interned.first_seen[scripts - spellings.first_new]
    transactions = np.searchsorted(parsed.tx_first_output, seen, "right") - 1
    nested = (spellings.types(scripts) == ScriptType.P2SH) | (spellings.types(earlier) == ScriptType.P2SH)
    kinds = np.where(nested, SameKeyKind.NESTED, SameKeyKind.KEY)
    return np.stack([transactions, scripts, earlier, kinds], axis=1)


class _Reveals:
    """What the inputs of a batch show, and the keys that stand in its new scripts."""

    def __init__(
        self, rows: Rows, parsed: ParsedBlocks, resolved: Resolved, interned: Interned, spellings: Spellings
    ) -> None:
        self._rows, self._parsed, self._resolved, self._interned = rows, parsed, resolved, interned
        self._spellings = spellings

    def rows(self) -> I64:
        """Rows as `_first_sights` gives them."""
        shown = self._shown()
        which, partners = self._spellings.matches(shown.hashes)
        if not len(which):
            return np.empty((0, 4), np.int64)
        inputs = shown.inputs[which]
        from_input = inputs >= 0
        scripts = shown.scripts[which]
        scripts[from_input] = self._script_of(self._resolved.output[inputs[from_input]])
        transactions = self._transactions(inputs, scripts)
        keep = np.flatnonzero(partners < np.where(from_input, self._scripts_after(transactions), scripts))
        # The smallest partner of each.
        keep = keep[np.lexsort((partners[keep], which[keep]))]
        keep = keep[np.unique(which[keep], return_index=True)[1]]
        # A key that stands in a P2PK was there to be seen before the spend.
        standing = self._spellings.types(scripts[keep]) == ScriptType.P2PK
        keep = keep[~standing | ~from_input[keep] | (partners[keep] > scripts[keep])]
        return self._proven(shown, which[keep], transactions[keep], scripts[keep], partners[keep])

    def _proven(self, shown: _Shown, which: I64, transactions: I64, scripts: I64, partners: I64) -> I64:
        """One row a (transaction, script, partner), of those that the reference confirms and that are no repeats."""
        pairs = list(zip(transactions.tolist(), scripts.tolist(), partners.tolist(), strict=True))
        repeats = self._repeats(shown.inputs[which], transactions, partners)
        done = {pair for pair, again in zip(pairs, repeats.tolist(), strict=True) if again}
        found = []
        for pair, k in zip(pairs, which.tolist(), strict=True):
            if pair in done:
                continue
            script = self._spellings.script_pubkey(pair[1])
            start, length = int(shown.start[k]), int(shown.length[k])
            data = self._parsed.blocks.raw[start : start + length].tobytes() if length else script[1:-1]
            proof = proven_spelling(script, Reveal(int(shown.what[k])), data)
            if proof is not None and proof[0] == spelling_hash(self._spellings.script_pubkey(pair[2])):
                found.append((*pair, proof[1]))
                done.add(pair)
        return np.array(found, np.int64).reshape(-1, 4)

    def _repeats(self, inputs: I64, transactions: I64, partners: I64) -> Flags:
        """True where an earlier transaction has shown the same of the same script, and the partner was known then.

        Looked for at one place only, the spend of the output that paid the script before: cheap, and decided by the
        chain alone. A repeat that is not noticed costs a row and changes no cluster.
        """
        rows, parsed = self._rows, self._parsed
        again = np.zeros(len(inputs), np.bool_)
        asked = np.flatnonzero(inputs >= 0)
        before = self._previous(self._resolved.output[inputs[asked]])
        asked, before = asked[before >= 0], before[before >= 0]
        spenders = self._spenders(before)
        first_input = parsed.tx_first_input[transactions[asked]] + rows.counts.input
        spent = (spenders >= 0) & (spenders < first_input)
        asked, spenders = asked[spent], spenders[spent]
        flags = parsed.input_flags[inputs[asked]] ^ self._flags(spenders)
        again[asked] = (flags & _SHAPE_FLAGS == 0) & (partners[asked] < self._scripts_before_block_of(spenders))
        return again

    # What is shown.

    def _shown(self) -> _Shown:
        from cointrail.kernels import spelling as kernel

        parsed = self._parsed
        places = [np.empty(2 * len(parsed.input_outpoint), np.int64) for _ in range(4)]
        found = kernel.find_reveals(
            parsed.blocks.raw,
            parsed.tx_first_input,
            parsed.tx_first_output,
            parsed.tx_flags,
            parsed.tx_coinbase,
            parsed.input_outpoint,
            parsed.input_flags,
            parsed.output_script,
            parsed.output_length,
            *places,
        )
        number, what, start, length = (place[:found] for place in places)
        raw = parsed.blocks.raw
        parts = [self._standing_keys(), self._spent_keys(number[what == kernel.LONE_PUSH])]
        at = what == kernel.KEY
        keys = raw[start[at][:, None] + np.arange(65)]
        parts.append(_shown_by(number[at], Reveal.KEY, nested_keys(keys), start[at], length[at]))
        at = what == kernel.REDEEM_SCRIPT
        hashes = nested_scripts(raw, start[at], length[at])
        parts.append(_shown_by(number[at], Reveal.REDEEM_SCRIPT, hashes, start[at], length[at]))
        at = what == kernel.WITNESS_SCRIPT
        hashes = hash160s(raw, start[at], length[at])
        parts.append(_shown_by(number[at], Reveal.WITNESS_SCRIPT, hashes, start[at], length[at]))
        return _Shown(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Shown.__slots__))

    def _standing_keys(self) -> _Shown:
        """The uncompressed keys in new P2PK scripts."""
        scripts, keys = self._spellings.long_keys(self._spellings.new_scripts(ScriptType.P2PK))
        nothing = np.zeros(len(scripts), np.int64)
        what = np.full(len(scripts), Reveal.KEY, np.uint8)
        return _Shown(nothing + NONE, scripts, what, nested_keys(keys), nothing, nothing)

    def _spent_keys(self, inputs: I64) -> _Shown:
        """The uncompressed keys in P2PK scripts that inputs of one push spend."""
        scripts = self._script_of(self._resolved.output[inputs])
        is_key = self._spellings.types(scripts) == ScriptType.P2PK
        inputs, scripts = inputs[is_key], scripts[is_key]
        long, keys = self._spellings.long_keys(scripts)
        inputs = inputs[np.isin(scripts, long)]
        nothing = np.zeros(len(inputs), np.int64)
        return _shown_by(inputs, Reveal.KEY, nested_keys(keys), nothing, nothing)

    # The chain as it is when the batch ends.

    def _transactions(self, inputs: I64, scripts: I64) -> I64:
        """The batch's transaction of each input, or the one that first pays the script."""
        parsed = self._parsed
        transactions = np.searchsorted(parsed.tx_first_input, inputs, "right") - 1
        stands = inputs < 0
        seen = self._interned.first_seen[scripts[stands] - self._spellings.first_new]
        transactions[stands] = np.searchsorted(parsed.tx_first_output, seen, "right") - 1
        return transactions

    def _scripts_after(self, transactions: I64) -> I64:
        """How many scripts are known after each transaction of the batch."""
        end = self._parsed.tx_first_output[transactions + 1]
        return np.searchsorted(self._interned.first_seen, end) + self._spellings.first_new

    def _script_of(self, outputs: I64) -> I64:
        return self._cells("script", outputs, self._interned.script_id)

    def _previous(self, outputs: I64) -> I64:
        return self._cells("previous_same_script", outputs, self._interned.previous_same_script)

    def _cells(self, name: str, outputs: I64, of_batch: I64) -> I64:
        base = self._rows.counts.output
        cells = np.empty(len(outputs), np.int64)
        new = outputs >= base
        cells[new] = of_batch[outputs[new] - base]
        cells[~new] = self._rows.column("output", name)[outputs[~new]]
        return cells

    def _spenders(self, outputs: I64) -> I64:
        """The inputs that spend the outputs, those of the batch included; NONE where there is none."""
        rows = self._rows
        spenders = np.full(len(outputs), NONE, np.int64)
        old = outputs < rows.counts.output
        spenders[old] = rows.spenders(outputs[old])
        inputs = np.flatnonzero(np.isin(self._resolved.output, outputs))
        spent = self._resolved.output[inputs]
        order = np.argsort(spent)
        at = np.searchsorted(spent[order], outputs)
        here = np.flatnonzero(at < len(order))
        here = here[spent[order[at[here]]] == outputs[here]]
        spenders[here] = inputs[order[at[here]]] + rows.counts.input
        return spenders

    def _flags(self, inputs: I64) -> npt.NDArray[np.uint16]:
        base = self._rows.counts.input
        flags = np.empty(len(inputs), np.uint16)
        new = inputs >= base
        flags[new] = self._parsed.input_flags[inputs[new] - base]
        flags[~new] = self._rows.column("input", "flags")[inputs[~new]]
        return flags

    def _scripts_before_block_of(self, inputs: I64) -> I64:
        """How many scripts were known before the block each input belongs to."""
        rows, parsed = self._rows, self._parsed
        base = rows.counts.input
        counts = np.empty(len(inputs), np.int64)
        new = inputs >= base
        heights = rows.height_of_transactions(rows.transaction_of_inputs(inputs[~new]))
        counts[~new] = rows.column("block", "first_script")[heights]
        first = parsed.tx_first_input[parsed.block_first_tx]
        blocks = np.searchsorted(first, inputs[new] - base, "right") - 1
        outputs = parsed.tx_first_output[parsed.block_first_tx[blocks]]
        counts[new] = np.searchsorted(self._interned.first_seen, outputs) + self._spellings.first_new
        return counts


def _shown_by(inputs: I64, what: Reveal, hashes: U8, start: I64, length: I64) -> _Shown:
    count = len(inputs)
    return _Shown(inputs, np.full(count, NONE, np.int64), np.full(count, what, np.uint8), hashes, start, length)
