"""Flows of value through the chain: forward to where it went, backward to where it came from, under named policies.

Works on ids over the rows of a ledger and returns frozen results in integer satoshi. A policy is a convention about
who bears a transaction's mixture, not a finding of guilt: print its name, and other conventions beside it
(METHODS.md 4).
"""
