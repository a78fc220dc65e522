"""Loops over the signs of a transaction: the gate, change rules, wallet fingerprints."""
