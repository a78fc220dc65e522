"""Check a proof from raw transactions alone: no ledger, no index, nothing of ours but the rules themselves.

Uses `cointrail.bitcoin` and the plain rules of the gate. Each step's transaction and what funded its inputs are in the
document and must hash to the names they are called by; the rule is then applied again (METHODS.md 1.1, 2.1, 3).
What raw transactions cannot show is `NOT_CHECKED`, and that an output is change: of such a step only the transaction is
checked, and `not_checked` names it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from cointrail.bitcoin.fingerprint import InputFlag, input_flags
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import is_unspendable
from cointrail.bitcoin.spelling import revealed_spelling, spelling_hash
from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput, check_transaction
from cointrail.cluster.gate.kinds import RULE_OF, VETO, Sign
from cointrail.cluster.gate.reference import Coin, signs_of_shape
from cointrail.cluster.proof.document import LEVEL, DocumentStep, InferenceStep, ProofDocument
from cointrail.errors import EncodingError, InputRefused

CO_SPEND = ("cospend", 1)
SAME_KEY = ("same_key", 1)
VOTE = ("change_vote", 1)
MODEL = ("change_model", 1)
ABOVE: Mapping[str, frozenset[tuple[str, int]]] = {
    LEVEL: frozenset(),
    "L2": frozenset({VOTE}),
    "L3": frozenset({VOTE, MODEL}),
}
"""Inferences that a way of each level may hold."""

NOT_CHECKED = (
    "that the transactions are in the chain; a node that knows them has checked their signatures, too",
    "that they are on no list of transactions whose co-spend is not believed",
    "that nothing after the stated block speaks against a step",
)
"""What the check leaves to others, at every level."""

_PAIR = 2
Spend = tuple[TransactionInput, TransactionOutput]


def check(document: ProofDocument) -> tuple[str, ...]:
    """Check a proof.

    Args:
        document: as `document.read` gives it; it may come from anybody.

    Returns:
        What is wrong, each naming the step or transaction; nothing if the proof stands.

    Method: METHODS.md 1.3.
    """
    return tuple(_Check(document).faults())


def not_checked(document: ProofDocument) -> tuple[str, ...]:
    """What a document does not show, even if it has no fault: the same for all, and each inference in it by name."""
    return NOT_CHECKED + tuple(
        f"step {number}: that {step.txid}, which spends one of both scripts, pays change to the other; {_said(step)}"
        for number, step in enumerate(document.steps, 1)
        if isinstance(step, InferenceStep)
    )


def _said(step: InferenceStep) -> str:
    claim = step.claim
    if step.rule == MODEL[0]:
        how = f"a model gives it {claim.basis_points / 10:.1f} per mille (SHA-256 {claim.model})"
    else:
        how = f"rules {', '.join(claim.votes)} chose it"
    return f"{step.rule} {step.version}: {how}, decided by {claim.decided_by}"


@dataclass(frozen=True, slots=True)
class _CoSpend:
    """What a transaction's co-spend is worth: why it proves nothing, the scripts it links, and all it spends."""

    faults: tuple[str, ...]
    owned: frozenset[str]
    spent: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a transaction shows about spellings: the scripts it pays, and (script, spelling hash) pairs it reveals."""

    paid: frozenset[str]
    revealed: frozenset[tuple[str, bytes]]


class _Check:
    def __init__(self, document: ProofDocument) -> None:
        self.document = document
        self.transactions: dict[str, Transaction] = {}
        self.needed: set[str] = set()
        # A step costs little once its transaction was looked at: a document may name one a million times.
        self.co_spend_of, self.shown_by, self.hash_of = cache(self._co_spend), cache(self._shown), cache(_spelling)
        self.wtxid_of = cache(lambda txid: display(self.transactions[txid].wtxid))
        self.paid_by, self.funders_of = cache(self._paid), cache(self._funders)

    def faults(self) -> Iterator[str]:
        document = self.document
        if document.network not in NETWORKS:
            yield f"network {document.network!a} is not known"
        if document.level not in ABOVE:
            yield f"level {document.level!a} cannot be checked, only {', '.join(ABOVE)}"
        yield from self._read()
        yield from self._connection()
        for number, step in enumerate(document.steps, 1):
            for fault in self._step(step):
                yield f"step {number}: {fault}"
        yield from (f"transaction {txid} is not needed" for txid in self.transactions if txid not in self.needed)

    def _read(self) -> Iterator[str]:
        for number, text in enumerate(self.document.transactions, 1):
            try:
                transaction = Transaction.parse(bytes.fromhex(text))
            except EncodingError as error:
                yield f"transaction {number} of the document cannot be read: {error}"
                continue
            txid = display(transaction.txid)
            if txid in self.transactions:
                yield f"transaction {number} of the document, {txid}, is there twice"
            self.transactions[txid] = transaction

    def _connection(self) -> Iterator[str]:
        here = self.document.a
        for number, step in enumerate(self.document.steps, 1):
            if step.x != here:
                yield f"step {number}: begins with script {_short(step.x)} where {_short(here)} was reached"
            here = step.y
        if here != self.document.b:
            yield f"the way ends with script {_short(here)} instead of {_short(self.document.b)}"

    def _step(self, step: DocumentStep) -> Iterator[str]:
        if step.txid not in self.transactions:
            yield f"transaction {step.txid} is missing, or its bytes have another hash"
            return
        self.needed.add(step.txid)
        if self.wtxid_of(step.txid) != step.wtxid:
            yield f"the witness of transaction {step.txid} has not the hash that is stated"
        if step.x == step.y:
            yield "both scripts are the same"
        rule = (step.rule, step.version)
        if isinstance(step, InferenceStep):
            yield from self._inference(step)
        elif rule == CO_SPEND:
            found = self.co_spend_of(step.txid)
            yield from found.faults
            if not found.faults:
                missing = (script for script in (step.x, step.y) if script not in found.owned)
                yield from (
                    f"script {_short(each)} is spent by no input that is signed for all inputs" for each in missing
                )
        elif rule == SAME_KEY:
            yield from self._same_key(step)
        else:
            yield f"rule {step.rule!a} {step.version} is not known"

    # Co-spend.

    def _co_spend(self, txid: str) -> _CoSpend:
        transaction, faults = self.transactions[txid], []
        try:
            check_transaction(transaction)
        except InputRefused as error:
            faults.append(str(error))
        if transaction.is_coinbase:
            return _CoSpend((f"transaction {txid} is a coinbase: it spends nothing",), frozenset(), frozenset())
        spends = []
        for vin in range(len(transaction.inputs)):
            spend = self._spend(transaction, vin)
            if spend is None:
                funding = transaction.inputs[vin].outpoint
                faults.append(
                    f"input {vin} of {txid} spends {funding}, whose transaction is missing or has no such output"
                )
            else:
                spends.append(spend)
        if not faults:
            faults += _gate_faults(txid, spends, transaction)
        spent = frozenset(spent.script_pubkey.hex() for _, spent in spends)
        return _CoSpend(tuple(faults), frozenset(_owned(spends)), spent)

    def _spend(self, transaction: Transaction, vin: int) -> Spend | None:
        """An input with the output it spends, if the document holds that."""
        each = transaction.inputs[vin]
        txid = display(each.outpoint.txid)
        if txid not in self.transactions:
            return None
        self.needed.add(txid)
        outputs = self.transactions[txid].outputs
        return (each, outputs[each.outpoint.vout]) if each.outpoint.vout < len(outputs) else None

    # Inferences: that the transaction can be what is said of it, not that it is.

    def _inference(self, step: InferenceStep) -> Iterator[str]:
        if (step.rule, step.version) not in ABOVE.get(self.document.level, frozenset()):
            yield f"rule {step.rule!a} {step.version} names no change at level {self.document.level!a}"
        if bool(step.claim.model) != (step.rule == MODEL[0]):
            yield f"rule {step.rule!a} rests on a model, or on none, unlike what is claimed"
        found, paid = self.co_spend_of(step.txid), self.paid_by(step.txid)
        yield from found.faults
        if not any(x in found.spent and y in paid for x, y in ((step.x, step.y), (step.y, step.x))):
            yield f"transaction {step.txid} does not spend one of both scripts and pay the other"
        if len(paid) != _PAIR:
            yield f"transaction {step.txid} has {len(paid)} spendable outputs, not two"
        decided = self.transactions.get(step.claim.decided_by)
        if decided is None:
            yield f"transaction {step.claim.decided_by} is missing, or its bytes have another hash"
            return
        self.needed.add(step.claim.decided_by)
        if step.txid not in self.funders_of(step.claim.decided_by):
            yield f"transaction {step.claim.decided_by} spends no output of {step.txid}, so it decided nothing about it"

    def _paid(self, txid: str) -> tuple[str, ...]:
        """The scripts of a transaction's spendable outputs."""
        scripts = (output.script_pubkey for output in self.transactions[txid].outputs)
        return tuple(script.hex() for script in scripts if not is_unspendable(script))

    def _funders(self, txid: str) -> frozenset[str]:
        """The transactions that a transaction spends from."""
        return frozenset(display(each.outpoint.txid) for each in self.transactions[txid].inputs)

    # Same key.

    def _same_key(self, step: DocumentStep) -> Iterator[str]:
        shown = self.shown_by(step.txid)
        x, y = self.hash_of(step.x), self.hash_of(step.y)
        if x is not None and x == y:
            if step.x not in shown.paid and step.y not in shown.paid:
                yield f"transaction {step.txid} pays neither script, so it does not complete the proof"
        elif (step.x, y) not in shown.revealed and (step.y, x) not in shown.revealed:
            yield f"transaction {step.txid} does not show that the scripts are spellings of one key or script"

    def _shown(self, txid: str) -> _Shown:
        transaction = self.transactions[txid]
        paid = {output.script_pubkey for output in transaction.outputs}
        # A key that is paid directly stands in the script itself; all else is shown by spending.
        shown: list[tuple[bytes, bytes, tuple[bytes, ...]]] = [(script, b"", ()) for script in paid]
        spends = (self._spend(transaction, vin) for vin in range(len(transaction.inputs)))
        shown += [(spend[1].script_pubkey, spend[0].script_sig, spend[0].witness) for spend in spends if spend]
        found = ((script.hex(), revealed_spelling(script, sig, witness)) for script, sig, witness in shown)
        return _Shown(
            frozenset(script.hex() for script in paid),
            frozenset((script, spelling[0]) for script, spelling in found if spelling is not None),
        )


def _gate_faults(txid: str, spends: list[Spend], transaction: Transaction) -> Iterator[str]:
    inputs = [Coin(spent.value_sat, spent.script_pubkey) for _, spent in spends]
    outputs = [Coin(output.value_sat, output.script_pubkey) for output in transaction.outputs]
    signs = signs_of_shape(inputs, outputs) & VETO
    for sign in Sign:
        if sign in signs:
            yield f"transaction {txid} is collaborative by rule {RULE_OF[sign]}: its co-spend is not believed"


def _owned(spends: list[Spend]) -> Iterator[str]:
    """The scripts of inputs that pass the owner filter (METHODS.md 3.5)."""
    for each, spent in spends:
        if not input_flags(each.script_sig, each.witness) & InputFlag.ANYONECANPAY:
            yield spent.script_pubkey.hex()


def _spelling(script: str) -> bytes | None:
    return spelling_hash(bytes.fromhex(script))


def _short(script: str) -> str:
    return script if len(script) <= 80 else f"{script[:40]}... of {len(script) // 2} bytes"
