"""Overlays: what a person believes or does not believe for one case, beside the ledger and never in it."""
