"""Commands about what an address or cluster looks like."""
