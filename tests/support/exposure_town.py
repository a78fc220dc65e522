"""A town in which a market is paid by an exchange and by a listed entity, before and after the day of its listing."""

from finder_cases import BTC, Town
from regtest import write_block_files

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest

FEE = 5
NAMES = ("alpha", "beta", "evil", "market", "middle", "shop")


class ExposureTown:
    """The ledger of the town, its addresses and its tags.

    alpha -> market 3; evil -> market 2; (listing) evil -> middle 4 -> market; market 5 -> evil 1, shop 1, market 3;
    shop -> beta, less a fee.

    Attributes:
        before: height of the last block before the listing's.
        listed_utc: the listing, to the second: the time of the block in which evil pays middle.
    """

    def __init__(self, folder):
        town = self.town = Town()
        alpha = town.pay([town.fresh()], ("alpha", 50 * BTC))
        self.from_alpha = town.pay(alpha, ("market", 3 * BTC), ("alpha", 47 * BTC))
        evil = town.pay([town.fresh()], ("evil", 50 * BTC))
        self.early = town.pay(evil, ("market", 2 * BTC), ("evil", 48 * BTC))
        self.before = len(list(town.chain.branch())) - 1
        self.late = town.pay([self.early[1]], ("middle", 4 * BTC), ("evil", 44 * BTC))
        self.listed = town.chain.nodes[town.chain.tip].block.header.time
        self.through = town.pay([self.late[0]], ("market", 4 * BTC))
        coins = [self.from_alpha[0], self.early[0]]
        self.out = town.pay(coins, ("evil", 1 * BTC), ("shop", 1 * BTC), ("market", 3 * BTC))
        self.cashed = town.pay([self.out[1]], ("beta", 1 * BTC - FEE))
        write_block_files(folder / "blocks", town.chain.serialized(), REGTEST.magic)
        ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
        self.folder, self.ledger = folder, folder / "ledger"
        self.address = {name: address_of(town.lock(name), REGTEST) for name in NAMES}

    @property
    def listed_utc(self):
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.listed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def tags(self, name="tags.csv", *, evil=True, since=True):
        """A table of tags; without evil, or without the date of its listing."""
        rows = [("alpha", "=Alpha", "exchange", ""), ("beta", "Beta", "exchange", "")]
        if evil:
            rows.append(("evil", "Evil", "sanction", self.listed_utc if since else ""))
        lines = [",".join((self.address[key], *rest)) for key, *rest in rows]
        path = self.folder / name
        path.write_text("\n".join(["address,actor,category,valid_from", *lines]) + "\n", encoding="utf-8")
        return path
