"""What an address or a wallet looks like, and who it dealt with, as people ask for it."""
