"""From what was recognised to what is known of it in a ledger, and the commands that go on from there."""

from typing import Final

import numpy as np

from cointrail.bitcoin.hashes import parse_hash
from cointrail.errors import InputRefused
from cointrail.ingest.prices.cell import seconds_of_time
from cointrail.ledger.reader import Reader
from cointrail.service.names import address_or_none, utc
from cointrail.service.search.answers import Hit, Kind, State
from cointrail.service.search.recognise import Recognised, shortened

_DAY: Final = 86_400
_DATE_LENGTH: Final = 10


class Lookup:
    """Looks things up in one snapshot, or in none.

    Args:
        reader: the ledger at a snapshot, or None.
    """

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader
        self._known: dict[Recognised, Hit] = {}

    def hit(self, found: Recognised, offset: int, length: int) -> Hit:
        """What is known of something that stands somewhere in the text."""
        known = self._known.get(found)
        if known is None:
            known = self._known[found] = self._ask(found)
        return Hit(
            known.kind, known.state, known.text, offset, length, known.says, known.networks, known.next, known.basis
        )

    def _ask(self, found: Recognised) -> Hit:
        match found.kind:
            case Kind.HASH:
                return self._hash(found)
            case Kind.OUTPOINT:
                return self._outpoint(found)
            case Kind.HEIGHT:
                return self._height(found)
            case Kind.TIME:
                return self._time(found)
            case Kind.EXTENDED_KEY | Kind.INVOICE:
                return _hit(found, State.RECOGNISED, found.says)
        return self._scripts(found) if found.scripts else _hit(found, State.RECOGNISED, found.says)

    # Hashes and outputs.

    def _hash(self, found: Recognised) -> Hit:
        if self._reader is None:
            says = "64 hex digits: a txid or a block hash; a private key looks the same, so it is shortened here"
            return _hit(found, State.UNCHECKED, says, text=shortened(found.text))
        for text, order in ((found.value, ""), (bytes.fromhex(found.value)[::-1].hex(), ", written in internal order")):
            rows = self._reader.find_transactions(parse_hash(text))
            if rows:
                height = int(self._reader.height_of_transactions(rows[-1]))
                says = f"a transaction of block {height:,}{order}"
                more = f"; {len(rows)} coinbases bear this txid, the last is meant" if len(rows) > 1 else ""
                commands = (f"cointrail tx {text}", f"cointrail trace {text}")
                return _hit(found, State.FOUND, says + more, commands, kind=Kind.TRANSACTION, text=text)
            at = self._reader.find_block(parse_hash(text))
            if at is not None:
                on = (f"cointrail block {text}",)
                return _hit(found, State.FOUND, f"block {at:,}{order}", on, kind=Kind.BLOCK, text=text)
        says = (
            f"64 hex digits: no transaction and no block up to height {self._reader.height:,}; a private key looks the "
            "same, so it is shortened here"
        )
        return _hit(found, State.ABSENT, says, text=shortened(found.text))

    def _outpoint(self, found: Recognised) -> Hit:
        if self._reader is None:
            return _hit(found, State.UNCHECKED, "an output of a transaction")
        txid, _, vout = found.value.partition(":")
        rows = self._reader.find_transactions(parse_hash(txid))
        if not rows:
            return _hit(found, State.ABSENT, f"an output of no transaction up to height {self._reader.height:,}")
        outputs = len(self._reader.outputs_of(rows[-1]))
        if int(vout) >= outputs:
            return _hit(
                found, State.ABSENT, f"its transaction has {outputs} outputs, from 0 on", (f"cointrail tx {txid}",)
            )
        commands = (f"cointrail tx {txid}", f"cointrail trace {found.value}")
        return _hit(found, State.FOUND, f"output {int(vout)} of {outputs} of a transaction, from 0 on", commands)

    # Scripts.

    def _scripts(self, found: Recognised) -> Hit:
        belongs = f" of {'/'.join(found.networks)}" if found.networks else ""
        says = found.says + (belongs if found.kind in (Kind.ADDRESS, Kind.CLUSTER) else "")
        if self._reader is None:
            return _hit(found, State.UNCHECKED, says)
        network = self._reader.snapshot.network
        if found.networks and network not in found.networks:
            return _hit(found, State.ELSEWHERE, f"{says}; this ledger is {network}")
        paid = [(name, script) for name, script in found.scripts if self._reader.find_script(script) is not None]
        if not paid:
            return _hit(found, State.ABSENT, f"{says}; no output up to height {self._reader.height:,} pays it")
        forms = " and ".join(name for name, _ in paid if name)
        command = "cluster" if found.kind is Kind.CLUSTER else "address"
        commands = [f"cointrail {command} {self._named(script)}" for _, script in paid]
        if found.kind is Kind.ADDRESS:
            commands += [f"cointrail cluster {found.text}", f"cointrail trace {found.text}"]
        return _hit(found, State.FOUND, f"{says}; it is paid" + (f" as {forms}" if forms else ""), tuple(commands))

    def _named(self, script: bytes) -> str:
        assert self._reader is not None
        return address_or_none(self._reader, script) or f"script:{script.hex()}"

    # Heights and times.

    def _height(self, found: Recognised) -> Hit:
        height = int(found.value)
        if self._reader is None:
            return _hit(found, State.UNCHECKED, f"height {height:,}")
        if height > self._reader.height:
            return _hit(found, State.ABSENT, f"height {height:,}: this snapshot ends at {self._reader.height:,}")
        when = utc(int(self._reader.column("block", "time")[height]))
        says = f"height {height:,}, its miner-declared time is {when}"
        return _hit(found, State.FOUND, says, (f"cointrail block {height}",))

    def _time(self, found: Recognised) -> Hit:
        seconds = int(found.value) if found.value.isdigit() else seconds_of_time(found.value)[0]
        day = len(found.value) == _DATE_LENGTH and not found.value.isdigit()
        name = f"the UTC day {found.value}" if day else utc(seconds)
        if self._reader is None:
            return _hit(found, State.UNCHECKED, name)
        median = self._reader.column("block", "median_time")
        # What a block's median time does not exceed has happened; unlike the declared time it never decreases (BIP113).
        last = int(np.searchsorted(median, seconds + (_DAY if day else 1), "left")) - 1
        if last < 0 or (last == self._reader.height and seconds > int(median[-1])):
            ends = f"from {utc(int(median[0]))} to {utc(int(median[-1]))}"
            return _hit(found, State.ABSENT, f"{name}: the median times of this snapshot go {ends}")
        first = int(np.searchsorted(median, seconds, "left")) if day else last
        if first > last:
            says = f"{name}: no block has its median time there; the last one before it is at height {last:,}"
        elif day:
            says = f"{name}: heights {first:,} to {last:,} by median time"
        else:
            says = f"{name}: the last block by median time is at height {last:,}"
        return _hit(found, State.FOUND, says, (f"cointrail block {last}", f"cointrail status --as-of {last}"))


def time_or_refusal(text: str) -> str:
    """Why a text of the shape of a date or time is none, or an empty text if it is one."""
    try:
        seconds_of_time(text)
    except InputRefused as error:
        return str(error)
    return ""


def _hit(
    found: Recognised,
    state: State,
    says: str,
    commands: tuple[str, ...] = (),
    *,
    kind: Kind | None = None,
    text: str | None = None,
) -> Hit:
    return Hit(kind or found.kind, state, found.text if text is None else text, 0, 0, says, found.networks, commands)
