"""From block files to the ledger: source, active chain, parse, resolve, intern, append, publish. One pass."""
