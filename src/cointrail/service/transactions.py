"""What did this transaction spend and pay?"""

from collections.abc import Sequence

import numpy as np

from cointrail.bitcoin.hashes import display
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.answers import InputAnswer, OutputAnswer, SpenderName, TransactionAnswer
from cointrail.service.names import (
    address_or_none,
    block_time,
    find_transaction,
    outpoint_of,
    script_of_output,
    snapshot_name,
    txid_of,
)
from cointrail.service.prices.beside import Beside


def transaction(reader: Reader, txid: str, *, worth: Beside | None = None) -> TransactionAnswer:
    """A transaction by its txid; of two coinbases that share one (BIP30), the later.

    Args:
        reader: the ledger at a snapshot.
        txid: as the node displays it.
        worth: values amounts in money, at the time of the transaction's block; nothing if not given.

    Raises:
        InputRefused: not a txid.
        NotFound: not in this snapshot.
    """
    found = find_transaction(reader, txid)
    tx_index = found[-1]
    height = int(reader.height_of_transactions(tx_index))
    size, weight = (int(reader.column("transaction", name)[tx_index]) for name in ("size", "weight"))
    inputs, outputs = reader.inputs_of(tx_index), reader.outputs_of(tx_index)
    coinbase = reader.is_coinbase(tx_index)
    fee_sat = 0 if coinbase else _value(reader, _spent(reader, inputs)) - _value(reader, outputs)
    worth = worth or Beside(reader)
    return TransactionAnswer(
        txid=txid.lower(),
        height=height,
        block_hash=display(reader.block_hash(height)),
        time_utc=block_time(reader, height),
        confirmations=reader.height - height + 1,
        coinbase=coinbase,
        fee_sat=fee_sat,
        size=size,
        weight=weight,
        vsize=-(-weight // 4),
        version=int(reader.column("transaction", "version")[tx_index]),
        lock_time=int(reader.column("transaction", "lock_time")[tx_index]),
        inputs=tuple(_input(reader, number, at, height, worth) for number, at in enumerate(inputs)),
        outputs=_outputs(reader, outputs, height, worth),
        heights=tuple(int(each) for each in reader.height_of_transactions(found)),
        snapshot=snapshot_name(reader),
        fee_fiat=worth.at(None if coinbase else fee_sat, height),
        prices=worth.prices,
    )


def _spent(reader: Reader, inputs: range) -> Sequence[int]:
    spent: list[int] = reader.column("input", "output")[inputs.start : inputs.stop].tolist()
    return spent


def _value(reader: Reader, outputs: Sequence[int]) -> int:
    return int(reader.column("output", "value_sat")[np.array(outputs, np.int64)].sum())


def _input(reader: Reader, vin: int, input_index: int, height: int, worth: Beside) -> InputAnswer:
    spent = int(reader.column("input", "output")[input_index])
    sequence = int(reader.column("input", "sequence")[input_index])
    if spent == NONE:
        return InputAnswer(vin, None, None, None, None, None, sequence)
    script, value_sat = script_of_output(reader, spent), int(reader.column("output", "value_sat")[spent])
    return InputAnswer(
        vin=vin,
        outpoint=outpoint_of(reader, spent),
        value_sat=value_sat,
        address=address_or_none(reader, script),
        script_type=reader.script_type(int(reader.column("output", "script")[spent])).label,
        script_pubkey=script.hex(),
        sequence=sequence,
        fiat=worth.at(value_sat, height),
    )


def _outputs(reader: Reader, outputs: range, height: int, worth: Beside) -> tuple[OutputAnswer, ...]:
    rows = np.array(outputs, np.int64)
    spenders, live = reader.spenders(rows), reader.unspent(rows)
    overwritten = reader.overwritten(rows)
    answers = []
    for vout, output in enumerate(outputs):
        script = script_of_output(reader, output)
        spender, value_sat = int(spenders[vout]), int(reader.column("output", "value_sat")[output])
        answers.append(
            OutputAnswer(
                vout=vout,
                value_sat=value_sat,
                address=address_or_none(reader, script),
                script_type=reader.script_type(int(reader.column("output", "script")[output])).label,
                script_pubkey=script.hex(),
                spender=_spender(reader, spender) if spender != NONE else None,
                state="spent"
                if spender != NONE
                else "unspent"
                if live[vout]
                else "overwritten"
                if overwritten[vout]
                else "unspendable",
                fiat=worth.at(value_sat, height),
            )
        )
    return tuple(answers)


def _spender(reader: Reader, input_index: int) -> SpenderName:
    tx_index = int(reader.transaction_of_inputs(input_index))
    return SpenderName(txid_of(reader, tx_index), input_index - reader.inputs_of(tx_index).start)
