"""Traces as graphs for people: what is shown, in which words, and what is counted together."""
