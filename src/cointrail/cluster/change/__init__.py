"""Which output of a transaction is its change? Rules, families, and their vote.

A rule says which outputs it cannot rule out, and fires if one is left. One sign proves little: level L2 asks for two
families of signs that agree (METHODS.md 2.2, 2.3; docs/methods/change-vote.md). Everything here is an inference.
"""
