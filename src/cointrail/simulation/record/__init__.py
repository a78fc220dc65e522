"""Writing a world down: block files, truth tables, manifest."""
