"""The consensus kernel of Bitcoin Core (py-bitcoinkernel, `import pbk`) as judge of regtest blocks.

The verdict on a block comes from the kernel's own check and its reason from the kernel's log: the return value of
`process_block` is True for blocks that break a rule of value. Nothing here uses the parser under test.
"""

import contextlib
import ctypes
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

VALID = "valid"
STORED = "stored"
DUPLICATE = "duplicate"
UNREADABLE = "unreadable"

_CONNECT_FAILED = re.compile(r"ConnectBlock ([0-9a-f]{64}) failed, ([a-z0-9-]+)")
_ACCEPT_FAILED = re.compile(r"ProcessNewBlock: AcceptBlock FAILED \(([a-z0-9-]+)")


class SpentOutput(NamedTuple):
    """An output as the kernel's undo data or its unspent set knows it."""

    value_sat: int
    script_pubkey: bytes
    height: int
    is_coinbase: bool


class TransactionIds(NamedTuple):
    """Ids of a transaction, internal order."""

    txid: bytes
    wtxid: bytes


def kernel() -> ModuleType:
    """Give the module `pbk`, or skip the test with a visible reason."""
    reason = "py-bitcoinkernel cannot be imported: no consensus kernel to judge blocks"
    module: ModuleType = pytest.importorskip("pbk", reason=reason, exc_type=ImportError)
    return module


class Judge:
    """A chainstate of the kernel in a folder of its own.

    The databases live in memory, the block files are genuine. After `close` the files stay until the judge is left
    as a context manager, is collected, or, if the caller gave the folder, for good.

    Attributes:
        verdicts: the last verdict the kernel gave on each block, by block hash.
        connected: hashes of the blocks that joined the best chain, in order, repeats included.
        disconnected: hashes of the blocks that left it, in order.
        blocks_folder: holds blk00000.dat, rev00000.dat and xor.dat; complete once the judge is closed.
    """

    def __init__(self, folder: Path | None = None, *, reindex: bool = False) -> None:
        """Start a kernel.

        Args:
            folder: data directory; by default a temporary one.
            reindex: read the block files that lie in `folder / "blocks"`, as `bitcoind -reindex` does.
        """
        self._pbk = kernel()
        self.folder = Path(tempfile.mkdtemp(prefix="judge-")) if folder is None else folder
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        if folder is not None:
            self._remove.detach()
        self.blocks_folder = self.folder / "blocks"
        self.verdicts: dict[bytes, str] = {}
        self.connected: list[bytes] = []
        self.disconnected: list[bytes] = []
        self._listening = False
        self._log: list[str] = []
        self._failures: dict[bytes, str] = {}
        log_connection = self._pbk.LoggingConnection(cb=_forwarder(weakref.ref(self)))
        self._manager: Any = self._start(reindex=reindex)
        # Also at exit: the kernel must not log into an interpreter that is going away.
        self._release = weakref.finalize(self, _release, self._manager, log_connection)

    def _start(self, *, reindex: bool) -> Any:
        pbk, me = self._pbk, weakref.ref(self)
        callbacks = pbk.ValidationInterfaceCallbacks(
            block_checked=lambda _, block, state: _checked(me, bytes(block.block_hash), state),
            block_connected=lambda _, block, entry: _append(me, "connected", bytes(block.block_hash)),
            block_disconnected=lambda _, block, entry: _append(me, "disconnected", bytes(block.block_hash)),
        )
        context = pbk.make_context(pbk.ChainType.REGTEST, callbacks)
        options = pbk.ChainstateManagerOptions(context, str(self.folder.absolute()), str(self.blocks_folder.absolute()))
        options.set_worker_threads_num(0)
        options.update_block_tree_db_in_memory(block_tree_db_in_memory=True)
        options.update_chainstate_db_in_memory(chainstate_db_in_memory=True)
        if reindex:
            options.set_wipe_dbs(wipe_block_tree_db=True, wipe_chainstate_db=True)
        manager = pbk.ChainstateManager(options)
        if reindex:
            with self._log_of_kernel():
                manager.import_blocks([])
                self._settle()
        return manager

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._remove()

    def close(self) -> None:
        """Flush and release the kernel; the files stay. Closing twice does nothing."""
        self._manager = None
        self._release()

    @property
    def manager(self) -> Any:
        """The pbk ChainstateManager.

        Raises:
            RuntimeError: the judge is closed.
        """
        if self._manager is None:
            raise RuntimeError("the judge is closed")
        return self._manager

    def submit(self, raw: bytes) -> str:
        """Give a serialized block to the kernel.

        Returns:
            "valid" if it joined the best chain; the reject reason, such as "bad-txns-inputs-missingorspent";
            "stored" if it lies on a branch that the kernel has no reason to connect yet; "duplicate" if the kernel
            has it already; "unreadable" if the bytes are not a block. When a branch connects later, `verdicts` of
            its blocks change.
        """
        block_hash = _double_sha256(raw[:80])
        array = (ctypes.c_ubyte * len(raw)).from_buffer_copy(raw)
        bindings = self._pbk.capi.bindings
        with self._log_of_kernel():
            pointer = bindings.btck_block_create(array, len(raw))
            if not pointer:
                return UNREADABLE
            try:
                is_new = self.manager.process_block(self._pbk.Block._from_handle(pointer))
            except self._pbk.ProcessBlockException:
                is_new = True
                self._failures.setdefault(block_hash, "refused")
            for message in self._log:
                if match := _ACCEPT_FAILED.search(message):
                    self._failures[block_hash] = match[1]
            self._settle()
        return self.verdicts.setdefault(block_hash, STORED) if is_new else DUPLICATE

    def submit_all(self, blocks: Sequence[bytes]) -> list[str]:
        """Submit blocks in order and give their verdicts."""
        return [self.submit(raw) for raw in blocks]

    def submit_header(self, raw: bytes) -> bool:
        """Give an 80-byte header to the kernel; True if it is acceptable. Its block may then come in any order."""
        header = self._pbk.BlockHeader(raw)
        try:
            state = self.manager.process_block_header(header)
        except self._pbk.ProcessBlockHeaderException:
            return False
        return bool(state.validation_mode == self._pbk.ValidationMode.VALID)

    def active_chain(self) -> list[bytes]:
        """Hashes of the best chain from genesis to the tip, internal order."""
        return [bytes(entry.block_hash) for entry in self.manager.get_active_chain().block_tree_entries]

    @property
    def tip(self) -> bytes:
        """Hash of the best chain's last block."""
        return bytes(self.manager.get_active_chain().block_tree_entries[-1].block_hash)

    def block_bytes(self, block_hash: bytes) -> bytes:
        """A block as the kernel reads it from its files."""
        return bytes(self.manager.blocks[self._entry(block_hash)])

    def spent_outputs(self, block_hash: bytes) -> list[list[SpentOutput]]:
        """What each transaction but the coinbase spends, by input, from the kernel's undo data."""
        undo = self.manager.block_spent_outputs[self._entry(block_hash)]
        return [[_spent_output(coin) for coin in transaction.coins] for transaction in undo.transactions]

    def transaction_ids(self, block_hash: bytes) -> list[TransactionIds]:
        """Ids of a block's transactions; the wtxid is the hash of the bytes that the kernel serializes."""
        block = self.manager.blocks[self._entry(block_hash)]
        return [TransactionIds(bytes(tx.txid), _double_sha256(bytes(tx))) for tx in block.transactions]

    def unspent(self) -> dict[tuple[bytes, int], SpentOutput]:
        """The unspent outputs of the best chain by (txid, vout), replayed from the kernel's blocks and undo data.

        Genesis and unspendable scripts (OP_RETURN first, or above 10,000 bytes) are left out, as in Core.

        Raises:
            AssertionError: an input spends something else than the undo data says.
        """
        unspent: dict[tuple[bytes, int], SpentOutput] = {}
        for height, block_hash in enumerate(self.active_chain()):
            if height:
                self._replay(unspent, height, block_hash)
        return unspent

    def _replay(self, unspent: dict[tuple[bytes, int], SpentOutput], height: int, block_hash: bytes) -> None:
        """Apply one block to the unspent outputs."""
        spent = iter(self.spent_outputs(block_hash))
        for number, tx in enumerate(self.manager.blocks[self._entry(block_hash)].transactions):
            if number:
                for spender, output in zip(tx.inputs, next(spent), strict=True):
                    taken = unspent.pop((bytes(spender.out_point.txid), spender.out_point.index))
                    assert taken == output, f"undo data differ at height {height}, transaction {number}"
            txid = bytes(tx.txid)
            for vout, created in enumerate(tx.outputs):
                script = bytes(created.script_pubkey)
                if script[:1] != b"\x6a" and len(script) <= 10_000:
                    unspent[txid, vout] = SpentOutput(created.amount, script, height, is_coinbase=number == 0)

    def _entry(self, block_hash: bytes) -> Any:
        return self.manager.block_tree_entries[self._pbk.BlockHash(block_hash)]

    @contextlib.contextmanager
    def _log_of_kernel(self) -> Iterator[None]:
        """Collect the kernel's log while the block runs; other judges of the process do not listen meanwhile."""
        self._log.clear()
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def _settle(self) -> None:
        """Turn the failures seen into verdicts, with the reason that the log gives."""
        for message in self._log:
            if match := _CONNECT_FAILED.search(message):
                self._failures[bytes.fromhex(match[1])[::-1]] = match[2]
        self.verdicts.update(self._failures)
        self._failures.clear()


def _release(manager: Any, log_connection: Any) -> None:
    """Destroy the kernel's objects now, whoever else refers to them; the log goes last."""
    manager.__exit__(None, None, None)
    log_connection.__exit__(None, None, None)


def _checked(reference: weakref.ref[Judge], block_hash: bytes, state: Any) -> None:
    """Note the kernel's verdict; a failure's reason follows in the log."""
    judge = reference()
    if judge is None:
        return
    if state.validation_mode.name == "VALID":
        judge.verdicts[block_hash] = VALID
    else:
        judge._failures[block_hash] = state.block_validation_result.name.lower()


def _append(reference: weakref.ref[Judge], name: str, block_hash: bytes) -> None:
    judge = reference()
    if judge is not None:
        getattr(judge, name).append(block_hash)


def _forwarder(reference: weakref.ref[Judge]) -> Any:
    """A log callback that does not keep the judge alive."""

    def forward(message: str) -> None:
        judge = reference()
        if judge is not None and judge._listening:
            judge._log.append(message)

    return forward


def _spent_output(coin: Any) -> SpentOutput:
    output = coin.output
    return SpentOutput(output.amount, bytes(output.script_pubkey), coin.confirmation_height, coin.is_coinbase)


def _double_sha256(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()
