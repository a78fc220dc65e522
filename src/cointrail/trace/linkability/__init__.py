"""Which outputs of one transaction may the inputs have paid? Amounts only: no scripts, no names, no neighbours.

`links` counts interpretations (METHODS.md 6.4), `successors` gives what may follow an input of a CoinJoin.
"""
