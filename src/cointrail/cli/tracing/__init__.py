"""Commands that follow money."""
