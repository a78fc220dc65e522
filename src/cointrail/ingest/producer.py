"""The first half of the pipeline, in a thread of its own: read, parse, hash and check blocks, one batch ahead."""

from collections.abc import Iterator, Sequence
from queue import Queue
from threading import Event, Thread
from typing import Any

from cointrail.ingest.block_files import BlockFolder, Record
from cointrail.ingest.faults import BadBlock
from cointrail.ingest.parsed import ParsedBlocks, parse
from cointrail.ingest.raw_blocks import BlockSource
from cointrail.ingest.structure import check_structure
from cointrail.ingest.timing import Stages

_MOST_BLOCKS = 4_000


class Producer:
    """Batches of parsed blocks. A context manager that gives an iterator; a `BadBlock` comes as an item, last.

    Args:
        folder: the block files.
        records: where the block of each height lies.
        first: the height to begin at.
        batch_bytes: block bytes of a batch.
        stages: where times are added.
    """

    def __init__(
        self, folder: BlockFolder, records: Sequence[Record], first: int, batch_bytes: int, stages: Stages
    ) -> None:
        self._folder, self._records, self._first = folder, records, first
        self._batch_bytes, self._stages = batch_bytes, stages
        self._queue: Queue[Any] = Queue(maxsize=1)
        self._stopped = Event()
        self._thread = Thread(target=self._work, name="cointrail-parse", daemon=True)

    def __enter__(self) -> Iterator[ParsedBlocks | BadBlock]:
        self._thread.start()
        return self._batches()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            if not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(0.01)

    def _batches(self) -> Iterator[ParsedBlocks | BadBlock]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException) and not isinstance(item, BadBlock):
                raise item
            yield item

    def _work(self) -> None:
        try:
            with BlockSource(self._folder) as source:
                height = self._first
                while height < len(self._records) and not self._stopped.is_set():
                    end = self._end_of_batch(height)
                    with self._stages.measure("read"):
                        raw = source.read(self._records[height:end], height)
                    parsed = parse(raw, self._stages)
                    with self._stages.measure("structure"):
                        check_structure(parsed, self._folder.network)
                    self._queue.put(parsed)
                    height = end
            self._queue.put(None)
        except BaseException as error:  # the other thread raises it
            self._queue.put(error)

    def _end_of_batch(self, first: int) -> int:
        end, size = first, 0
        while end < len(self._records) and size < self._batch_bytes and end - first < _MOST_BLOCKS:
            size += self._records[end].size
            end += 1
        return end
