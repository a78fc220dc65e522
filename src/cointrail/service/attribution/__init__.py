"""Questions about tags: who is said to be behind what, by whom, and what a snapshot of the chain adds to that."""
