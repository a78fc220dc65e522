"""Changing the store: importing versions of collections, and taking single tags back. Nothing is ever deleted."""
