"""Hand-made peel chains: a sum that pays and pays, over many blocks, with signs that the vote knows or does not."""

from pathlib import Path

from change_cases import Stage
from regtest import Form, Lock, UnspentOutput, anyone_can_spend, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest

ROUND, ODD = 2_000_000, 2_345_678
RATE = 10
"""Satoshi a vbyte, of every step."""


class PeelStage(Stage):
    """A stage whose story goes over many blocks.

    `payee` was paid before, so that a round payment to it leaves no doubt which output is change.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.payee = self.seen()

    def lock(self, form: Form = Form.P2WSH) -> Lock:
        """A script that nobody has seen; all are of one length, so that spends of one shape pay one fee rate."""
        return self.chain.learn(anyone_can_spend(form, b"%06d" % next(self._names), drops=2))

    def block(self, time: int | None = None) -> None:
        """What was sent since the last block goes into one of its own."""
        self.chain.mine(self.made, claim_sat=0, time=time)
        self.made = []

    def pay(
        self,
        coin: UnspentOutput,
        *,
        paid: int = ROUND,
        payee: Lock | None = None,
        rest: Lock | None = None,
        beside: tuple[UnspentOutput, ...] = (),
        change_first: bool = False,
    ) -> tuple[UnspentOutput, UnspentOutput]:
        """One step with clear signs: (payment, rest)."""
        total = sum(each.value_sat for each in (coin, *beside))
        payee, rest = payee or self.payee, rest or self.lock()
        self.send([coin, *beside], [(paid, payee), (0, rest)])
        fee = RATE * self.made.pop().vsize  # the amounts do not change its size
        outputs = [(paid, payee), (total - paid - fee, rest)]
        sent = self.send([coin, *beside], outputs[::-1] if change_first else outputs)
        return (sent[1], sent[0]) if change_first else (sent[0], sent[1])

    def doubt(self, coin: UnspentOutput, paid: int = ODD) -> tuple[UnspentOutput, UnspentOutput]:
        """One step without a sign: both outputs are new and odd."""
        return self.pay(coin, paid=paid, payee=self.lock())

    @property
    def last(self) -> Transaction:
        """The transaction sent last."""
        return self.made[-1]


def straight(hops: int, per_block: int = 50) -> tuple[PeelStage, UnspentOutput]:
    """A chain of clear steps and the output it begins at; its last rest is not spent, so the last step is undecided."""
    stage = PeelStage()
    coin = first = stage.coin(4_000_000_017)
    paid = min(ROUND, 3_900_000_000 // (hops + 1) // 1_000_000 * 1_000_000)
    for hop in range(hops + 1):
        coin = stage.pay(coin, paid=paid, change_first=hop % 3 == 1)[1]
        if hop % per_block == per_block - 1:
            stage.block()
    stage.block()
    return stage, first


def ledger_of(stage: Stage, folder: Path) -> Path:
    """The ledger of what was mined, with clusters."""
    write_block_files(folder / "blocks", stage.chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return folder / "ledger"
