"""Reading a simulated world back: its best chain, and the blocks that lie beside it."""

from pathlib import Path

from cointrail.bitcoin.block import BlockHeader
from cointrail.ingest.block_files import open_folder, scan


def best_chain(world: Path) -> tuple[list[bytes], list[bytes]]:
    """Raw blocks of the best chain by height, as `headers.bin` names them, and the other blocks of the plain files."""
    folder = open_folder(world / "chain" / "plain")
    raws = {}
    for file in folder.files:
        content = file.path.read_bytes()
        for record in scan(folder, file)[0]:
            raws[BlockHeader.parse(record.header).block_hash] = content[record.offset : record.offset + record.size]
    headers = (world / "chain" / "headers.bin").read_bytes()
    hashes = [BlockHeader.parse(headers[at : at + 80]).block_hash for at in range(0, len(headers), 80)]
    return [raws.pop(each) for each in hashes], list(raws.values())
