"""Roles from behaviour: deposit addresses, segments of a wallet, and what behaves like a service. Inferences all."""
