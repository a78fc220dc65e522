"""A small economy for overlays: wallets that spend together, mixes between them, keys in two spellings."""

from pathlib import Path
from random import Random

from chain_tree import UnspentOutput
from regtest import Form, RegtestChain, anyone_can_spend, write_block_files
from signed_spends import ALL, ALL_ANYONE, spend, unspent_of

from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction, TransactionOutput
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest

WALLETS, KEYS = 14, 5
FIRST_SPEND = 103
FORMS = (Form.P2WSH, Form.NESTED_P2WSH, Form.BARE)


def lock_of(wallet: int, key: int, form: Form = Form.P2WSH):
    """The script of one key of one wallet; the first two forms are spellings of one script."""
    return anyone_can_spend(form, b"wallet %d key %d" % (wallet, key), drops=1)


class WalletChain:
    """A regtest chain on which wallets spend and mix.

    Attributes:
        chain: the blocks.
        made: every transaction that spends, in chain order.
    """

    def __init__(self, seed: int, blocks: int = 10) -> None:
        self.random = Random(seed)
        self.chain = RegtestChain()
        self.chain.mine_empty(FIRST_SPEND)
        self.made: list[Transaction] = []
        self.purse: dict[int, list[UnspentOutput]] = {wallet: [] for wallet in range(WALLETS)}
        self._wallet_of: dict[bytes, int] = {}
        self._mine([self._funding()])
        for _ in range(blocks):
            self._mine([made for _ in range(6) if (made := self._transaction())])

    def _mine(self, transactions: list[Transaction]) -> None:
        self.chain.mine(transactions)
        self.made += transactions

    def _output(self, wallet: int, value_sat: int) -> TransactionOutput:
        random = self.random
        form = random.choices(FORMS, (6, 2, 2))[0]
        lock = self.chain.learn(lock_of(wallet, random.randrange(KEYS), form))
        self._wallet_of[lock.script_pubkey] = wallet
        return TransactionOutput(value_sat, lock.script_pubkey)

    def _keep(self, tx: Transaction) -> Transaction:
        for output in unspent_of(tx):
            self.purse[self._wallet_of[output.script_pubkey]].append(output)
        return tx

    def _funding(self) -> Transaction:
        wallets = [wallet for wallet in range(WALLETS) for _ in range(6)]
        outputs = [self._output(wallet, self.random.randrange(10_000_000, 20_000_000)) for wallet in wallets]
        return self._keep(self.chain.spend(self.chain.spendable()[:1], outputs))

    def _transaction(self) -> Transaction | None:
        return self._mix() if self.random.random() < 0.25 else self._payment()

    def _take(self, wallet: int, most: int) -> list[UnspentOutput]:
        """Outputs of one wallet, gone from its purse."""
        purse = self.purse[wallet]
        self.random.shuffle(purse)
        taken, purse[:] = purse[:most], purse[most:]
        return taken

    def _payment(self) -> Transaction | None:
        """One wallet spends some outputs, now and then with another's; change and one payment."""
        random = self.random
        wallet, payee, other = (random.randrange(WALLETS) for _ in range(3))
        taken = self._take(wallet, random.choice((1, 2, 2, 3)))
        if random.random() < 0.1:
            taken += self._take(other, 1)
        if not taken:
            return None
        types = [ALL_ANYONE if random.random() < 0.2 else ALL for _ in taken]
        total = sum(each.value_sat for each in taken)
        paid = total // random.choice((3, 4, 5)) + random.randrange(1_000)
        outputs = [self._output(payee, paid), self._output(wallet, total - paid - random.randrange(500))]
        return self._keep(spend(self.chain, taken, outputs, types))

    def _mix(self) -> Transaction | None:
        """Several wallets spend one output each and take equal outputs: three or more, or a Stonewall of two."""
        random = self.random
        count = random.choice((2, 3, 4))
        wallets = random.sample([wallet for wallet, purse in self.purse.items() if purse], count)
        taken = [each for wallet in wallets for each in self._take(wallet, 1)]
        equal = min(each.value_sat for each in taken) // 2
        outputs = [self._output(wallet, equal) for wallet in wallets]
        outputs += [
            self._output(wallet, each.value_sat - equal - random.randrange(1, 99))
            for wallet, each in zip(wallets, taken, strict=True)
        ]
        return self._keep(spend(self.chain, taken, outputs, [ALL] * count))


def clustered_ledger(folder: Path, chain: RegtestChain) -> Path:
    """The ledger of a chain with its clusters."""
    write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return folder / "ledger"
