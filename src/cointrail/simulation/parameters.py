"""The economy's habits: one set for everyday use and tuning, a second that only `--holdout` draws.

The two share no wallet model, neither of people nor of services, and differ in what people do and how large it is.
Where SCENARIO.md 3 leaves a choice, the choice stands here and in docs/explanation/the-simulator.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.models import (
    COORDINATOR_MODEL,
    FINAL,
    HOLDOUT_MODELS,
    LOCKTIME_ONLY,
    MODELS,
    REPLACEABLE,
    SERVICE_MODEL,
    WalletModel,
)

_P2PKH, _NESTED, _P2WPKH = ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH


@dataclass(frozen=True, slots=True)
class Parameters:
    """Habits of an economy.

    Attributes:
        models: of ordinary wallets.
        services: wallet model of each named service; `mixing` is that of wallets that take part in CoinJoins.
        actions: weight of everything people do.
        least_payment_sat: what people pay at least.
        target_sat: least and most that people like to hold.
        active_percent: people who do most of what is done.
        sweep_hour: when exchanges sweep, UTC.
        batch_seconds: how often a batch of withdrawals is sent.
        fresh_change_percent: how often a hot wallet's change goes to a new script.
        claim_less: one in so many coinbases claims less than it may.
    """

    models: tuple[WalletModel, ...]
    services: Mapping[str, WalletModel]
    actions: Mapping[str, int]
    least_payment_sat: int
    target_sat: tuple[int, int]
    active_percent: int
    sweep_hour: int
    batch_seconds: int
    fresh_change_percent: int
    claim_less: int

    def model(self, name: str) -> WalletModel:
        """The wallet model of a service."""
        return self.services[name]


def _service(name: str, base: WalletModel = SERVICE_MODEL, **habits: object) -> WalletModel:
    return replace(base, name=name, **habits)  # type: ignore[arg-type]


EVERYDAY = Parameters(
    models=MODELS,
    services={
        "Alpha": _service("alpha"),
        "Beta": _service("beta", script_type=_NESTED, version=1, sequence=FINAL, low_r=False),
        "Gamma": _service("gamma", sequence=FINAL, change_position="first", feerate="round"),
        "Heron": _service("heron", lock_time="height", change_position="random"),
        "Quill": _service("quill", bip69=True, change_position="bip69", sequence=LOCKTIME_ONLY),
        "LuckyDice": _service("luckydice", change_position="random", lock_time="height", sequence=LOCKTIME_ONLY),
        "EvenOdds": _service("evenodds", script_type=_P2PKH, version=1, sequence=FINAL, low_r=False, feerate="fixed"),
        "RedBlack": _service("redblack", script_type=_NESTED, change_position="first", low_r=False),
        "Fog": _service("fog", lock_time="height_mostly", change_position="random"),
        "miner": _service("miner", script_type=_P2PKH, version=1, sequence=FINAL, low_r=False),
        "coordinator": COORDINATOR_MODEL,
        "mixing": _service("mixing", COORDINATOR_MODEL, selection="random", change_position="random"),
        "dealer": _service("dealer", lock_time="height"),
    },
    actions={
        "pay": 70,
        "shop": 10,
        "invoice": 22,
        "deposit": 26,
        "bet": 22,
        "withdraw": 34,
        "tidy": 8,
        "move": 4,
        "mix": 1,
        "spend_mixed": 3,
    },
    least_payment_sat=60_000,
    target_sat=(2_000_000, 400_000_000),
    active_percent=60,
    sweep_hour=2,
    batch_seconds=4 * 3_600,
    fresh_change_percent=60,
    claim_less=40,
)

HOLDOUT = Parameters(
    models=HOLDOUT_MODELS,
    services={
        "Alpha": _service("alpha holdout", sequence=FINAL, change_position="first", low_r=False, lock_time="height"),
        "Beta": _service("beta holdout", version=1, change_position="random", feerate="round"),
        "Gamma": _service("gamma holdout", script_type=_NESTED, sequence=REPLACEABLE, lock_time="height_mostly"),
        "Heron": _service("heron holdout", version=1, sequence=FINAL, change_position="first"),
        "Quill": _service("quill holdout", script_type=_NESTED, change_position="random", low_r=False),
        "LuckyDice": _service("luckydice holdout", bip69=True, change_position="bip69", sequence=FINAL),
        "EvenOdds": _service("evenodds holdout", sequence=FINAL, change_position="first", feerate="round"),
        "RedBlack": _service("redblack holdout", script_type=_P2PKH, version=1, lock_time="height"),
        "Fog": _service("fog holdout", version=1, sequence=FINAL, low_r=False),
        "miner": _service("miner holdout", sequence=FINAL, change_position="first"),
        "coordinator": replace(COORDINATOR_MODEL, name="coordinator holdout", version=2),
        "mixing": _service("mixing holdout", COORDINATOR_MODEL, version=2, selection="fifo", change_position="last"),
        "dealer": _service("dealer holdout", version=1, change_position="random"),
    },
    actions={
        "pay": 60,
        "shop": 18,
        "invoice": 14,
        "deposit": 34,
        "bet": 14,
        "withdraw": 38,
        "tidy": 14,
        "move": 2,
        "mix": 1,
        "spend_mixed": 5,
    },
    least_payment_sat=90_000,
    target_sat=(5_000_000, 200_000_000),
    active_percent=40,
    sweep_hour=5,
    batch_seconds=6 * 3_600,
    fresh_change_percent=85,
    claim_less=25,
)
