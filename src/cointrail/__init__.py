"""cointrail: follow money on Bitcoin on your own machine, and prove every statement."""

__version__ = "0.1.0"
