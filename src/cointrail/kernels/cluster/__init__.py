"""Loops over clusters: the forest and its proofs, levels above it, cuts, histories."""
