"""Profiles and counterparties straight from raw blocks: a slow walk that knows neither ledger nor numpy.

Everything is asked of the whole chain again; a wallet is a set of scriptPubKeys. Divisions are exact fractions.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

from mixing_gate import collaborative

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.script import classify


class Coin(NamedTuple):
    """An output; `number` counts all outputs of the chain."""

    number: int
    outpoint: tuple[bytes, int]
    value: int
    script: bytes


class Tx(NamedTuple):
    """A transaction with what it spends; `dead` are outputs that its txid made unspendable (BIP30)."""

    txid: bytes
    height: int
    coinbase: bool
    inputs: list[Coin]
    outputs: list[Coin]
    dead: list[Coin]


class PlainProfile:
    """A chain up to a height.

    Attributes:
        txs: all transactions in chain order; times, medians: of the blocks.
    """

    def __init__(self, raw_blocks, height):
        self.txs, self.times, self.medians, self.height = [], [], [], height
        self._by_script = defaultdict(list)
        live, count = {}, 0
        for number, raw in enumerate(raw_blocks[: height + 1]):
            block = Block.parse(raw)
            self.times.append(block.header.time)
            recent = sorted(self.times[-11:])
            self.medians.append(recent[len(recent) // 2])
            for place, tx in enumerate(block.transactions):
                txid = tx.txid
                spent = [live.pop((each.outpoint.txid, each.outpoint.vout)) for each in tx.inputs] if place else []
                made = [
                    Coin(count + vout, (txid, vout), each.value_sat, each.script_pubkey)
                    for vout, each in enumerate(tx.outputs)
                ]
                count += len(made)
                dead = [live[coin.outpoint] for coin in made if coin.outpoint in live]
                live |= {coin.outpoint: coin for coin in made if number and not unspendable(coin.script)}
                for coin in (*spent, *made):
                    self._by_script[coin.script].append(len(self.txs))
                self.txs.append(Tx(txid, number, place == 0, spent, made, dead))

    def touching(self, wallet):
        """Transactions that pay a wallet or spend from it."""
        return [self.txs[number] for number in sorted(set().union(*(self._by_script[script] for script in wallet)))]

    def kept(self, wallet, first, last, least, most):
        """Those that a filter keeps."""
        for tx in self.touching(wallet):
            came, went = moved(tx, wallet)
            large = (least is None or abs(came - went) >= least) and (most is None or abs(came - went) <= most)
            if first <= tx.height <= last and large:
                yield tx

    def heights_between(self, from_time, to_time):
        """The heights whose median times lie in a range."""
        return [h for h, time in enumerate(self.medians) if from_time <= time <= to_time]

    def unspent_at(self, wallet, last):
        """What a wallet can spend after a block."""
        live = {}
        for tx in self.touching(wallet):
            if tx.height > last:
                break
            for coin in (*tx.inputs, *tx.dead):
                live.pop(coin.number, None)
            if tx.height:
                live |= {c.number: c for c in tx.outputs if c.script in wallet and not unspendable(c.script)}
        return live

    def profile(self, wallet, first, last, least=None, most=None):
        """Every figure of a profile, by the names of the answer."""
        kept = list(self.kept(wallet, first, last, least, most))
        received = [coin for tx in kept for coin in tx.outputs if coin.script in wallet]
        spent = [coin for tx in kept for coin in tx.inputs if coin.script in wallet]
        live = self.unspent_at(wallet, last)
        gone = {coin.number for tx in self.touching(wallet) if tx.height <= last for coin in tx.inputs}
        sends = [tx for tx in kept if any(coin.script in wallet for coin in tx.inputs)]
        alone = [tx for tx in sends if all(coin.script in wallet for coin in tx.inputs)]
        shared = [tx for tx in sends if not all(coin.script in wallet for coin in tx.inputs)]
        returned = sum(min(moved(tx, wallet)) for tx in kept)
        mined = [tx for tx in kept if tx.coinbase]
        unspent = sorted((c for c in received if c.number in live), key=lambda c: (-c.value, c.number))
        return {
            "balance_sat": sum(coin.value for coin in live.values()),
            "received_sat": sum(coin.value for coin in received),
            "spent_sat": sum(coin.value for coin in spent),
            "returned_sat": returned,
            "received_net_sat": sum(coin.value for coin in received) - returned,
            "spent_net_sat": sum(coin.value for coin in spent) - returned,
            "unspendable_sat": sum(c.value for c in received if c.number not in live and c.number not in gone),
            "coinbase_sat": sum(moved(tx, wallet)[0] for tx in mined),
            "coinbases": len(mined),
            "transactions": len(kept),
            "receiving": len(kept) - len(sends),
            "sending": len(sends),
            "outputs": len(received),
            "inputs": len(spent),
            "unspent_outputs": len(unspent),
            "unspent_sat": sum(coin.value for coin in unspent),
            "first_height": kept[0].height if kept else None,
            "last_height": kept[-1].height if kept else None,
            "fees": (sum(map(fee, alone)), len(alone), sum(map(fee, shared)), len(shared)),
            "unspent": [(coin.outpoint, coin.value) for coin in unspent],
            "types": self._types(received, unspent),
            "reuse": self._reuse(wallet, kept, last),
            "receipts": self._clock(tx for tx in kept if not any(coin.script in wallet for coin in tx.inputs)),
            "spends": self._clock(sends),
            "steps": self._steps(wallet, first, last),
        }

    def _steps(self, wallet, first, last):
        """The balance after every block in which the wallet moved."""
        found, live = {}, {}
        for tx in self.touching(wallet):
            for coin in (*tx.inputs, *tx.dead):
                live.pop(coin.number, None)
            if tx.height:
                live |= {c.number: c.value for c in tx.outputs if c.script in wallet and not unspendable(c.script)}
            found[tx.height] = sum(live.values())
        return [(height, balance) for height, balance in found.items() if first <= height <= last]

    def _clock(self, txs):
        moments = [datetime.fromtimestamp(self.times[tx.height], UTC) for tx in txs]
        hours, days = Counter(each.hour for each in moments), Counter(each.weekday() for each in moments)
        return [hours[hour] for hour in range(24)], [days[day] for day in range(7)]

    @staticmethod
    def _types(received, unspent):
        rows = {}
        for coin in received:
            row = rows.setdefault(classify(coin.script).label, [set(), 0, 0, 0, 0])
            row[0].add(coin.script)
            row[1] += 1
            row[2] += coin.value
        for coin in unspent:
            row = rows[classify(coin.script).label]
            row[3] += 1
            row[4] += coin.value
        return {label: (len(row[0]), *row[1:]) for label, row in rows.items()}

    def _reuse(self, wallet, kept, last):
        payers, spent_first = defaultdict(list), {}
        for number, tx in enumerate(self.txs):
            if tx.height <= last:
                for coin in tx.inputs:
                    spent_first.setdefault(coin.script, number)
        numbers = {id(tx): number for number, tx in enumerate(self.txs)}
        for tx in kept:
            for script in {coin.script for coin in tx.outputs if coin.script in wallet}:
                payers[script].append(numbers[id(tx)])
        late = [s for s, txs in payers.items() if s in spent_first and txs[-1] > spent_first[s]]
        most = max(map(len, payers.values()), default=0)
        return len(payers), sum(len(txs) > 1 for txs in payers.values()), len(late), most

    def counterparties(self, wallet, first, last, least=None, most=None, who=lambda script: script):
        """(rows by `who`, totals).

        A row is [received, sent, divided, set of txs, set of scripts, payments as (height, received, sent)].
        """
        rows = defaultdict(lambda: [0, 0, 0, set(), set(), []])
        totals = Counter()
        for tx in self.kept(wallet, first, last, least, most):
            came, went = moved(tx, wallet)
            if tx.coinbase:
                totals["coinbase"] += came
            elif is_mix(tx):
                totals["mixed_received"] += came
                totals["mixed_spent"] += went
                totals["mixes"] += 1
            else:
                self._divide(tx, wallet, who, rows, totals)
        return rows, totals

    def _divide(self, tx, wallet, who, rows, totals):
        came, went = moved(tx, wallet)
        payers = [coin for coin in tx.inputs if coin.script not in wallet]
        payees = [coin for coin in tx.outputs if coin.script not in wallet]
        paid_in = sum(coin.value for coin in tx.inputs)
        back = came * went // paid_in if paid_in else 0
        totals["change"] += back
        both = bool(payers) and len(payers) < len(tx.inputs)

        def book(coin, received, sent, *, divided):
            row = rows[who(coin.script)]
            row[0] += received
            row[1] += sent
            row[2] += (received + sent) if divided else 0
            row[3].add((tx.txid, tx.height))
            row[4].add(coin.script)
            row[5].append((tx.height, received, sent))

        if len(payees) < len(tx.outputs):
            several = both or len({who(coin.script) for coin in payers}) > 1
            for coin, part in zip(payers, parts(came - back, [coin.value for coin in payers]), strict=True):
                book(coin, part, 0, divided=several)
        if len(payers) < len(tx.inputs):
            *sent, to_miner = parts(went - back, [*(coin.value for coin in payees), fee(tx)])
            totals["fees"] += to_miner
            for coin, part in zip(payees, sent, strict=True):
                if unspendable(coin.script):
                    totals["nobody"] += part
                else:
                    book(coin, 0, part, divided=both)


def parts(amount, weights):
    """Largest remainder over exact fractions, ties to the first."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [Fraction(amount * weight, whole) for weight in weights]
    found = [int(each) for each in exact]
    order = sorted(range(len(weights)), key=lambda place: (found[place] - exact[place], place))
    for place in order[: amount - sum(found)]:
        found[place] += 1
    return found


def moved(tx, wallet):
    """(received, spent) of a wallet."""
    return tuple(sum(coin.value for coin in side if coin.script in wallet) for side in (tx.outputs, tx.inputs))


def fee(tx):
    return sum(coin.value for coin in tx.inputs) - sum(coin.value for coin in tx.outputs)


def unspendable(script):
    return script.startswith(b"\x6a") or len(script) > 10_000


def is_mix(tx):
    inputs = [(coin.value, coin.script) for coin in tx.inputs]
    outputs = [(coin.value, b"\x6a" if unspendable(coin.script) else coin.script) for coin in tx.outputs]
    return len({script for _, script in inputs}) > 1 and collaborative(inputs, outputs) != "none"
