"""The plot of BAZAAR: who takes part, and the truth about it once the world has run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.exchanges import Account
from cointrail.simulation.chain import START_TIME
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script
from cointrail.simulation.plot.addresses import ACCOUNT_PATH, AddressBook
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.buyers import Buyers
from cointrail.simulation.plot.l1_guarantee import Parties, check
from cointrail.simulation.plot.market import PAYJOIN, Calendar, Market
from cointrail.simulation.plot.proceeds import LEGS, Proceeds
from cointrail.simulation.plot.records import Movement, Names, Order, Paid, PoolKey, Purchase, User
from cointrail.simulation.plot.routes import Routes
from cointrail.simulation.plot.taint_truth import RULES, TaintTruth
from cointrail.simulation.scale import Scale
from cointrail.simulation.transactions import Coin
from cointrail.simulation.truth import AccountRow, ConclusionRow, PaymentRow, PaymentSourceRow, TaintRow, Truth
from cointrail.simulation.world import Entity

BUYER_TARGETS = 20
MARKET_SOURCES = "market payments"


class Plot:
    """The market, its operator, its buyers and the agency.

    `start` before the economy runs, `finish` after it. All attributes are complete after `finish`. Times are seconds
    since 1970, of the block's header where something is on the chain.

    Args:
        economy: everybody else, before it has run.
        truth: where the truth goes.
        scale: how large.

    Attributes:
        bazaar, operator, agency: entities.
        users: everybody registered at the market, by user_id from 1 on: buyers, the agency, people who never paid.
        orders: paid orders, by order_id from 1 on (addresses of the market that were shown and never paid stand in
            `truth.market_addresses` with a user_id and `used` False; those never shown have user_id -1).
        account_seed: seed of the market's BIP32 tree; account_path: "84h/1h/0h"; account: that node, private;
            account_origin: its origin for descriptors, "[fingerprint/84h/1h/0h]". Branch 0 gives the deposit
            addresses, branch 1 the change. change_scripts: those of branch 1 that were used, by position.
        pool: the legacy key pool in its order, 100 or 2,000 keys, with real keys.
        peel_account: Electrum's private account node (m/0h) of the peel wallet, branches 0 and 1; peel_scripts: its
            scripts that were used, with `derivation`.
        reserve_phrase: 12 words that control the 3 BTC; reserve: that coin, still unspent (label `op-3btc`);
            its script is P2WPKH at m/84h/1h/0h/0/0 and carries secret and public key.
        purchases: the three test purchases.
        movements: deposits and withdrawals of the accounts of the operator, the buyers and the agency, in chain order.
        names: of account holders and all other people, by entity_id.
        market_opens, market_closes: first and last second of the market's life.
        calendar: when the market sweeps, and which weeks are special; returning: the scripts R1 and R2.
    """

    purchases: list[Purchase]
    movements: list[Movement]
    pool: list[PoolKey]
    returning: tuple[Script, Script]
    reserve: Coin

    def __init__(self, economy: Economy, truth: Truth, scale: Scale) -> None:
        self._economy, self._world, self._truth = economy, economy.world, truth
        self._target_values: dict[str, int] = {}
        world, names = self._world, Names(self._world.stream("names"))
        models = economy.parameters.models
        self.operator: Entity = world.add_entity(names.person(), "operator", "XB")
        self.bazaar: Entity = world.add_entity("Bazaar", "market", "XB", controller=self.operator)
        self.calendar = Calendar.draw(scale, world.stream("calendar"))
        model = next(model for model in models if model.script_type is ScriptType.P2WPKH)
        self._proceeds = Proceeds(economy, self.operator, self.calendar, model)
        self._book = AddressBook(world, self.bazaar, scale)
        self._market = Market(
            economy, self._book, self.calendar, scale, self._proceeds.treasury, self._proceeds.mixing, truth.mix_links
        )
        self._market.on_collected = self._proceeds.collected
        self._routes = Routes(economy, self._market)
        self._buyers = Buyers(economy, self._market, self.calendar, self._routes, scale, models, names)
        self.agency: Entity = self._buyers.agency
        self.account_seed: bytes = self._book.seed
        self.account_path = ACCOUNT_PATH
        self.account: ExtendedKey = self._book.account
        self.account_origin: str = self._book.origin
        self.peel_account: ExtendedKey = self._proceeds.peel_account
        self.reserve_phrase: str = self._proceeds.phrase
        self.market_opens = START_TIME + self.calendar.opens
        self.market_closes = START_TIME + self.calendar.closes

    @property
    def users(self) -> list[User]:
        """Everybody registered at the market."""
        return self._buyers.users

    @property
    def orders(self) -> list[Order]:
        """Paid orders."""
        return self._market.orders

    @property
    def change_scripts(self) -> list[Script]:
        """Used scripts of the change branch."""
        return self._book.change_scripts

    @property
    def peel_scripts(self) -> list[Script]:
        """Used scripts of the peel wallet."""
        return self._proceeds.peel_scripts

    @property
    def names(self) -> dict[int, str]:
        """Names by entity_id."""
        return {entity.entity_id: entity.name for entity in self._world.entities}

    def start(self) -> None:
        """Open the accounts and put everything on the economy's agenda."""
        self._market.start()
        self._proceeds.start()
        self._buyers.start()

    def finish(self) -> None:
        """Fill in the rest of the truth and check the world's guarantees.

        Raises:
            CheckFailed: this seed's world breaks one; the message names the seed.
        """
        truth = self._truth
        paid = sorted(self._routes.paid, key=lambda each: (each.sent.height, each.sent.position, each.vout))
        assert self._proceeds.reserve is not None, "the operator has put 3 BTC aside"
        self.reserve = self._proceeds.reserve
        self.pool = self._book.pool_keys()
        self.returning = self._buyers.returning[0].script, self._buyers.returning[1].script
        self.movements = self._all_movements()
        self.purchases = [self._purchase(number, paid) for number in self._buyers.test_deposits]
        for row in self._book.rows(len(self.users)):
            truth.market_addresses.append(row)
        truth.cashouts += self._proceeds.cashouts
        self._write_payments(paid)
        targets = self._targets(paid)
        self._write_accounts([target for target, _, _, _ in targets])
        self._target_values = {name: sum(truth.values[each] for each in outputs) for name, _, _, outputs in targets}
        asking = TaintTruth(truth)
        for target in targets:
            self._write_taint(asking, *target)
        truth.l1_reachable = check(truth, self._world.seed, self._parties())
        truth.conclusions += self._conclusions()

    # What happened.

    def _time(self, height: int) -> int:
        return self._world.chain.times[height]

    def _all_movements(self) -> list[Movement]:
        accounts = self._proceeds.accounts
        deposits = []
        for row in self._proceeds.cashouts:
            output = self._truth.output_number(row.txid + row.vout.to_bytes(4, "little"))
            transaction = self._truth.output_transactions[output]
            height = self._truth.heights[transaction]
            exchange = accounts[row.leg].exchange
            deposits.append(
                Movement(
                    row.account_id, exchange, "deposit", row.txid, row.vout, row.value_sat, height, 0,
                    self._truth.script_pubkey(output),
                )
            )  # fmt: skip
        movements = [*deposits, *self._routes.withdrawals]
        movements.sort(key=lambda each: (each.height, self._truth.numbers[each.txid], each.vout))
        return [replace(each, time=self._time(each.height)) for each in movements]

    def _purchase(self, number: int, paid: Sequence[Paid]) -> Purchase:
        script = self._buyers.test_deposits[number].script
        found = next(each for each in paid if each.sent.outputs[each.vout].script is script)
        user = self.users[found.user_id - 1]
        funding = f"account {found.sources[0].account_id} at Alpha" if found.sources else "agency wallet"
        return Purchase(
            number, user.name, found.sent.txid, found.vout, found.sent.outputs[found.vout].value_sat,
            self._time(found.sent.height), funding, f"test purchase {number}, goods received",
        )  # fmt: skip

    def _write_payments(self, paid: Sequence[Paid]) -> None:
        for number, each in enumerate(paid, start=1):
            sent = each.sent
            time = datetime.fromtimestamp(self._time(sent.height), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._truth.payments.append(
                PaymentRow(
                    number, each.user_id, each.buyer_id, sent.txid, each.vout, sent.outputs[each.vout].value_sat,
                    sent.height, time, each.route, each.hops, each.verdict, each.stop_txid, each.stop_reason,
                )
            )  # fmt: skip
            for source in each.sources:
                self._truth.payment_sources.append(
                    PaymentSourceRow(
                        number, source.exchange, source.account_id, source.txid, source.vout, source.value_sat
                    )
                )

    def _write_accounts(self, targets: Sequence[str]) -> None:
        for exchange in self._economy.exchanges.values():
            for account in exchange.accounts.values():
                name, holder = account.account_id, account.holder_id
                self._truth.accounts.append(AccountRow(name, exchange.name, holder, account.country, name in targets))

    # Taint.

    def _outputs(self, places: Iterable[tuple[bytes, int]]) -> list[int]:
        return [self._truth.output_number(txid + vout.to_bytes(4, "little")) for txid, vout in places]

    def _targets(self, paid: Sequence[Paid]) -> list[tuple[str, str, list[int], list[int]]]:
        """(account, name of its source set, source outputs, target outputs) of the 24 target accounts."""
        everything = self._outputs((each.sent.txid, each.vout) for each in paid)
        targets = []
        for leg in LEGS:
            places = ((row.txid, row.vout) for row in self._proceeds.cashouts if row.leg == leg)
            targets.append((self._proceeds.accounts[leg].account_id, MARKET_SOURCES, everything, self._outputs(places)))
        holders = {each.account_id: each.holder_id for each in self._buyer_accounts()}
        sent = dict.fromkeys(holders, 0)
        for each in paid:
            for source in each.sources:
                if source.account_id in sent:
                    whole = each.sent.outputs[each.vout].value_sat
                    sent[source.account_id] += whole if len(each.sources) == 1 else source.value_sat
        for account in sorted(sent, key=lambda account: (-sent[account], account))[:BUYER_TARGETS]:
            places = ((row.txid, row.vout) for row in self._routes.withdrawals if row.account_id == account)
            bought = ((each.sent.txid, each.vout) for each in paid if each.buyer_id == holders[account])
            targets.append((account, f"withdrawals {account}", self._outputs(places), self._outputs(bought)))
        return targets

    def _buyer_accounts(self) -> Iterator[Account]:
        return (account for buyer in self._buyers.buyers for account in buyer.accounts)

    def _write_taint(
        self, asking: TaintTruth, target: str, name: str, sources: Sequence[int], outputs: Sequence[int]
    ) -> None:
        limits = asking.bounds(sources, outputs)
        for rule in RULES:
            found = asking.taint(sources, outputs, rule)
            self._truth.taint.append(
                TaintRow(
                    target, rule, name, found.total_sat, found.traced_sat, found.untraced_sat, found.fee_sat,
                    limits.lower_sat, limits.upper_sat,
                )
            )  # fmt: skip

    # What must hold, and what can be concluded.

    def _parties(self) -> Parties:
        return Parties(
            market=self.bazaar.entity_id,
            test_scripts=[deposit.script.number for _, deposit in sorted(self._buyers.test_deposits.items())],
            hot_wallets=[(each.name, each.hot.number) for each in self._economy.exchanges.values()],
            double=self._economy.gamblers["LuckyDice"].entity.entity_id,
            left_out=PAYJOIN,
        )

    def _conclusions(self) -> list[ConclusionRow]:
        """What holds under haircut and change rules, and whether it survives without them and under FIFO.

        A share of value survives if FIFO still traces more than half of the target. Following a peel chain needs a
        change rule at each step, and a way through CoinJoins is never more than an inference: neither survives.
        """
        truth = self._truth
        rows = [
            ConclusionRow(f"test-purchase-{number}", f"the address of test purchase {number} lies in the market's "
                          "cluster", survives_l1_fifo=True)
            for number in sorted(self._buyers.test_deposits)
        ]  # fmt: skip
        found = {(row.target_id, row.rule): row for row in truth.taint}
        values = self._target_values
        for leg in LEGS:
            account = self._proceeds.accounts[leg].account_id
            rows += self._share(f"proceeds-{leg}", f"most of what account {account} received are proceeds of the "
                                "market", account, found, values)  # fmt: skip
        rows.append(
            ConclusionRow("peel-chain", "the peel chain that the operator began ends at account "
                          f"{self._proceeds.accounts['beta'].account_id}", survives_l1_fifo=False)
        )  # fmt: skip
        rows.append(
            ConclusionRow("coinjoin-gamma", "coins of the operator reached account "
                          f"{self._proceeds.accounts['gamma'].account_id} through CoinJoins", survives_l1_fifo=False)
        )  # fmt: skip
        names = {row.target_id: row for row in truth.taint if row.source_set != MARKET_SOURCES}
        for account in names:
            rows += self._share(f"funding-{account}", "most of what its holder paid to the market was withdrawn from "
                                f"account {account}", account, found, values)  # fmt: skip
        return rows

    @staticmethod
    def _share(
        name: str, statement: str, account: str, found: dict[tuple[str, str], TaintRow], values: dict[str, int]
    ) -> list[ConclusionRow]:
        """The conclusion, if haircut draws it."""
        if 2 * found[account, "haircut"].traced_sat <= values[account]:
            return []
        survives = 2 * found[account, "fifo"].traced_sat > values[account]
        return [ConclusionRow(name, statement, survives_l1_fifo=survives)]
