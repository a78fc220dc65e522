"""What the answers of both finders share: who is asked about, places on the chain, who attributes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.errors import AddressError, InputRefused, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.clustering.cluster import Cluster
from cointrail.service.names import address_or_none, find_script, moment, outpoint_of, script_of_output, txid_of
from cointrail.service.prices.beside import Beside
from cointrail.service.tracing.seeds import CLUSTER
from cointrail.service.worth import FiatValue
from cointrail.trace.services import Services

I64 = npt.NDArray[np.int64]

UNNAMED: Final = "of no category"


@dataclass(frozen=True, slots=True)
class Place:
    """An output or a transaction on the chain; `outpoint` is `txid:vout`, of a transaction `txid` alone."""

    outpoint: str
    height: int
    time_utc: str


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """An output on the chain, with its whole value; `fiat` is what that was worth at the block's time, if asked for."""

    outpoint: str
    height: int
    time_utc: str
    value_sat: int
    address: str | None
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Wallet:
    """Who is asked about: script_ids, int64 ascending, and the digest of the corrections that were applied."""

    scripts: I64
    overlay: str | None


@dataclass(frozen=True, slots=True)
class Attributed:
    """A service as tags name it; `statement` says who attributes. Whoever it is may be wrong.

    Of one that no tag names, which is `inferred`, `statement` says from what.
    """

    service: str
    category: str
    statement: str
    inferred: bool = False


def wallet_of(reader: Reader, text: str, overlay: Path | None = None) -> Wallet:
    """An address by itself, or with `cluster:` before it all of its L1 cluster.

    Args:
        reader: the ledger at a snapshot.
        text: who is asked about.
        overlay: a file of corrections, applied to the cluster.

    Raises:
        UsageError: there is an overlay and no cluster.
        InputRefused: it is no address, or the overlay is refused.
        NotFound: not in this snapshot.
        Unavailable: a cluster is asked for and the ledger's do not reach the snapshot.
    """
    try:
        script = find_script(reader, text.removeprefix(CLUSTER))
    except AddressError as error:
        raise InputRefused(f"{text!r}: {error}", hint="give an address, or cluster: and an address") from error
    if text.startswith(CLUSTER):
        found = Cluster(reader, script, overlay=overlay)
        return Wallet(found.scripts, found.overlay_digest)
    if overlay is not None:
        raise UsageError(f"an overlay corrects clusters, and {text} is none", hint=f"ask for {CLUSTER}{text}")
    return Wallet(np.array([script], np.int64), None)


def attributed(services: Services, number: int) -> Attributed:
    """A service with who attributes, or with what it is inferred from."""
    name, kind = services.names[number], services.kinds[number] or UNNAMED
    said = services.said[number] if services.said else ""
    if number >= services.named:
        return Attributed(name, kind, said, inferred=True)
    return Attributed(name, kind, f"attributed to {name} by {said or 'whoever asks'}")


def output_place(reader: Reader, output: int, worth: Beside) -> OutputPlace:
    """Where an output stands, and what it was worth there."""
    when = moment(reader, int(reader.transaction_of_outputs(output)))
    value_sat = int(reader.column("output", "value_sat")[output])
    return OutputPlace(
        outpoint=outpoint_of(reader, output),
        height=when.height,
        time_utc=when.time_utc,
        value_sat=value_sat,
        address=address_or_none(reader, script_of_output(reader, output)),
        fiat=worth.at(value_sat, when.height),
    )


def transaction_place(reader: Reader, tx_index: int) -> Place:
    """Where a transaction stands."""
    when = moment(reader, tx_index)
    return Place(txid_of(reader, tx_index), when.height, when.time_utc)
