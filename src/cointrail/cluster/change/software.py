"""Family F1, software: change is spent by the program that made it, so by a transaction of the same form.

Rules C4, C9 to C13, C15 and C21 of METHODS.md 2.2. C4 and C21 are static; the others compare with the spender, so they
cannot rule out what is not spent. What one side does not show (signatures, keys, an order) rules nothing out either.
Page: docs/methods/change-software.md.
"""

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.change.rule import Keep
from cointrail.cluster.fingerprint import U64


def only_type(context: Context) -> Mask:
    """C4: all inputs have one script type, and it is the only output of that type."""
    least, most = context.least_of_inputs(context.input_type), -context.least_of_inputs(-context.input_type)
    owner = context.outputs.owner
    same = context.script_type == least[owner]
    alone = (least == most) & (context.count(same) == 1)
    return np.asarray(same & alone[owner], np.bool_)


def same_field(name: str, width: int, *, unknown: tuple[int, ...] = ()) -> Keep:
    """The spender's word has the same field.

    Args:
        name: a field of `kernels.fingerprint`; `VERSION` for the low 32 bits.
        width: of the field in bits.
        unknown: values that say nothing; such an item or spender rules nothing out.
    """

    def keep(context: Context) -> Mask:
        mine = _field(context.own[0], name, width)[context.outputs.owner]
        theirs = _field(context.next[0], name, width)
        agree = mine == theirs
        for value in unknown:
            agree |= (mine == value) | (theirs == value)
        return np.asarray(agree | ~context.spent, np.bool_)

    return keep


def known_position(context: Context) -> Mask:
    """C21: it stands where the identified program puts its change."""
    if context.change_position is None:
        return np.zeros(len(context.outputs.row), np.bool_)
    owner, row = context.outputs
    position = row - context.rows.output_bounds(context.tx_index)[0][owner]
    return np.asarray(position == context.change_position[owner], np.bool_)


def _field(words: U64, name: str, width: int) -> npt.NDArray[np.uint64]:
    from cointrail.kernels.signs import fingerprint

    shift = 0 if name == "VERSION" else int(getattr(fingerprint, name))
    return (words >> np.uint64(shift)) & np.uint64((1 << width) - 1)
