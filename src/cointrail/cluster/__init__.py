"""Evidence of common control, as clusters of scripts that a stranger can check.

Works on ids over the rows of a ledger and returns frozen results. Nothing here formats an address, reads a setting or
knows a tag: L1 never takes tags, otherwise a tag could prove itself (METHODS.md, section on rooms).
"""
