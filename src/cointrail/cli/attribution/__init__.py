"""Commands about tags, and how others name whom tags name."""
