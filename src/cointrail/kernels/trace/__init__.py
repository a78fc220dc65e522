"""The walk of taint through transactions, compiled: `walk` drives, `split` holds the policies, `state` the columns."""
