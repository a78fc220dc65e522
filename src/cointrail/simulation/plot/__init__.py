"""The plot: Bazaar, who buys there, who runs it, who watches it, and the truth about all of them (SCENARIO.md 3, 4)."""
