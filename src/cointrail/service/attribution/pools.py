"""Mining pools named from the chain itself: what a coinbase says, and whom it pays.

A miner writes its name into the coinbase; nobody checks it. So a tag from here is an assertion of whoever mined the
block: `service_data`, with the block and transaction as its source. It speaks for the whole cluster only where the
list of pools also gives the address to that pool. Where the text says one pool and the list gives the address to
another, nothing is decided: both are reported.

Only coinbases that pay one script name it. One that pays many pays the pool's members, or a lone miner and the pool's
fee, and the name would go to strangers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cointrail.attribution.formats.pools import CATEGORY, actor_of
from cointrail.attribution.subject import locate
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.bitcoin.hashes import display, script_hash
from cointrail.bitcoin.script import ScriptType, classify, is_unspendable
from cointrail.bitcoin.transaction import Transaction
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at
from cointrail.service.names import address_or_none, block_time, network_of
from cointrail.service.stored_blocks import StoredBlocks

FORMAT: Final = "coinbase"
VERSION: Final = 1
CONFIDENCE: Final = "service_data"

MOST_SHOWN = 1_000
"""Conflicts that are kept; all are counted."""

_SHORTEST_TEXT = 3  # bytes; a shorter text stands in somebody's random bytes every few blocks


@dataclass(frozen=True, slots=True)
class PoolConflict:
    """A coinbase whose text and payout address are said to be of different pools.

    Attributes:
        height, txid: of the coinbase, the txid as displayed.
        text, by_text: the longest text of the list that it holds, and whose that is.
        address, by_address: what it pays, and to whom the list gives that.
    """

    height: int
    txid: str
    text: str
    by_text: str
    address: str
    by_address: str


@dataclass(frozen=True, slots=True, eq=False)
class NamedPools:
    """Pools as the coinbases of a snapshot name them.

    Attributes:
        pack: whose tags are read from the block files as they are iterated, once; one for each pool and script.
            `skipped` counts blocks: without a name that is known, paying several scripts or none, paying a script that
            has neither address nor key, in conflict.
        conflicts: at most `MOST_SHOWN`, in block order; complete after the tags were read.
    """

    pack: Pack
    conflicts: list[PoolConflict] = field(default_factory=list)


def name_from_chain(reader: Reader, pools: Iterable[Tag], *, first: int = 0, last: int | None = None) -> NamedPools:
    """Name the scripts that coinbases pay by the texts in them.

    Args:
        reader: the ledger at a snapshot, with its block files at hand.
        pools: tags of a pool list (`attribution.formats.pools`): of coinbase texts and of payout addresses.
        first: height to begin with.
        last: height to end with, included; by default the tip.

    Raises:
        InputRefused: no tag names a coinbase text, or the heights are not in the snapshot.
        Unavailable: the block files are not there; when the tags are iterated, also that they are damaged.
    """
    known = PoolList(pools)
    end = reader.height if last is None else last
    if not known.texts:
        raise InputRefused("no tag names a coinbase text", hint="give a list of mining pools such as pools-v2.json")
    if not 0 <= first <= end <= reader.height:
        raise InputRefused(f"heights {first} to {end} are not in this ledger", hint=f"its tip is at {reader.height}")
    snapshot = reader.snapshot
    skipped: dict[str, int] = {}
    conflicts: list[PoolConflict] = []
    header = {"network": snapshot.network, "block_hash": snapshot.block_hash, "first": first, "last": end}
    found = _Namer(reader, known, skipped, conflicts).tags(StoredBlocks(reader), range(first, end + 1))
    name = f"coinbases of {snapshot.network} {first}-{end}"
    return NamedPools(Pack(name, snapshot.digest, FORMAT, VERSION, header, found, (), skipped), conflicts)


class PoolList:
    """What a list says of pools: the texts of each, the longest first and else in the list's order, and who is paid.

    Args:
        pools: tags of coinbase texts and of addresses or keys.

    Attributes:
        texts: (bytes in the coinbase, (text, statement)); texts below three bytes are left out.
        by_script: statement by script hash.
    """

    def __init__(self, pools: Iterable[Tag]) -> None:
        texts: dict[bytes, tuple[str, Statement]] = {}
        self.by_script: dict[bytes, Statement] = {}
        for tag in pools:
            text = tag.subject.text
            if tag.subject.kind is SubjectKind.COINBASE:
                raw = text.encode("utf-8", "surrogatepass")
                if len(raw) >= _SHORTEST_TEXT:
                    texts.setdefault(raw, (text, tag.statement))
            elif (hashed := locate(tag.subject).script_hash) is not None:
                self.by_script.setdefault(hashed, tag.statement)
        self.texts = sorted(texts.items(), key=lambda each: -len(each[0]))

    def in_coinbase(self, script_sig: bytes) -> tuple[str, Statement] | None:
        """The longest text that stands there, and whose it is."""
        return next((said for raw, said in self.texts if raw in script_sig), None)


def _name(pool: Statement) -> str:
    return pool.actor or pool.label


class _Namer:
    def __init__(self, reader: Reader, known: PoolList, skipped: dict[str, int], conflicts: list[PoolConflict]) -> None:
        self._reader, self._known, self._skipped, self._conflicts = reader, known, skipped, conflicts
        self._seen: set[tuple[str, bytes]] = set()

    def tags(self, stored: StoredBlocks, heights: range) -> Iterator[Tag]:
        with stored:
            for height in heights:
                coinbase = stored.transaction(counts_at(self._reader, height - 1).transaction)
                tag = self._tag(height, coinbase)
                if tag is not None:
                    yield tag

    def _tag(self, height: int, coinbase: Transaction) -> Tag | None:
        said = self._known.in_coinbase(coinbase.inputs[0].script_sig)
        if said is None:
            return self._skip("no known text")
        text, pool = said
        paid = {
            output.script_pubkey
            for output in coinbase.outputs
            if output.value_sat and not is_unspendable(output.script_pubkey)
        }
        if len(paid) != 1:
            return self._skip("pays several scripts" if paid else "pays nothing")
        (script,) = paid
        subject = self._subject(script)
        if subject is None:
            return self._skip("pays a script without address or key")
        hashed = script_hash(script)
        listed = self._known.by_script.get(hashed)
        if listed is not None and _name(listed) != _name(pool):
            self._note(PoolConflict(height, display(coinbase.txid), text, pool.label, subject.text, listed.label))
            return self._skip("in conflict with the list")
        if (_name(pool), hashed) in self._seen:
            return None
        self._seen.add((_name(pool), hashed))
        return Tag(subject, self._statement(height, coinbase, text, pool, in_list=listed is not None))

    def _subject(self, script: bytes) -> Subject | None:
        if classify(script) is ScriptType.P2PK:
            return Subject(SubjectKind.PUBKEY, script[1:-1].hex())
        address = address_or_none(self._reader, script)
        return None if address is None else Subject(SubjectKind.ADDRESS, address)

    def _statement(self, height: int, coinbase: Transaction, text: str, pool: Statement, *, in_list: bool) -> Statement:
        return Statement(
            label=pool.label,
            source=f"coinbase of block {height} of {network_of(self._reader).name}, {display(coinbase.txid)}",
            confidence=CONFIDENCE,
            actor=pool.actor or actor_of(pool.label),
            category=CATEGORY,
            concepts=(CATEGORY,),
            tag_type="actor",
            is_cluster_definer=in_list,
            context=f"the coinbase holds the text {text}",
            lastmod=block_time(self._reader, height)[:10],
            currency="BTC",
            network="BTC",
        )

    def _skip(self, reason: str) -> Tag | None:
        self._skipped[reason] = self._skipped.get(reason, 0) + 1
        return None

    def _note(self, conflict: PoolConflict) -> None:
        if len(self._conflicts) < MOST_SHOWN:
            self._conflicts.append(conflict)
