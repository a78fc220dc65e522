"""From an explanation to a document that stands on its own: add the raw transactions that show each step.

A co-spend is shown by its transaction and by those that funded all its inputs, since the gate looks at all of them; a
same-key fact by its transaction and by those that funded its inputs with one of the two scripts. Above L1 the same as a
co-spend, and the transaction that decided; the rest of what a vote or a model read is the chain itself.
"""

from collections.abc import Callable, Sequence

import numpy as np

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.transaction import Transaction
from cointrail.cluster.change.rules import VOTING
from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.proof.document import (
    LEVEL,
    VERSION,
    VERSION_ABOVE,
    AsOf,
    Claim,
    DocumentStep,
    InferenceStep,
    ProofDocument,
)
from cointrail.cluster.proof.explain import Step
from cointrail.cluster.proof.level import Inference
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE


def build(
    reader: Reader,
    script_a: int,
    script_b: int,
    steps: Sequence[Step | Inference],
    raw: Callable[[int], Transaction],
    *,
    level: str = LEVEL,
    model: str = "",
) -> ProofDocument:
    """Write down a proof with its evidence.

    Args:
        reader: the ledger at a snapshot.
        script_a: where the way begins.
        script_b: where it ends.
        steps: as `explain` gives them.
        raw: reads a transaction by its tx_index.
        level: of the cluster.
        model: SHA-256 of the change model that named some of the steps, if one did.

    Raises:
        Whatever `raw` raises.

    Method: METHODS.md 1.3.
    """
    shown = {step.tx_index for step in steps}
    inferences = [step for step in steps if isinstance(step, Inference)]
    funding = {tx_index for step in steps for tx_index in _funding(reader, step)}
    funding = (funding | {step.decided_at for step in inferences}) - shown
    transactions = {tx_index: raw(tx_index) for tx_index in sorted(shown | funding)}

    def script(script_id: int) -> str:
        return reader.script_pubkey(script_id).hex()

    def written(step: Step | Inference) -> DocumentStep:
        about = transactions[step.tx_index]
        names = (display(about.txid), display(about.wtxid), step.rule, step.version)
        ends = (script(step.script_x), script(step.script_y))
        if not isinstance(step, Inference):
            return DocumentStep(*names, *ends)
        return InferenceStep(*names, *ends, _claim(step, display(transactions[step.decided_at].txid), model))

    return ProofDocument(
        a=script(script_a),
        b=script(script_b),
        network=reader.snapshot.network,
        level=level,
        as_of=AsOf(reader.height, reader.snapshot.block_hash),
        steps=tuple(written(step) for step in steps),
        transactions=tuple(
            transaction.serialize(witness=tx_index in shown).hex() for tx_index, transaction in transactions.items()
        ),
        version=VERSION if level == LEVEL else VERSION_ABOVE,
    )


def votes_of(detail: int) -> tuple[str, ...]:
    """The rules behind the bits of a vote, by number."""
    return tuple(rule.id for rule in VOTING if detail & rule.bit)


def _claim(step: Inference, decided_by: str, model: str) -> Claim:
    if step.rule == EdgeRule.CHANGE_MODEL.rule:
        return Claim(decided_by, (), step.detail, model)
    return Claim(decided_by, votes_of(step.detail), 0, "")


def _funding(reader: Reader, step: Step | Inference) -> list[int]:
    """The transactions that made what a step's transaction spends, as far as the step needs them."""
    inputs = reader.inputs_of(step.tx_index)
    spent = reader.column("input", "output")[inputs.start : inputs.stop]
    spent = spent[spent != NONE]
    if step.basis == "fact":
        scripts = reader.column("output", "script")[spent]
        spent = spent[np.isin(scripts, np.array([step.script_x, step.script_y], scripts.dtype))]
    return [int(each) for each in np.unique(reader.transaction_of_outputs(spent))]
