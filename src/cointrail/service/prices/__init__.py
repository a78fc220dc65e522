"""What amounts were worth in money, by imported prices: the rule, the source and the gap beside every amount."""
