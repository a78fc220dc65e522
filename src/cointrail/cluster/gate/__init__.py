"""The gate: which transactions are the work of several people together (METHODS.md 3)."""
