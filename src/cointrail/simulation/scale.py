"""How large a world is (SCENARIO.md 1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """One row of the scenario's table of scales.

    Attributes:
        name: small, standard or large.
        transactions: aimed at, within a tenth.
        weeks: time covered after the prelude.
        spacing: seconds between blocks.
        derived_addresses: market addresses derived from the account key in advance.
        legacy_addresses: market addresses of the legacy key pool.
        used_addresses: market addresses that are paid.
        buyers: people who buy.
        market_weeks: weeks the market runs.
        sweeps_with_change: sweeps that keep a change output; sweeps_exact: sweeps that leave nothing.
        coinjoined_deposits: deposits swept through a CoinJoin.
        people: ordinary wallets.
        payjoins: background PayJoins.
        wasabi1, wasabi2, whirlpool, joinmarket: background CoinJoins.
        merchant_addresses: addresses of the merchant.
        decoys: decoy strings in the seized media; noise_bytes: noise in the disk image.
    """

    name: str
    transactions: int
    weeks: int
    spacing: int
    derived_addresses: int
    legacy_addresses: int
    used_addresses: int
    buyers: int
    market_weeks: int
    sweeps_with_change: int
    sweeps_exact: int
    coinjoined_deposits: int
    people: int
    payjoins: int
    wasabi1: int
    wasabi2: int
    whirlpool: int
    joinmarket: int
    merchant_addresses: int
    decoys: int
    noise_bytes: int

    @property
    def blocks(self) -> int:
        """Blocks after the prelude."""
        return self.weeks * 7 * 86_400 // self.spacing


SMALL = Scale(
    name="small",
    transactions=20_000,
    weeks=26,
    spacing=4 * 3_600,
    derived_addresses=4_900,
    legacy_addresses=100,
    used_addresses=500,
    buyers=60,
    market_weeks=20,
    sweeps_with_change=14,
    sweeps_exact=6,
    coinjoined_deposits=2,
    people=60,
    payjoins=10,
    wasabi1=3,
    wasabi2=3,
    whirlpool=12,
    joinmarket=6,
    merchant_addresses=40,
    decoys=1_000,
    noise_bytes=5_000_000,
)
STANDARD = Scale(
    name="standard",
    transactions=300_000,
    weeks=52,
    spacing=3_600,
    derived_addresses=128_000,
    legacy_addresses=2_000,
    used_addresses=5_000,
    buyers=300,
    market_weeks=44,
    sweeps_with_change=31,
    sweeps_exact=13,
    coinjoined_deposits=12,
    people=200,
    payjoins=150,
    wasabi1=20,
    wasabi2=20,
    whirlpool=150,
    joinmarket=60,
    merchant_addresses=400,
    decoys=10_000,
    noise_bytes=100_000_000,
)
LARGE = Scale(
    name="large",
    transactions=1_200_000,
    weeks=52,
    spacing=600,
    derived_addresses=1_298_000,
    legacy_addresses=2_000,
    used_addresses=5_000,
    buyers=300,
    market_weeks=44,
    sweeps_with_change=31,
    sweeps_exact=13,
    coinjoined_deposits=12,
    people=2_000,
    payjoins=600,
    wasabi1=100,
    wasabi2=100,
    whirlpool=800,
    joinmarket=300,
    merchant_addresses=400,
    decoys=10_000,
    noise_bytes=1_000_000_000,
)
SCALES = {scale.name: scale for scale in (SMALL, STANDARD, LARGE)}
