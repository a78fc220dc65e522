"""Who takes part in the economy: SCENARIO.md 3, one module a kind of actor."""
