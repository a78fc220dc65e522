"""Why two scripts are in one cluster: steps that a stranger can check (METHODS.md 1.3)."""
