"""A learned change model: leads of level L3, never more (METHODS.md 2.4; docs/methods/change-model.md)."""
