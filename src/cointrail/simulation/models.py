"""Wallet models: how a kind of wallet software writes transactions (METHODS.md 10.2).

Twelve models are for everyday use and tuning; four more, of other habits, are drawn only with `--holdout`. The names
are invented; the habits are those of published wallets' documentation and of the fingerprinting literature.
"""

from dataclasses import dataclass
from typing import Literal

from cointrail.bitcoin.script import ScriptType

Selection = Literal["branch_and_bound", "largest_first", "fifo", "random", "smallest_first", "consolidate"]
ChangePosition = Literal["first", "last", "random", "bip69"]
LockTime = Literal["zero", "height", "height_mostly"]
ChangeType = Literal["own", "match_payment"]
Feerate = Literal["round", "estimate", "fixed"]

FINAL = 0xFFFFFFFF
LOCKTIME_ONLY = 0xFFFFFFFE
REPLACEABLE = 0xFFFFFFFD


@dataclass(frozen=True, slots=True)
class WalletModel:
    """Habits of a wallet program.

    Attributes:
        name: its name in the truth tables.
        script_type: of receiving scripts; P2SH stands for P2SH-P2WPKH.
        change_type: `own`, or `match_payment` to imitate the payment's script type where it can.
        version, sequence: of every transaction and input.
        lock_time: zero, the tip's height, or the height with an occasional earlier one.
        change_position: where the change stands.
        bip69: True to sort inputs and outputs.
        selection: how coins are chosen.
        low_r: True if signatures are ground for a small R.
        compressed: False for uncompressed public keys (legacy scripts only).
        reuse_percent: how often change goes back to a script that was used.
        round_percent: how often a payment is a round amount.
        feerate: how the fee rate is found.
        sends_max_percent: how often it empties itself instead of making change.
    """

    name: str
    script_type: ScriptType
    change_type: ChangeType = "own"
    version: int = 2
    sequence: int = REPLACEABLE
    lock_time: LockTime = "height"
    change_position: ChangePosition = "random"
    bip69: bool = False
    selection: Selection = "branch_and_bound"
    low_r: bool = True
    compressed: bool = True
    reuse_percent: int = 0
    round_percent: int = 30
    feerate: Feerate = "estimate"
    sends_max_percent: int = 3


_P2PKH, _NESTED, _P2WPKH, _P2TR = ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH, ScriptType.P2TR

MODELS = (
    WalletModel("anvil", _P2WPKH, lock_time="height_mostly"),
    WalletModel("birch", _P2WPKH, change_type="match_payment", lock_time="height_mostly"),
    WalletModel("cedar", _NESTED, version=1, sequence=FINAL, lock_time="zero", change_position="last", low_r=False,
                selection="largest_first"),
    WalletModel("drift", _P2WPKH, sequence=REPLACEABLE, bip69=True, change_position="bip69", selection="random"),
    WalletModel("ember", _P2PKH, version=1, sequence=FINAL, lock_time="zero", change_position="last", low_r=False,
                reuse_percent=80, selection="fifo", feerate="fixed"),
    WalletModel("fjord", _P2PKH, version=1, sequence=FINAL, lock_time="zero", change_position="first", low_r=False,
                compressed=False, selection="fifo", reuse_percent=100, feerate="fixed", round_percent=60),
    WalletModel("grove", _P2TR, change_position="random", selection="branch_and_bound", lock_time="height"),
    WalletModel("harbor", _P2WPKH, version=1, sequence=FINAL, lock_time="zero", change_position="last",
                selection="largest_first", feerate="round"),
    WalletModel("islet", _P2WPKH, sequence=LOCKTIME_ONLY, lock_time="height", change_position="random",
                selection="smallest_first", low_r=False),
    WalletModel("junco", _NESTED, sequence=REPLACEABLE, lock_time="height", bip69=True, change_position="bip69",
                selection="consolidate", low_r=False),
    WalletModel("kelp", _P2TR, version=2, sequence=REPLACEABLE, lock_time="zero", change_position="last",
                selection="random", round_percent=10),
    WalletModel("larch", _P2PKH, version=2, sequence=LOCKTIME_ONLY, lock_time="height", change_position="random",
                selection="largest_first", reuse_percent=10),
)  # fmt: skip

HOLDOUT_MODELS = (
    WalletModel("maple", _P2WPKH, version=2, sequence=FINAL, lock_time="height", change_position="first",
                selection="largest_first", low_r=False, round_percent=45),
    WalletModel("noria", _NESTED, version=2, sequence=LOCKTIME_ONLY, lock_time="height_mostly", low_r=True,
                selection="smallest_first", change_type="match_payment"),
    WalletModel("otter", _P2TR, version=1, sequence=FINAL, lock_time="zero", change_position="first",
                selection="fifo", reuse_percent=25, feerate="round"),
    WalletModel("piers", _P2PKH, version=1, sequence=REPLACEABLE, lock_time="height", bip69=True,
                change_position="bip69", selection="random", low_r=True, reuse_percent=40, round_percent=20),
)  # fmt: skip

SERVICE_MODEL = WalletModel(
    "service", _P2WPKH, sequence=REPLACEABLE, lock_time="zero", change_position="last", selection="largest_first",
    sends_max_percent=0, round_percent=0,
)  # fmt: skip
COORDINATOR_MODEL = WalletModel("coordinator", _P2WPKH, version=1, sequence=FINAL, lock_time="zero", low_r=True)
