"""Exposure: how much of what a wallet received or sent leads to or comes from whom tags name, and by which ways.

An absorbing haircut (`trace.walk`) that ends at the first tagged script; METHODS.md 7.3; docs/methods/exposure.md. An
inference by convention that rests on assertions of tags: it says nothing about who knew what, and no hit is no
clearance.
"""
