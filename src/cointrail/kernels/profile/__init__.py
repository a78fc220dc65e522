"""Loops for profiles of large wallets."""
