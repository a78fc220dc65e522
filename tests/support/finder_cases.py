"""A small world made by hand for the finders: everybody has locks by name, whoever pays is named."""

from chain_tree import UnspentOutput
from regtest import Form, RegtestChain, anyone_can_spend

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.forest.view import Forest
from cointrail.trace.services import services_of

BTC = 100_000_000


class Town:
    """A chain of one transaction a block.

    Attributes:
        chain: three mature coinbases of 50 BTC.
    """

    def __init__(self):
        self.chain = RegtestChain()
        self.chain.mine_empty(102)
        self._coins = list(self.chain.spendable()[:3])
        self._locks = {}

    def lock(self, name):
        if name not in self._locks:
            self._locks[name] = self.chain.learn(anyone_can_spend(Form.P2WSH, name.encode()))
        return self._locks[name].script_pubkey

    def fresh(self):
        """A coinbase output nobody has spent."""
        return self._coins.pop(0)

    def pay(self, coins, *to):
        """Spend coins to (name, satoshis) each; gives what was made."""
        tx = self.chain.spend(list(coins), [TransactionOutput(sat, self.lock(name)) for name, sat in to])
        self.chain.mine([tx])
        return [
            UnspentOutput(tx.txid, vout, output.value_sat, output.script_pubkey, 0, is_coinbase=False)
            for vout, output in enumerate(tx.outputs)
        ]


def output(reader, coin):
    return reader.outputs_of(reader.find_transactions(coin.txid)[-1])[coin.vout]


def transaction(reader, coin):
    return reader.find_transactions(coin.txid)[-1]


def script(reader, town, name):
    return reader.find_script(town.lock(name))


def services(reader, town, **kinds):
    """Services by the name of their one tagged lock; the category of each."""
    names = sorted(kinds)
    scripts = [script(reader, town, name) for name in names]
    return services_of(Forest(reader), scripts, range(len(names)), names, kinds=[kinds[name] for name in names])
