"""What a result is bound to: the same question at the same snapshot gives the same bytes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from cointrail.cluster.forest.extend import CO_SPEND, SAME_KEY
from cointrail.cluster.gate.kinds import RULES as GATE_RULES
from cointrail.ledger.reader import Reader
from cointrail.reports.wording import plain
from cointrail.trace.flow import Flow
from cointrail.version import VERSION


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result comes from.

    Attributes:
        program: name and version.
        network, height, block_hash, digest: the snapshot.
        rules: (id, version) of every rule it rests on.
        parameters: the question, as plain values.
        outcome: totals of the answer, as plain values.
    """

    program: str
    network: str
    height: int
    block_hash: str
    digest: str
    rules: tuple[tuple[str, int], ...]
    parameters: Mapping[str, Any]
    outcome: Mapping[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "program": self.program,
            "snapshot": {
                "network": self.network,
                "height": self.height,
                "block_hash": self.block_hash,
                "digest": self.digest,
            },
            "rules": [{"id": name, "version": version} for name, version in self.rules],
            "parameters": dict(self.parameters),
            "outcome": dict(self.outcome),
        }

    @property
    def text(self) -> str:
        """As JSON on one line."""
        return json.dumps(self.document, ensure_ascii=False, separators=(", ", ": "))


def provenance_of(flow: Flow, reader: Reader) -> Provenance:
    """Of a trace."""
    asked, snapshot = flow.asked, reader.snapshot
    rules = [(f"taint.{asked.policy.name}", asked.policy.version), *asked.gate]
    if len(asked.services.roots) or asked.limits.cluster is not None:
        rules += [SAME_KEY, CO_SPEND, *GATE_RULES]  # clusters of level L1 rest on the gate, whether or not it stops
    if inferred := asked.services.inferred:
        rules.append((inferred.rule, inferred.version))
    return Provenance(
        program=f"cointrail {VERSION}",
        network=snapshot.network,
        height=snapshot.height,
        block_hash=snapshot.block_hash,
        digest=snapshot.digest,
        rules=tuple(dict.fromkeys(rules)),
        parameters=MappingProxyType(_parameters(flow)),
        outcome=MappingProxyType(_outcome(flow)),
    )


def _parameters(flow: Flow) -> dict[str, Any]:
    asked, services = flow.asked, flow.asked.services
    return {
        "direction": str(asked.direction),
        "policy": asked.policy.name,
        "limits": asdict(asked.limits),
        "fees": {"mode": str(asked.fees.mode), "coinbase_order": str(asked.fees.coinbase_order)},
        "seeds": {
            "outputs": len(flow.seeds.outputs),
            "labels": [plain(name) for name in flow.seeds.names],
            "sha256": _digest(flow.seeds.outputs, flow.seeds.labels),
        },
        "targets": {"outputs": len(asked.targets), "sha256": _digest(asked.targets)},
        "services": {"names": services.named, "digest": services.digest, "mixed_clusters": services.mixed},
    } | ({"inferred_services": asdict(services.inferred)} if services.inferred else {})


def _outcome(flow: Flow) -> dict[str, Any]:
    return {
        "traced_sat": flow.traced_sat,
        "transactions": len(flow.tx),
        "parts": len(flow.output),
        "ended_sat": {str(reason): sat for reason, sat in flow.ended_sat.items()},
        "adds_up": flow.conserved if flow.asked.policy.conserves else None,
        "complete": flow.complete,
        "coalesced": flow.coalesced,
    }


def _digest(*columns: Any) -> str:
    """Of row numbers of the snapshot, little-endian, eight bytes each."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(column.astype("<i8").tobytes())
    return digest.hexdigest()
