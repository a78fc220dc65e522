"""The clusters of level L1: grown with the ledger, read at a snapshot, built again to check them."""
