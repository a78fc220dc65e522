"""Commands about the ledger and the facts in it."""
