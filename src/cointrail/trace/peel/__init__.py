"""Peel chains: a sum from which payment after payment leaves while the rest goes on as change (METHODS.md 6.1).

`follow` goes ahead with the change, `back` returns from a payment to where its chain began. Which output is change is
for the vote of level L2 to say; where it does not, a chain ends, or a lead begins that is marked as one. Rule
`peel_chain`, version 1; docs/methods/peel-chain.md.
"""
