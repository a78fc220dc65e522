"""From many rows of a ledger to the names that mean the same on every machine, column by column."""

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import NETWORKS
from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]


class Names:
    """Names of rows of one reader.

    Args:
        reader: the ledger at a snapshot.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._network = NETWORKS[reader.snapshot.network]
        self._addresses: dict[int, str] = {}

    def txids(self, tx_index: I64) -> list[str]:
        """Displayed txids."""
        raw = np.ascontiguousarray(self.reader.column("transaction", "txid")[tx_index, ::-1]).tobytes().hex()
        return [raw[at : at + 64] for at in range(0, len(raw), 64)]

    def keys(self, tx_index: I64) -> list[str]:
        """Txids, and the height behind one that a later transaction has, too (BIP30): no two names are the same."""
        texts = self.txids(tx_index)
        latest = self.reader.find_latest_transactions(self.reader.column("transaction", "txid")[tx_index])
        for row in np.flatnonzero(latest != tx_index).tolist():
            texts[row] += f"@{int(self.reader.height_of_transactions(tx_index[row]))}"
        return texts

    def heights(self, tx_index: I64) -> I64:
        """Heights of transactions, int64."""
        return self.reader.height_of_transactions(tx_index)

    def times(self, tx_index: I64) -> list[str]:
        """Miner-declared times of their blocks, ISO 8601 with Z."""
        seconds = self.reader.column("block", "time")[self.heights(tx_index)].astype("datetime64[s]")
        return [f"{each}Z" for each in np.datetime_as_string(seconds).tolist()]

    def places(self, output_index: I64) -> tuple[I64, I64]:
        """(transaction, vout) of outputs, int64."""
        tx_index = self.reader.transaction_of_outputs(output_index)
        return tx_index, output_index - np.asarray(
            self.reader.column("transaction", "first_output")[tx_index], np.int64
        )

    def outpoints(self, output_index: I64) -> list[str]:
        """Displayed `txid:vout`, of a transaction's `keys`."""
        tx_index, vouts = self.places(output_index)
        return [f"{txid}:{vout}" for txid, vout in zip(self.keys(tx_index), vouts.tolist(), strict=True)]

    def values(self, output_index: I64) -> I64:
        """Values in satoshi, int64."""
        return np.asarray(self.reader.column("output", "value_sat")[output_index], np.int64)

    def scripts(self, output_index: I64) -> I64:
        """The script_id of outputs, int64."""
        return np.asarray(self.reader.column("output", "script")[output_index], np.int64)

    def script_types(self, output_index: I64) -> list[str]:
        """Types of their scripts, by name."""
        return [self.reader.script_type(script).label for script in self.scripts(output_index).tolist()]

    def addresses(self, output_index: I64) -> list[str]:
        """Addresses, empty where the script has none."""
        known, found = self._addresses, []
        for script in self.scripts(output_index).tolist():
            if script not in known:
                known[script] = address_of(self.reader.script_pubkey(script), self._network) or ""
            found.append(known[script])
        return found
