"""Every test of this folder runs on SQLite and on PostgreSQL."""

from both_databases import database, postgres, where

__all__ = ["database", "postgres", "where"]
