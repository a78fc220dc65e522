"""Why a chain goes no further: what is asked of every output and every transaction, in a fixed order.

Facts and services come before limits, so that a limit never hides them. Method: METHODS.md 6.1, 6.3.
"""

from collections.abc import Iterator

from cointrail.cluster.gate.kinds import kind_of
from cointrail.errors import NotFound
from cointrail.ledger.reader import Reader
from cointrail.trace.peel.chain import Coin, Reason
from cointrail.trace.peel.look import Seen, Verdict
from cointrail.trace.peel.question import NO_SERVICE, PeelLimits, ServiceScripts

Stops = Iterator[tuple[Reason, str]]
"""Reasons with details; the first of them is given."""


def check_output(reader: Reader, output_index: int) -> None:
    """Raise `NotFound` for an output that is not in the snapshot."""
    if not 0 <= output_index < reader.counts.output:
        raise NotFound(
            f"output {output_index} is not in this snapshot", hint=f"it holds {reader.counts.output} outputs"
        )


def stops_at(coin: Coin, hop: int, limits: PeelLimits, services: ServiceScripts) -> Stops:
    """Reasons why an output is not followed ahead from a hop."""
    if coin.service != NO_SERVICE:
        yield Reason.SERVICE, services.names[coin.service]
    if not coin.spendable:
        yield Reason.UNSPENDABLE, ""
    if not coin.spent:
        yield Reason.UNSPENT, ""
    yield from limits_at(coin, hop, limits)


def limits_at(coin: Coin, hop: int, limits: PeelLimits) -> Stops:
    """The limits among them."""
    # A large cluster is not entered; at hop 0 the question begins, wherever that is.
    if hop and limits.cluster is not None and coin.cluster_size > limits.cluster:
        yield Reason.LARGE_CLUSTER, f"{coin.cluster_size} scripts"
    if hop >= limits.most_hops:
        yield Reason.HOPS, ""
    if coin.value_sat < limits.min_sat:
        yield Reason.MINIMUM, ""


def stops_before(seen: Seen, limits: PeelLimits) -> Stops:
    """Reasons why a transaction is not crossed, in either direction, the first of them to be given."""
    yield from stops_of_verdict(seen.verdict, limits)
    if not seen.together:
        yield Reason.MERGE, f"{len(seen.inputs)} inputs"


def stops_of_verdict(verdict: Verdict, limits: PeelLimits) -> Stops:
    """Those of them that show without a look at the inputs."""
    if verdict.is_coinbase:
        yield Reason.COINBASE, ""
    if verdict.signs:
        yield Reason.COINJOIN, str(kind_of(verdict.signs))
    if limits.outputs is not None and verdict.outputs > limits.outputs:
        yield Reason.MANY_OUTPUTS, f"{verdict.outputs} outputs"
    if verdict.protocol:
        yield Reason.PROTOCOL, ""
