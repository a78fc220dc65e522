"""Risk: open rules over an exposure, each with its inputs and its arithmetic; integers, and no formula but these.

A score is the sum of what rules add, and never stands without them. It is a way to order work, no finding about a
person, and nothing is decided by it. docs/methods/risk.md.
"""
