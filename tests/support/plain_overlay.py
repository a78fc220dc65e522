"""The clusters of a whole ledger under an overlay, from the sentences of the rules alone: no forest, no arrays."""

from collections.abc import Iterator

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.bitcoin.hashes import display
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import RULE_OF, VETO, Sign
from cointrail.cluster.overlay.document import script_named
from cointrail.cluster.overlay.entries import Entry, Kind, Overlay
from cointrail.ledger.reader import Reader


def plain_partition(reader: Reader, overlay: Overlay) -> list[int]:
    """The smallest script_id of each script's cluster."""
    cluster = list(range(reader.counts.script))
    for a, b in plain_links(reader, overlay):
        low, high = sorted((cluster[a], cluster[b]))
        if low != high:
            cluster = [low if each == high else each for each in cluster]
    return cluster


def plain_links(reader: Reader, overlay: Overlay) -> Iterator[tuple[int, int]]:
    """Every pair of scripts that is believed to go together."""
    names = [script_id_names(reader, each) for each in overlay.entries]
    of = {kind: [n for n, e in zip(names, overlay.entries, strict=True) if e.kind is kind] for kind in Kind}
    off = {entry.subjects[0] for entry in overlay.entries if entry.kind is Kind.RULE_OFF}
    excluded = {entry.subjects[0] for entry in overlay.entries if entry.kind is Kind.EXCLUDE_TRANSACTION}

    def together(a: int, b: int) -> bool:
        return all((a in split) == (b in split) for split in of[Kind.SPLIT])

    if "same_key" not in off:
        columns = [reader.column("same_key", name).tolist() for name in ("script_a", "script_b")]
        yield from (pair for pair in zip(*columns, strict=True) if together(*pair))
    for tx_index in range(reader.counts.transaction if "cospend" not in off else 0):
        scripts = plain_owned(reader, tx_index)
        if len(scripts) < 2 or display(bytes(reader.column("transaction", "txid")[tx_index])) in excluded:
            continue
        signs = collaborative(reader, tx_index).signs
        if any(RULE_OF[sign] not in off for sign in Sign if sign in signs & VETO):
            continue
        yield from ((a, b) for a in scripts for b in scripts if a < b and together(a, b))
    yield from (tuple(pair) for pair in of[Kind.MERGE] if len(pair) == 2)


def plain_owned(reader: Reader, tx_index: int) -> set[int]:
    """The scripts of the inputs that not anybody could have added."""
    spent, flags = reader.column("input", "output"), reader.column("input", "flags")
    inputs = [each for each in reader.inputs_of(tx_index) if spent[each] >= 0]
    owned = [each for each in inputs if not int(flags[each]) & InputFlag.ANYONECANPAY]
    return {int(reader.column("output", "script")[spent[each]]) for each in owned}


def script_id_names(reader: Reader, entry: Entry) -> list[int]:
    """The scripts of an entry that the snapshot holds."""
    if entry.kind in (Kind.EXCLUDE_TRANSACTION, Kind.RULE_OFF):
        return []
    found = [reader.find_script(script_named(each, reader.snapshot.network)) for each in entry.subjects]
    return [each for each in found if each is not None]
