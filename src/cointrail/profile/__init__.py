"""What an address or a cluster looks like: sums, counterparties, roles, exposure, risk.

Works on script_ids of a snapshot; who is said to be behind a script comes in as arrays (`trace.services.Services`).
"""
