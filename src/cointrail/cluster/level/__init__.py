"""Levels above L1: clusters joined by inferences that also read later rows, as a view over the L1 forest.

Nothing here is merged into the ledger: a view is a function of snapshot, edges and guards (METHODS.md 1.2, 2.3-2.6).
"""
