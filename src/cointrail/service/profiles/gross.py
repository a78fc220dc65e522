"""What a wallet received and spent, gross, in money: each output at the time at which it came or went."""

from cointrail.profile.moves import Selection
from cointrail.service.prices.beside import Beside
from cointrail.service.worth import FiatTotal


def gross_worth(worth: Beside, found: Selection) -> tuple[FiatTotal | None, FiatTotal | None]:
    """(received, spent): outputs at the time of the block that made, or spent, each; None if money was not asked for.

    Args:
        worth: values amounts.
        found: the transactions of a wallet that count.
    """
    if worth.prices is None:
        return None, None
    values, touched = found.moves.values, found.touched
    received = worth.total_at(values[found.made], touched.height[touched.made_at[found.made]])
    return received, worth.total_at(values[found.spent], touched.height[touched.spent_at[found.spent]])
