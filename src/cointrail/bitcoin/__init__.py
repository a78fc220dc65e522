"""The protocol room: blocks, transactions, scripts and addresses as values.

Everything here is a pure function from bytes to values or back: no files, no clock, no network, no randomness.
Identifiers (txid, block hash) are 32 bytes in internal order; the reversed hex that people read is made by
`cointrail.bitcoin.hashes.display` and nowhere else.
"""
