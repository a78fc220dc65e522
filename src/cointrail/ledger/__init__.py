"""The ledger: append-only, memory-mapped columns of one chain. The only owner of chain data on disk.

A snapshot is a number: everything beyond its row counts does not exist for its reader. See
`docs/reference/store-format.md`, which is generated from `ledger.schema`.
"""
