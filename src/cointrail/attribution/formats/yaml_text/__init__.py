"""YAML as packs are written in: read within bounds with the line of every entry, and written so that it reads back."""
