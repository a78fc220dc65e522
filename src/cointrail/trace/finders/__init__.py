"""Finders: who paid this wallet, and where did its money go? Walks of `trace.walk` read as answers about services.

An answer names a service because a file of tags does, and rests on a policy wherever money was mixed: an inference
upon an assertion, never a statement about who holds a key. FEATURES.md rows 31 and 32; METHODS.md 6 and 7.1.
"""
