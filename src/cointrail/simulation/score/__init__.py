"""The scorer: compares result files of the product with the truth tables of a world. It reads nothing else.

    python -m cointrail.simulation.score RESULTS WORLD

Rows are added by later versions; what a row means never changes.
"""
