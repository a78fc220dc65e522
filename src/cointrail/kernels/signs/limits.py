"""The numbers that the compiled detectors decide by, handed to them: they belong to the rules, not to the loops.

Names and values are those of `cluster.gate.limits`, which says what each is for. The type stands here, because compiled
code is kept by the source of the kernels and knows a field by its place.
"""

from typing import NamedTuple

Three = tuple[int, int, int]
Two = tuple[int, int]


class Limits(NamedTuple):
    """Values in satoshi where the name says so; counts and shares else."""

    dust_sat: int
    least_equal: int
    token_sat: Two
    joinmarket_large: int
    joinmarket_inputs_each: int
    joinmarket_outputs_each: Two
    wasabi1_least_inputs: int
    wasabi1_sat: int
    wasabi1_room_sat: int
    wasabi1_room_share: int
    wasabi1_scripts_each: int
    one_script_share: int
    wasabi2_least_inputs: Three
    wasabi2_least_sat: int
    wasabi2_share: Two
    whirlpool_least: int
    whirlpool_most: int
    whirlpool_pools_sat: tuple[int, ...]
    whirlpool_room_sat: int
    tx0_pools_sat: tuple[Two, ...]
    tx0_least_room_sat: int
    tx0_most_room_sat: int
    tx0_most_equal: int
    tx0_others: int
    stonewall_outputs: Two
    stonewall_least_sat: int
    other_equal_fee_sat: int
