"""How a cluster is built: what holds it together, how it grew, what it hangs on, which merges are doubtful."""
