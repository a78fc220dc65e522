"""The seized media: files of the market and its operator, in which everything planted has its row in the truth."""
