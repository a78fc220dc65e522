"""The numbers of METHODS.md 3.1 about CoinJoins. Values in satoshi.

The readable detectors take them from here, the compiled ones as an argument: a command that asks for one verdict needs
no kernels. A change of a number is a new version of the rule it belongs to.
"""

DUST_SAT = 2_730
"""JoinMarket, generic: values up to this carry a protocol and are no amounts."""
LEAST_EQUAL = 3
"""JoinMarket, Wasabi 1, generic: fewest equal outputs; Wasabi 2: fewest repeated values."""

TOKEN_SAT = (546, 2_730)
"""BlockSci flag: values that tokens carry."""

JOINMARKET_LARGE = 50
"""Inputs from which on a JoinMarket transaction must also keep the two ratios below."""
JOINMARKET_INPUTS_EACH = 20
JOINMARKET_OUTPUTS_EACH = (17, 10)

WASABI1_LEAST_INPUTS = 10
WASABI1_SAT = 10_000_000
WASABI1_ROOM_SAT = 500_000
WASABI1_ROOM_SHARE = 20
"""A level of Wasabi 1.1 reaches one in this many of it to either side."""
WASABI1_SCRIPTS_EACH = 7
ONE_SCRIPT_SHARE = 10
"""Wasabi: at most one in this many inputs spends the commonest script."""

WASABI2_LEAST_INPUTS = (20, 15, 10)
"""graphsense, Dumplings, relaxed."""
WASABI2_LEAST_SAT = 5_000
WASABI2_MOST_SAT = 134_375_000_000
WASABI2_SHARE = (4, 5)
"""Of the outputs are denominations: more than this share (Dumplings), at least this share (relaxed)."""

WHIRLPOOL_LEAST, WHIRLPOOL_MOST = 5, 10
WHIRLPOOL_POOLS_SAT = (100_000, 1_000_000, 5_000_000, 50_000_000, 2_500_000, 25_000_000)
"""Samourai's four pools, then Ashigaru's two."""
WHIRLPOOL_ROOM_SAT = 110_000

TX0_POOLS_SAT = ((100_000, 5_000), (1_000_000, 50_000), (5_000_000, 175_000), (50_000_000, 1_750_000))
"""Pool and fee."""
TX0_LEAST_ROOM_SAT, TX0_MOST_ROOM_SAT = 100, 110_000
TX0_MOST_EQUAL = 70
TX0_OTHERS = 2

STONEWALL_OUTPUTS = (3, 4)
STONEWALL_LEAST_SAT = 5_000

OTHER_EQUAL_FEE_SAT = 10_000
"""Dumplings' other equal-output transactions: the largest input pays at least this as its fee."""


def wabisabi_denominations() -> tuple[int, ...]:
    """The standard amounts of Wasabi 2, ascending: 2^k, 3^k, 2 x 3^k, 10^k, 2 x 10^k, 5 x 10^k within the limits."""
    series = ((1, 2), (1, 3), (2, 3), (1, 10), (2, 10), (5, 10))
    every = {factor * base**exponent for factor, base in series for exponent in range(WASABI2_MOST_SAT.bit_length())}
    return tuple(sorted(value for value in every if WASABI2_LEAST_SAT <= value <= WASABI2_MOST_SAT))
